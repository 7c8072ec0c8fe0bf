"""Objects that are moved on the table: pushed, exchanged, taken out of the image and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.sim.framing import is_gone_for_a_while, is_in_image, share_in_image
from iterprime_ros.sim.objects import SceneObject
from iterprime_ros.sim.paths import bowed, frames_for, leg, round_each_other, top_speed
from iterprime_ros.sim.placement import is_on_table
from iterprime_ros.sim.scene import Scene

MAX_SPEED = 1.0  # of an object, in metres a second
_PEAK = (0.35, 0.7)  # of one leg, in metres a second
_PUSH = (0.06, 0.2)  # length of a push, in metres
_TRIES = 30
_SHORTEST_ROUND = 24  # frames: close neighbours would be flung round each other
_STRIDE = 8  # frames between those that are looked at first: most paths that fail do so soon
_PLACES = 150  # that are looked at to leave for
_BORDER = 0.12  # in image heights: an object so near to it is near the border
Place = NDArray[np.float64]  # (2,): x and y in metres
Poses = NDArray[np.float64]  # (F, 3): x and y in metres, yaw in radians


def push(
    rng: Generator, scene: Scene, target: int, clearance: float, frames: int
) -> list[Scene] | None:
    """Return a clip in which objects are pushed one after another, the target for certain."""
    roots = [item.id for item in scene.objects if item.support is None]
    first = root_of(target, scene.objects)
    start = int(rng.integers(3, 10))
    paths = {k: _resting(scene.objects[k - 1], frames) for k in roots}
    is_moved = False
    while start < frames - 12:
        mover = first if not is_moved or rng.random() < 0.6 else int(rng.choice(roots))
        pushed = _pushed(rng, scene, mover, paths, start, clearance)
        if pushed is None:
            if not is_moved:
                return None
            break
        paths[mover], start = pushed
        is_moved = True
        start += int(rng.integers(4, 12))
    return moved(scene, paths)


def _pushed(
    rng: Generator, scene: Scene, mover: int, paths: Mapping[int, Poses], start: int, gap: float
) -> tuple[Poses, int] | None:
    """Return the path of an object with one more push, and the frame at which that ends."""
    frames = len(paths[mover])
    for _ in range(_TRIES):
        length, angle = rng.uniform(*_PUSH), rng.uniform(-np.pi, np.pi)
        lasting = frames_for(length, rng.uniform(*_PEAK))
        if start + lasting >= frames:
            continue
        x, y, yaw = paths[mover][-1]
        place = np.array([x, y]) + length * np.array([np.cos(angle), np.sin(angle)])
        turn = rng.uniform(-0.8, 0.8)
        way = leg(frames, start, lasting)
        path = paths[mover].copy()
        curve = bowed(np.array([x, y]), place, rng.uniform(-0.15, 0.15), way)
        path[start:, :2] = curve[start:]
        path[start:, 2] = (yaw + turn * way)[start:]
        scenes = moved(scene, {**paths, mover: path})
        ids = stack_on(mover, scene.objects)
        if _is_possible(scenes, ids, gap) and _stays_in_image(scenes, ids):
            return path, start + lasting
    return None


def swap(
    rng: Generator,
    scene: Scene,
    target: int,
    favourites: Sequence[int],
    clearance: float,
    frames: int,
) -> list[Scene] | None:
    """Return a clip in which the target and another object exchange their places.

    They go round each other, or the other one waits beside until the target has left.
    favourites: ids of objects that the target is exchanged with rather than others.
    """
    first = root_of(target, scene.objects)
    others = [item.id for item in scene.objects if item.support is None and item.id != first]
    order = [int(k) for k in rng.permutation(others)] if others else []
    liked = {root_of(k, scene.objects) for k in favourites}
    if rng.random() < 0.75:
        order.sort(key=lambda k: k not in liked)
    for second in order:
        ids = [*stack_on(first, scene.objects), *stack_on(second, scene.objects)]
        if not _is_clear(_exchanged(scene, first, second), ids, clearance):
            continue
        for draw in (_going_round, _one_by_one):
            for _ in range(_TRIES // 3):
                paths = draw(rng, scene, first, second, frames)
                if paths is None or max(top_speed(path[:, :2]) for path in paths) > MAX_SPEED:
                    continue
                scenes = moved(scene, dict(zip((first, second), paths, strict=True)))
                if _is_possible(scenes, ids, clearance) and _stays_in_image(scenes, ids):
                    return scenes
    return None


def _exchanged(scene: Scene, first: int, second: int) -> Scene:
    one, other = scene.objects[first - 1], scene.objects[second - 1]
    there = replace(scene, objects=_at(scene, first, (*other.position, one.yaw)))
    return replace(there, objects=_at(there, second, (*one.position, other.yaw)))


def _going_round(
    rng: Generator, scene: Scene, first: int, second: int, frames: int
) -> tuple[Poses, Poses] | None:
    one, other = (np.array(scene.objects[k - 1].position) for k in (first, second))
    centre, distance = (one + other) / 2, float(np.linalg.norm(one - other))
    lasting = max(_SHORTEST_ROUND, frames_for(np.pi / 2 * distance, rng.uniform(0.5, 0.85)))
    if lasting > frames - 10:
        return None
    way = leg(frames, int(rng.integers(3, frames - lasting - 4)), lasting)
    angle, flattening = np.pi * rng.choice([-1, 1]), rng.uniform(0.5, 1.2)
    paths = []
    for k, start, end in ((first, one, other), (second, other, one)):
        path = _resting(scene.objects[k - 1], frames)
        path[:, :2] = round_each_other(start, centre, angle, flattening, way)
        path[way == 1, :2] = end
        path[:, 2] += rng.uniform(-0.6, 0.6) * way
        paths.append(path)
    return paths[0], paths[1]


def _one_by_one(
    rng: Generator, scene: Scene, first: int, second: int, frames: int
) -> tuple[Poses, Poses] | None:
    one, other = (np.array(scene.objects[k - 1].position) for k in (first, second))
    beside = np.array([rng.uniform(-0.26, 0.26), rng.uniform(-0.24, 0.24)])
    start = int(rng.integers(2, 6))
    paths = [_resting(scene.objects[k - 1], frames) for k in (first, second)]
    for k, origin, end in ((1, other, beside), (0, one, other), (1, beside, one)):
        # A bow makes a leg longer than the straight line.
        lasting = frames_for(1.1 * float(np.linalg.norm(end - origin)), rng.uniform(0.6, 0.85))
        if start + lasting >= frames:
            return None
        way = leg(frames, start, lasting)
        paths[k][start:, :2] = bowed(origin, end, rng.uniform(-0.4, 0.4), way)[start:]
        paths[k][start + lasting :, :2] = end
        start += lasting
    return paths[0], paths[1]


def leave(
    rng: Generator, scene: Scene, target: int, clearance: float, frames: int
) -> list[Scene] | None:
    """Return a clip in which the target slides out of the image, and back in near the border."""
    first = root_of(target, scene.objects)
    item = scene.objects[first - 1]
    home = np.array(item.position)
    ids = stack_on(first, scene.objects)
    outsides, backs = _places_to_leave_for(rng, scene, first, clearance)
    if not (outsides and backs):
        return None
    for _ in range(_TRIES):
        outside, back = (each[int(rng.integers(len(each)))] for each in (outsides, backs))
        speed = rng.uniform(0.6, 0.9)
        go = frames_for(1.05 * float(np.linalg.norm(outside - home)), speed)
        come = frames_for(1.05 * float(np.linalg.norm(back - outside)), speed)
        start, rest = int(rng.integers(2, 8)), int(rng.integers(0, 20))
        if start + go + rest + come > frames - 3:
            continue
        path = _resting(item, frames)
        turned = start + go
        way, back_way = leg(frames, start, go), leg(frames, turned + rest, come)
        path[:, :2] = bowed(home, outside, rng.uniform(-0.2, 0.2), way)
        path[turned:, :2] = bowed(outside, back, rng.uniform(-0.2, 0.2), back_way)[turned:]
        path[:, 2] += rng.uniform(-0.8, 0.8) * way
        if top_speed(path[:, :2]) > MAX_SPEED:
            continue
        scenes = moved(scene, {first: path})
        shares = [share_in_image(each.objects[target - 1], each.camera) for each in scenes]
        if is_gone_for_a_while(shares) and _is_possible(scenes, ids, clearance):
            return scenes
    return None


def _places_to_leave_for(
    rng: Generator, scene: Scene, root: int, clearance: float
) -> tuple[list[Place], list[Place]]:
    """Return places on the table out of the image, and in it near the border, for a stack."""
    outsides: list[Place] = []
    backs: list[Place] = []
    half = np.array(scene.surroundings.table_half)
    for _ in range(_PLACES):
        place = rng.uniform(-half, half)
        there = replace(scene, objects=_at(scene, root, (*place, scene.objects[root - 1].yaw)))
        items = [there.objects[k - 1] for k in stack_on(root, there.objects)]
        if not _is_clear(there, [item.id for item in items], clearance):
            continue
        if max(share_in_image(item, scene.camera) for item in items) == 0:
            outsides.append(place)
        elif is_in_image(items, scene.camera) and not is_in_image(items, scene.camera, _BORDER):
            backs.append(place)
    return outsides, backs


def moved(scene: Scene, paths: Mapping[int, Poses]) -> list[Scene]:
    """Return a scene for each frame, with objects (by id) at the poses (F, 3) of their paths.

    What stands on an object goes with it. Objects that rest are shared by the scenes.
    """
    scenes = [scene]
    frames = len(next(iter(paths.values())))
    for frame in range(1, frames):
        objects = scenes[-1].objects
        for k, path in paths.items():
            if (path[frame] != path[frame - 1]).any():
                objects = _at(replace(scene, objects=objects), k, path[frame])
        is_still = objects is scenes[-1].objects
        scenes.append(scenes[-1] if is_still else replace(scene, objects=objects))
    return scenes


def root_of(number: int, objects: Sequence[SceneObject]) -> int:
    """Return the id of the object on the table that carries an object, or its own."""
    while (support := objects[number - 1].support) is not None:
        number = support
    return number


def stack_on(number: int, objects: Sequence[SceneObject]) -> list[int]:
    """Return the ids of an object and of all that stands on it, directly or not."""
    return [number] + [
        k for item in objects if item.support == number for k in stack_on(item.id, objects)
    ]


def _resting(item: SceneObject, frames: int) -> Poses:
    return np.tile([*item.position, item.yaw], (frames, 1))


def _at(scene: Scene, number: int, pose: Sequence[float] | Poses) -> tuple[SceneObject, ...]:
    """Return the objects of a scene, one of them at a pose with all that stands on it."""
    root, (x, y, yaw) = scene.objects[number - 1], pose
    turn = yaw - root.yaw
    cos, sin = np.cos(turn), np.sin(turn)
    objects = list(scene.objects)
    for k in stack_on(number, objects):
        dx, dy = np.subtract(objects[k - 1].position, root.position)
        position = (float(x + cos * dx - sin * dy), float(y + sin * dx + cos * dy))
        objects[k - 1] = replace(
            objects[k - 1], position=position, yaw=float(objects[k - 1].yaw + turn)
        )
    return tuple(objects)


def _is_possible(scenes: Sequence[Scene], ids: Sequence[int], clearance: float) -> bool:
    """Return whether the objects `ids` keep on the table and away from all others, always."""
    return all(_is_clear(each, ids, clearance) for each in _distinct(scenes))


def _is_clear(scene: Scene, ids: Sequence[int], clearance: float) -> bool:
    objects = scene.objects
    roots = {item.id: root_of(item.id, objects) for item in objects}
    for k in ids:
        item = objects[k - 1]
        if not is_on_table(item, scene.surroundings):
            return False
        for other in objects:
            is_apart = roots[other.id] == roots[k] or (
                item.footprint.distance(other.footprint) > clearance
            )
            if not is_apart:
                return False
    return True


def _stays_in_image(scenes: Sequence[Scene], ids: Sequence[int]) -> bool:
    return all(
        is_in_image([each.objects[k - 1] for k in ids], each.camera) for each in _distinct(scenes)
    )


def _distinct(scenes: Sequence[Scene]) -> Iterator[Scene]:
    """Yield every scene once, those far apart in time first."""
    different = list({id(each): each for each in scenes}.values())
    for start in range(_STRIDE):
        yield from different[-1 - start :: -_STRIDE]
