"""The objects of the tabletop world: kinds, colours, sizes, and the library of meshes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import shapely
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.sim import shapes
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

MESH_VARIANTS = 8  # meshes for each kind and size

_SCALE = {'small': (0.72, 0.82), 'large': (1.10, 1.25)}
_LIBRARY_SEED = 20250303


@dataclass(frozen=True)
class SceneObject:
    """One object, on the table or on another object; the top of the table is z = 0 (world frame).

    id: its value in an id image, from 1.
    kind: a name in KINDS; of a thing that hides others in a clip, a name in occluders.OCCLUDERS.
    colour: a name in COLOURS; of such a thing, one that no expression names.
    size: a name in SIZES.
    rgb: its actual colour, near COLOURS[colour], in [0, 1].
    shape: its geometry.
    shape_index: index in `mesh_library()[kind, size]`, or None for a primitive.
    position: (x, y) of its vertical axis in the world frame, in metres.
    yaw: rotation about the vertical axis, in radians.
    base_height: z of its base in the world frame, in metres; 0 for an object on the table.
    support: id of the object that it stands on; None for the table.
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
    base_height: float = 0.0
    support: int | None = None

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
        corners[..., 2] = self.base_height
        corners[1, :, 2] += self.shape.height
        return corners.reshape(-1, 3)

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,) the middle of its vertical axis, in the world frame."""
        return np.array([*self.position, self.base_height + self.shape.height / 2])

    @cached_property
    def box_side(self) -> float:
        """Its size: the side of a cube with the volume of the smallest upright box around it.

        In metres.
        """
        base = self.shape.footprint.minimum_rotated_rectangle.area
        return float(np.cbrt(base * self.shape.height))


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


def sample_attributes(rng: Generator, placed: Sequence[SceneObject]) -> tuple[str, str, str]:
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


def sample_shape(rng: Generator, kind: str, size: str) -> tuple[Shape, int | None]:
    """Draw the shape of an object; also return its index in the mesh library, None outside it."""
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
    return Primitive(kind, triple(half * scale)), None


def sample_rgb(rng: Generator, colour: str) -> tuple[float, float, float]:
    """Draw the actual colour of an object, near the colour that its name stands for."""
    return triple(np.clip(COLOURS[colour] + rng.uniform(-0.05, 0.05, 3), 0, 1))


def triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return an array (3,) as a tuple."""
    first, second, third = values.tolist()
    return first, second, third
