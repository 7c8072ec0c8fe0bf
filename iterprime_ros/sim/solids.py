"""What objects are made of: convex parts for collisions, and their density.

Rims, insides and handles are true: a mug is a bottom, a ring of walls and a handle of capsules. The
parts are in the frame of the shape, in metres: it stands on z = 0, its axis through the origin.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import mujoco
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.sim.objects import SceneObject, triple
from iterprime_ros.sim.shapes import PLATE_FLOOR, PLATE_THICKNESS, Mesh, Primitive

_MUG_WALL = 0.004  # as the default of shapes.mug
_MUG_SECTORS = 24
_PLATE_SECTORS = 28
_HANDLE_RINGS = (0, 2, 4, 6, 7, 9, 11, 13)  # of a mug's handle, at which its parts meet
_BANANA_RINGS = (0, 2, 4, 7, 10, 13, 16, 19, 21, 23)  # circles of a banana, likewise

# kg/m3: wood, a filled rubber ball, stoneware, an almost empty plastic bottle, a banana.
_DENSITY = {
    'cube': 600.0,
    'ball': 400.0,
    'cylinder': 600.0,
    'capsule': 600.0,
    'mug': 2000.0,
    'plate': 2000.0,
    'bottle': 300.0,
    'banana': 950.0,
}
_LYING = (np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0)  # rotates z, the axis of a capsule, to x


@dataclass(frozen=True)
class Part:
    """A convex part of an object.

    kind: the mujoco.mjtGeom: a box, sphere, cylinder, capsule, or the hull of points as a mesh.
    size: (3,) of the geom, as MuJoCo means it; not of a hull.
    position: (3,) of its centre.
    quaternion: (4,) w, x, y, z of its rotation.
    points: (P, 3) of a hull, otherwise None.
    """

    kind: int
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    points: NDArray[np.float64] | None = None


def density_of(item: SceneObject) -> float:
    """Return the density of an object's parts, in kg/m3."""
    return _DENSITY[item.kind]


def parts_of(item: SceneObject) -> list[Part]:
    """Return the convex parts of an object of one of KINDS."""
    shape = item.shape
    if isinstance(shape, Primitive):
        return [_primitive(shape)]
    match item.kind:
        case 'mug':
            return list(_mug(shape))
        case 'plate':
            return list(_plate(shape))
        case 'bottle':
            return list(_bottle(shape))
        case _:
            return list(_banana(shape))


def _primitive(shape: Primitive) -> Part:
    x, y, z = shape.half
    middle = (0.0, 0.0, z)
    match shape.kind:
        case 'cube':
            return Part(mujoco.mjtGeom.mjGEOM_BOX, shape.half, middle)
        case 'ball':
            return Part(mujoco.mjtGeom.mjGEOM_SPHERE, (x, 0, 0), middle)
        case 'cylinder':
            return Part(mujoco.mjtGeom.mjGEOM_CYLINDER, (x, z, 0), middle)
        case _:
            return Part(mujoco.mjtGeom.mjGEOM_CAPSULE, (y, x - y, 0), middle, _LYING)


def _mug(shape: Mesh) -> Iterator[Part]:
    # The mesh is a lathe of six profile points, and then the rings of the handle.
    profile = _profile(shape, 6)
    radius, height = profile[2]
    yield _cylinder(radius, 0.0, _MUG_WALL)
    for angle in np.arange(_MUG_SECTORS) * 2 * np.pi / _MUG_SECTORS:
        section = [(radius - _MUG_WALL, _MUG_WALL), (radius, _MUG_WALL)]
        section += [(r, height) for r, _ in reversed(section)]
        yield _sector(section, angle, _MUG_SECTORS)
    handle = shape.vertices[40 * 6 : -2].reshape(-1, 10, 3)
    yield from _tube(handle, _HANDLE_RINGS)


