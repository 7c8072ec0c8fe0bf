"""Where the objects of a scene stand: apart on the table, close together, or on each other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.objects import SceneObject, sample_attributes, sample_rgb, sample_shape
from iterprime_ros.sim.shapes import PLATE_FLOOR, PLATE_THICKNESS, Primitive
from iterprime_ros.sim.surroundings import Surroundings
from iterprime_ros.sim.visibility import visible_fractions

_TRIES = 25  # positions that are tried for one object
CLEARANCE = 0.008  # least distance between the footprints of two objects, in metres
CLUTTER_CLEARANCE = 0.004
_MIN_VISIBLE = 0.3  # of an object in clutter or near stacks, as visible_fractions estimates it
_STACKED_SHARE = 0.55  # of the objects of World.STACKED that are tried on top of another first
_MAX_LEVEL = 2  # objects below an object
_OVERHANG = 1.3  # radius of a base over that of the level surface that it stands on, at most
_PLATE_OVERHANG = 1.9
_STABLE_KINDS = ('cube', 'cylinder', 'mug', 'bottle', 'plate')  # which stand on cubes and cylinders


class Seat(NamedTuple):
    """The level surface of an object that another one can stand on.

    height: above the base of the object, in metres.
    radius: of the largest disk on it about the object's vertical axis, in metres.
    """

    height: float
    radius: float


def seat_of(item: SceneObject) -> Seat | None:
    """Return the top of a cube or a cylinder, the inside of a plate, or None for other kinds."""
    match item.kind:
        case 'cube' | 'cylinder' if isinstance(item.shape, Primitive):
            return Seat(item.shape.height, min(item.shape.half[:2]))
        case 'plate':
            return Seat(PLATE_THICKNESS, PLATE_FLOOR * _reach(item))
        case _:
            return None


def base_radius(item: SceneObject) -> float:
    """Return the radius of the part of an object that rests on a level surface, in metres."""
    if isinstance(item.shape, Primitive):
        return min(item.shape.half[:2])
    vertices = item.shape.vertices
    return float(np.linalg.norm(vertices[vertices[:, 2] < 1e-6, :2], axis=1).max())


def place_apart(
    rng: Generator, camera: CameraPose, surroundings: Surroundings, count: int
) -> list[SceneObject]:
    """Place up to `count` objects on the table, at least 8 mm apart."""
    placed: list[SceneObject] = []
    for _ in range(count):
        item = _sample_object(rng, placed)
        for _ in range(_TRIES):
            candidate = _moved(rng, item, (0.0, 0.0), (0.26, 0.24))
            if _is_free(candidate, placed, camera, surroundings, CLEARANCE):
                placed.append(candidate)
                break
    return placed


def place_close(
    rng: Generator, camera: CameraPose, surroundings: Surroundings, count: int
) -> list[SceneObject]:
    """Place up to `count` objects close together, so that some hide parts of others."""
    centre = (float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.05, 0.05)))
    half = (float(rng.uniform(0.13, 0.2)), float(rng.uniform(0.11, 0.19)))
    placed: list[SceneObject] = []
    for _ in range(count):
        item = _sample_object(rng, placed)
        for _ in range(_TRIES):
            candidate = _moved(rng, item, centre, half)
            if _is_free(
                candidate, placed, camera, surroundings, CLUTTER_CLEARANCE
            ) and _all_visible([*placed, candidate], camera):
                placed.append(candidate)
                break
    return placed


def place_stacked(
    rng: Generator, camera: CameraPose, surroundings: Surroundings, count: int
) -> list[SceneObject]:
    """Place up to `count` objects, some of them on others."""
    placed: list[SceneObject] = []
    for _ in range(count):
        item = _sample_object(rng, placed)
        is_stacked = rng.random() < _STACKED_SHARE
        for _ in range(_TRIES):
            candidate = _on_another(rng, item, placed) if is_stacked else None
            if candidate is None:
                candidate = _moved(rng, item, (0.0, 0.0), (0.26, 0.24))
            if _is_free(candidate, placed, camera, surroundings, CLEARANCE) and _all_visible(
                [*placed, candidate], camera
            ):
                placed.append(candidate)
                break
    return placed


def place_another(
    rng: Generator,
    placed: Sequence[SceneObject],
    model: SceneObject,
    camera: CameraPose,
    surroundings: Surroundings,
    clearance: float,
) -> SceneObject | None:
    """Return a copy of `model` on the table that leaves all others visible; None if none fits."""
    item = replace(model, id=len(placed) + 1, base_height=0.0, support=None)
    for _ in range(_TRIES):
        candidate = _moved(rng, item, (0.0, 0.0), (0.26, 0.24))
        if _is_free(candidate, placed, camera, surroundings, clearance) and _all_visible(
            [*placed, candidate], camera
        ):
            return candidate
    return None


def _sample_object(rng: Generator, placed: Sequence[SceneObject]) -> SceneObject:
    """Draw the next object, at the origin."""
    kind, colour, size = sample_attributes(rng, placed)
    shape, index = sample_shape(rng, kind, size)
    rgb = sample_rgb(rng, colour)
    return SceneObject(len(placed) + 1, kind, colour, size, rgb, shape, index, (0.0, 0.0), 0.0)


def _moved(
    rng: Generator, item: SceneObject, centre: tuple[float, float], half: tuple[float, float]
) -> SceneObject:
    """Return the object anywhere on the table within `half` of `centre` along x and y."""
    x, y = (float(rng.uniform(c - h, c + h)) for c, h in zip(centre, half, strict=True))
    return replace(item, position=(x, y), yaw=float(rng.uniform(-np.pi, np.pi)))


def _on_another(
    rng: Generator, item: SceneObject, placed: Sequence[SceneObject]
) -> SceneObject | None:
    """Return the object on a free seat among `placed`, or None if it stands on none of them."""
    taken = {other.support for other in placed}
    supports = [
        other
        for other in placed
        if other.id not in taken
        and len(_below(other, placed)) < _MAX_LEVEL
        and _stands_on(item, other)
    ]
    seat = None
    if supports:
        support = supports[int(rng.integers(len(supports)))]
        seat = seat_of(support)
    if seat is None:
        return None
    room = seat.radius - _reach(item) if support.kind == 'plate' else 0.25 * seat.radius
    angle, offset = rng.uniform(-np.pi, np.pi), room * rng.random()
    x, y = support.position
    return replace(
        item,
        position=(float(x + offset * np.cos(angle)), float(y + offset * np.sin(angle))),
        yaw=float(rng.uniform(-np.pi, np.pi)),
        base_height=support.base_height + seat.height,
        support=support.id,
    )


def _stands_on(item: SceneObject, support: SceneObject) -> bool:
    seat = seat_of(support)
    if seat is None:
        return False
    if support.kind == 'plate':
        return _reach(item) <= seat.radius
    overhang = _PLATE_OVERHANG if item.kind == 'plate' else _OVERHANG
    return item.kind in _STABLE_KINDS and base_radius(item) <= overhang * seat.radius


def _reach(item: SceneObject) -> float:
    """Return the largest distance of the object from its vertical axis, in metres."""
    return float(np.linalg.norm(item.shape.footprint.exterior.coords, axis=1).max())


def _below(item: SceneObject, placed: Sequence[SceneObject]) -> set[int]:
    """Return the ids of the objects that an object stands on, directly or not."""
    ids = set()
    while item.support is not None:
        ids.add(item.support)
        item = placed[item.support - 1]
    return ids


def _is_free(
    item: SceneObject,
    placed: Sequence[SceneObject],
    camera: CameraPose,
    surroundings: Surroundings,
    clearance: float,
) -> bool:
    """Return whether the object is on the table and in view, away from all it does not stand on."""
    below = _below(item, placed)
    return (
        is_on_table(item, surroundings)
        and _is_in_view(item, camera)
        and all(
            item.footprint.distance(other.footprint) > clearance
            for other in placed
            if other.id not in below
        )
    )


def is_on_table(item: SceneObject, surroundings: Surroundings) -> bool:
    """Return whether an object is above the table, all of it."""
    return bool(np.all(np.abs(item.hull[:, :2]) < surroundings.table_half))


def _is_in_view(item: SceneObject, camera: CameraPose) -> bool:
    """Return whether the object lies in the central square of the image, with a small margin."""
    optical = camera.to_optical(item.hull)
    slope = np.abs(optical[:, :2] / optical[:, 2:]).max()
    return bool(slope < 0.97 * np.tan(np.radians(camera.fovy) / 2))


def _all_visible(objects: Sequence[SceneObject], camera: CameraPose) -> bool:
    return min(visible_fractions(objects, camera)) >= _MIN_VISIBLE
