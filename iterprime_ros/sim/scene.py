"""Random scenes: the objects on the table, the surroundings, the light and the camera."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

import numpy as np
import shapely
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.sim import shapes
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.shapes import Mesh, Primitive, Shape

KINDS = ('cube', 'ball', 'cylinder', 'mug', 'bottle', 'plate', 'banana', 'capsule')
COLOURS = {
    'red': (0.85, 0.12, 0.10),
    'green': (0.15, 0.62, 0.20),
    'blue': (0.13, 0.28, 0.80),
    'yellow': (0.95, 0.82, 0.10),
    'orange': (0.96, 0.48, 0.06),
    'purple': (0.50, 0.18, 0.62),
    'white': (0.92, 0.92, 0.90),
    'black': (0.08, 0.08, 0.09),
}
SIZES = ('small', 'large')

MIN_OBJECTS, MAX_OBJECTS = 3, 8
MESH_VARIANTS = 8  # meshes for each kind and size
TABLE_TEXTURES = 16

_SCALE = {'small': (0.72, 0.82), 'large': (1.10, 1.25)}
_CLEARANCE = 0.008  # least distance between the footprints of two objects, in metres
_LIBRARY_SEED = 20250303


@dataclass(frozen=True)
class SceneObject:
    """One object on the table; the top of the table is z = 0 of the world frame.

    id: its value in an id image, from 1.
    kind: a name in KINDS.
    colour: a name in COLOURS.
    size: a name in SIZES.
    rgb: its actual colour, near COLOURS[colour], in [0, 1].
    shape: its geometry.
    shape_index: index in `mesh_library()[kind, size]`, or None for a primitive.
    position: (x, y) of its vertical axis in the world frame, in metres.
    yaw: rotation about the vertical axis, in radians.
    """

    id: int
    kind: str
    colour: str
    size: str
    rgb: tuple[float, float, float]
    shape: Shape
    shape_index: int | None
    position: tuple[float, float]
    yaw: float

    @cached_property
    def footprint(self) -> shapely.Polygon:
        """The area that the object covers seen from above, in the world frame."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        outline = np.asarray(self.shape.footprint.exterior.coords)
        return shapely.Polygon(outline @ np.array([[cos, sin], [-sin, cos]]) + self.position)

    @cached_property
    def hull(self) -> NDArray[np.float64]:
        """(2 * V, 3) corners, in the world frame, of an upright prism that encloses the object."""
        outline = np.asarray(self.footprint.exterior.coords)
        corners = np.zeros((2, len(outline), 3))
        corners[..., :2] = outline
        corners[1, :, 2] = self.shape.height
        return corners.reshape(-1, 3)

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,) the middle of its vertical axis, in the world frame."""
        return np.array([*self.position, self.shape.height / 2])


@dataclass(frozen=True)
class Surroundings:
    """The table, the room and the light.

    table_half: half extents of the table along x and y, in metres.
    texture: index of the texture of the table, in [0, TABLE_TEXTURES).
    texture_repeat: how often the texture is repeated along each side.
    table_tint: RGB factor of the texture, in [0, 1].
    floor_rgb: colour of the floor, in [0, 1].
    wall_rgb: colour of the walls, in [0, 1].
    light_position: (x, y, z) of the lamp in the world frame, in metres.
    light_diffuse: intensity of the lamp, in [0, 1].
    ambient: intensity of the ambient light, in [0, 1].
    headlight: intensity of the diffuse light at the camera, in [0, 1].
    """

    table_half: tuple[float, float]
    texture: int
    texture_repeat: int
    table_tint: tuple[float, float, float]
    floor_rgb: tuple[float, float, float]
    wall_rgb: tuple[float, float, float]
    light_position: tuple[float, float, float]
    light_diffuse: float
    ambient: float
    headlight: float


@dataclass(frozen=True)
class Scene:
    """A table with 3 to 8 objects that stand on it and do not touch.

    seed: seed that the scene was sampled with.
    objects: the n objects; objects[k] has id k + 1.
    surroundings: the table, the room and the light.
    camera: the pose of the camera.
    """

    seed: int
    objects: tuple[SceneObject, ...]
    surroundings: Surroundings
    camera: CameraPose

    @cached_property
    def gaps(self) -> NDArray[np.float64]:
        """(n, n) distances between the footprints of every two objects, in metres."""
        gaps = np.zeros((len(self.objects),) * 2)
        for i, j in combinations(range(len(self.objects)), 2):
            gaps[i, j] = gaps[j, i] = self.objects[i].footprint.distance(self.objects[j].footprint)
        return gaps


@cache
def mesh_library() -> dict[tuple[str, str], tuple[Mesh, ...]]:
    """Return the meshes of mugs, bottles, plates and bananas, by kind and size."""
    rng = np.random.default_rng(_LIBRARY_SEED)

    def factor() -> float:
        return rng.uniform(0.9, 1.12)

    def mesh(kind: str, scale: float) -> Mesh:
        match kind:
            case 'mug':
                return shapes.mug(0.036 * scale * factor(), 0.082 * scale * factor())
            case 'bottle':
                return shapes.bottle(0.030 * scale * factor(), 0.165 * scale * factor())
            case 'plate':
                return shapes.plate(0.078 * scale * factor())
            case _:
                return shapes.banana(0.082 * scale * factor(), 0.017 * scale * factor())

    return {
        (kind, size): tuple(mesh(kind, rng.uniform(*_SCALE[size])) for _ in range(MESH_VARIANTS))
        for kind in shapes.MESH_KINDS
        for size in SIZES
    }


def sample_scene(seed: int) -> Scene:
    """Return the scene of a seed; the same seed gives the same scene on every machine.

    Raises ValueError for a negative seed.
    """
    rng = np.random.default_rng(seed)
    camera = _sample_camera(rng)
    surroundings = _sample_surroundings(rng)
    while True:
        objects = _place_objects(rng, camera, surroundings)
        if len(objects) >= MIN_OBJECTS:
            return Scene(seed, tuple(objects), surroundings, camera)


def _sample_camera(rng: Generator) -> CameraPose:
    azimuth = rng.uniform(-1, 1) - np.pi / 2
    elevation = rng.uniform(0.5, 1.15)
    distance = rng.uniform(0.48, 0.68)
    target = np.array([rng.uniform(-0.03, 0.03), rng.uniform(-0.03, 0.03), 0.03])
    offset = distance * np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    eye = target + offset
    return CameraPose(_triple(eye), _triple(target), float(rng.uniform(40, 50)))


def _sample_surroundings(rng: Generator) -> Surroundings:
    return Surroundings(
        table_half=(float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.32, 0.5))),
        texture=int(rng.integers(TABLE_TEXTURES)),
        texture_repeat=int(rng.integers(1, 7)),
        table_tint=_triple(rng.uniform(0.55, 1.0) * rng.uniform(0.75, 1.0, 3)),
        floor_rgb=_triple(rng.uniform(0.15, 0.9) * rng.uniform(0.8, 1.0, 3)),
        wall_rgb=_triple(rng.uniform(0.2, 0.95) * rng.uniform(0.8, 1.0, 3)),
        light_position=(
            float(rng.uniform(-0.8, 0.8)),
            float(rng.uniform(-0.8, 0.4)),
            float(rng.uniform(0.9, 1.6)),
        ),
        light_diffuse=float(rng.uniform(0.5, 0.9)),
        ambient=float(rng.uniform(0.3, 0.55)),
        headlight=float(rng.uniform(0.15, 0.35)),
    )


def _place_objects(
    rng: Generator, camera: CameraPose, surroundings: Surroundings
) -> list[SceneObject]:
    placed: list[SceneObject] = []
    for _ in range(rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1)):
        kind, colour, size = _sample_attributes(rng, placed)
        shape, index = _sample_shape(rng, kind, size)
        rgb = _triple(np.clip(COLOURS[colour] + rng.uniform(-0.05, 0.05, 3), 0, 1))
        for _ in range(25):
            candidate = SceneObject(
                id=len(placed) + 1,
                kind=kind,
                colour=colour,
                size=size,
                rgb=rgb,
                shape=shape,
                shape_index=index,
                position=(float(rng.uniform(-0.26, 0.26)), float(rng.uniform(-0.24, 0.24))),
                yaw=float(rng.uniform(-np.pi, np.pi)),
            )
            if (
                _is_on_table(candidate, surroundings)
                and _is_in_view(candidate, camera)
                and all(
                    candidate.footprint.distance(other.footprint) > _CLEARANCE for other in placed
                )
            ):
                placed.append(candidate)
                break
    return placed


def _sample_attributes(rng: Generator, placed: Sequence[SceneObject]) -> tuple[str, str, str]:
    """Draw kind, colour and size; with probability 0.55 the kind or the colour is copied."""
    kind = KINDS[rng.integers(len(KINDS))]
    colour = tuple(COLOURS)[rng.integers(len(COLOURS))]
    size = SIZES[rng.integers(len(SIZES))]
    if placed and rng.random() < 0.55:
        other = placed[int(rng.integers(len(placed)))]
        if rng.random() < 0.65:
            kind = other.kind
        else:
            colour = other.colour
    return kind, colour, size


def _sample_shape(rng: Generator, kind: str, size: str) -> tuple[Shape, int | None]:
    if kind in shapes.MESH_KINDS:
        index = int(rng.integers(MESH_VARIANTS))
        return mesh_library()[kind, size][index], index
    scale = rng.uniform(*_SCALE[size])
    first, second = rng.uniform(0.92, 1.08, 2)
    match kind:
        case 'cube':
            half = np.array([0.027, 0.027 * first, 0.027 * second])
        case 'ball':
            half = np.full(3, 0.030)
        case 'cylinder':
            half = np.array([0.025, 0.025, 0.036 * first])
        case _:
            half = np.array([0.056 * first, 0.019, 0.019])
    return Primitive(kind, _triple(half * scale)), None


def _is_on_table(item: SceneObject, surroundings: Surroundings) -> bool:
    return bool(np.all(np.abs(item.hull[:, :2]) < surroundings.table_half))


def _is_in_view(item: SceneObject, camera: CameraPose) -> bool:
    """Return whether the object lies in the central square of the image, with a small margin."""
    optical = camera.to_optical(item.hull)
    slope = np.abs(optical[:, :2] / optical[:, 2:]).max()
    return bool(slope < 0.97 * np.tan(np.radians(camera.fovy) / 2))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third