def _plate(shape: Mesh) -> Iterator[Part]:
    radius, rim = _profile(shape, 7, 56)[2]
    yield _cylinder(PLATE_FLOOR * radius, 0.0, PLATE_THICKNESS)
    inner = 0.72 * radius
    under, over = rim * (0.72 - 0.5) / 0.5, rim - 0.05 * radius
    floor = PLATE_FLOOR * radius
    step = [(floor, 0.001), (floor, PLATE_THICKNESS), (inner, under), (inner, over)]
    edge = [(inner, under), (inner, over), (radius, rim), (radius, rim + PLATE_THICKNESS)]
    for angle in np.arange(_PLATE_SECTORS) * 2 * np.pi / _PLATE_SECTORS:
        yield _sector(step, angle, _PLATE_SECTORS)
        yield _sector(edge, angle, _PLATE_SECTORS)


def _bottle(shape: Mesh) -> Iterator[Part]:
    profile = _profile(shape, len(shape.vertices) // 40)
    body, neck, cap = profile[1, 0], profile[-5, 0], profile[-2, 0]
    shoulder = profile[2:12]
    height = profile[-1, 1]
    yield _cylinder(body, 0.0, shoulder[0, 1])
    # The curve bulges in its lower half and is hollow in its upper half.
    for low, high in ((0, 5), (5, 7), (7, 9)):
        rings = [_ring(r, z, 24) for r, z in shoulder[low : high + 1]]
        yield Part(mujoco.mjtGeom.mjGEOM_MESH, points=np.concatenate(rings))
    yield _cylinder(neck, shoulder[-1, 1], profile[-4, 1])
    yield _cylinder(cap, profile[-3, 1], height)


def _banana(shape: Mesh) -> Iterator[Part]:
    rings = shape.vertices[:-2].reshape(-1, 14, 3)
    for start, end in pairwise(_BANANA_RINGS):
        yield Part(mujoco.mjtGeom.mjGEOM_MESH, points=rings[start : end + 1].reshape(-1, 3))


def _profile(shape: Mesh, points: int, segments: int = 40) -> NDArray[np.float64]:
    """Return the (P, 2) profile of the lathe that a mesh begins with."""
    first = shape.vertices[: segments * points].reshape(segments, points, 3)[0]
    return first[:, [0, 2]]


def _cylinder(radius: float, low: float, high: float) -> Part:
    size = (float(radius), float(high - low) / 2, 0.0)
    return Part(mujoco.mjtGeom.mjGEOM_CYLINDER, size, (0.0, 0.0, float(low + high) / 2))


def _ring(radius: float, height: float, count: int) -> NDArray[np.float64]:
    angle = np.arange(count) * 2 * np.pi / count
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle + height], axis=1)


def _sector(section: list[tuple[float, float]], angle: float, sectors: int) -> Part:
    """Return the part of a lathed convex section between two angles."""
    half = np.pi / sectors
    radius, height = np.array(section, float).T
    # Flat outside: the mean of the circles round and inside its polygon.
    radius = radius * 2 / (1 + np.cos(half))
    corners = [
        np.stack([radius * np.cos(each), radius * np.sin(each), height], axis=1)
        for each in (angle - half, angle + half)
    ]
    return Part(mujoco.mjtGeom.mjGEOM_MESH, points=np.concatenate(corners))


def _tube(rings: NDArray[np.float64], ends: tuple[int, ...]) -> Iterator[Part]:
    """Yield capsules along a tube.

    rings: (P, S, 3) vertices of its circles.
    ends: the rings at which they meet.
    """
    centres = rings.mean(axis=1)
    radii = np.linalg.norm(rings - centres[:, None], axis=2).mean(axis=1)
    for start, end in pairwise(ends):
        axis = centres[end] - centres[start]
        rotation = np.zeros(4)
        mujoco.mju_quatZ2Vec(rotation, axis)
        w, x, y, z = rotation.tolist()
        middle = (centres[start] + centres[end]) / 2
        radius = float(radii[start : end + 1].mean())
        size = (radius, float(np.linalg.norm(axis)) / 2, 0.0)
        yield Part(mujoco.mjtGeom.mjGEOM_CAPSULE, size, triple(middle), (w, x, y, z))
