"""Shapes of objects: primitives, and meshes made by lathing or sweeping a profile.

All lengths are in metres. Every shape stands on z = 0, its vertical axis through the origin.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

Vertices = NDArray[np.float64]
Faces = NDArray[np.int64]

MESH_KINDS = ('mug', 'bottle', 'plate', 'banana')

PLATE_FLOOR = 0.62  # radius of the level inside of a plate, over the plate's radius
PLATE_THICKNESS = 0.003

_CIRCLE = np.linspace(0, 2 * np.pi, 32, endpoint=False)


@dataclass(frozen=True)
class Primitive:
    """A cube, a ball, a cylinder or a capsule that lies along x.

    kind: 'cube', 'ball', 'cylinder' or 'capsule'.
    half: half extents along x, y and z; for a ball and a cylinder half[0] == half[1]; for a capsule
        half[1] == half[2] is the radius, and half[0] includes the caps.
    """

    kind: str
    half: tuple[float, float, float]

    @property
    def height(self) -> float:
        """Height above the table, in metres."""
        return 2 * self.half[2]

    @cached_property
    def footprint(self) -> shapely.Polygon:
        """The area that the shape covers seen from above."""
        x, y, _ = self.half
        if self.kind == 'cube':
            return shapely.box(-x, -y, x, y)
        if self.kind == 'capsule':
            spine = shapely.LineString([(-(x - y), 0), (x - y, 0)])
            return spine.buffer(y, quad_segs=8)
        return shapely.Polygon(np.stack([x * np.cos(_CIRCLE), x * np.sin(_CIRCLE)], axis=1))

    @cached_property
    def outline(self) -> NDArray[np.float64]:
        """(P, 3) points on the surface whose convex hull is nearly the shape."""
        x, y, z = self.half
        if self.kind == 'cube':
            corners = np.stack(np.meshgrid([-x, x], [-y, y], [0, 2 * z]), axis=-1)
            return corners.reshape(-1, 3)
        ring = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE), 0 * _CIRCLE], axis=1)
        if self.kind == 'cylinder':
            return np.concatenate([x * ring, x * ring + [0, 0, 2 * z]])
        polar = np.linspace(0, np.pi, 9)[:, None, None]
        ball = y * (np.sin(polar) * ring + np.cos(polar) * [0, 0, 1]).reshape(-1, 3) + [0, 0, z]
        end = np.array([x - y, 0, 0])
        return np.concatenate([ball - end, ball + end])


@dataclass(frozen=True)
class Mesh:
    """A closed triangle mesh.

    vertices: (V, 3) float64, in metres.
    faces: (F, 3) int64 vertex indices, counter-clockwise seen from outside.
    """

    vertices: Vertices
    faces: Faces

    @cached_property
    def height(self) -> float:
        """Height above the table, in metres."""
        return float(self.vertices[:, 2].max())

    @cached_property
    def footprint(self) -> shapely.Polygon:
        """The convex hull of the area that the shape covers seen from above."""
        return shapely.MultiPoint(self.vertices[:, :2]).convex_hull

    @property
    def outline(self) -> NDArray[np.float64]:
        """(V, 3) points on the surface whose convex hull is that of the shape."""
        return self.vertices


Shape = Primitive | Mesh


def lathe(profile: Vertices, segments: int = 40) -> tuple[Vertices, Faces]:
    """Return the mesh of a profile rotated about the z axis.

    profile: (P, 2) points (radius, height), from the axis along the outside back to the axis.
    segments: number of steps around the axis.

    Returns vertices (segments * P, 3) and faces, without degenerate triangles on the axis.
    """
    points = len(profile)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)[:, None]
    radius, height = profile.T
    vertices = np.stack(
        [
            radius * np.cos(angle),
            radius * np.sin(angle),
            np.broadcast_to(height, (segments, points)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    faces = _grid_faces(segments, points, wrap_rows=True)
    corners = vertices[faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    return vertices, faces[area > 1e-12]


def sweep(path: Vertices, radius: NDArray[np.float64], segments: int) -> tuple[Vertices, Faces]:
    """Return the closed mesh of a circle swept along a path in a plane of constant y.

    path: (P, 3) centres of the circle.
    radius: (P,) radii of the circle.
    segments: number of steps around the circle.

    Returns vertices (P * segments + 2, 3) and faces.
    """
    points = len(path)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.broadcast_to([0.0, 1.0, 0.0], path.shape)
    binormal = np.cross(normal, tangent)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None, :, None]
    ring = np.cos(angle) * normal[:, None] + np.sin(angle) * binormal[:, None]
    tube = (path[:, None] + radius[:, None, None] * ring).reshape(-1, 3)
    ends = len(tube) + np.arange(2)
    first, last = np.arange(segments), np.arange(segments) + (points - 1) * segments
    caps = [
        np.stack([np.full(segments, ends[0]), first, np.roll(first, -1)], axis=1),
        np.stack([np.full(segments, ends[1]), np.roll(last, -1), last], axis=1),
    ]
    faces = _grid_faces(points, segments, wrap_columns=True)
    return np.concatenate([tube, path[[0, -1]]]), np.concatenate([faces, *caps])


def _grid_faces(
    rows: int, columns: int, wrap_rows: bool = False, wrap_columns: bool = False
) -> Faces:
    """Return two triangles for every cell of a grid of vertices numbered row by row."""
    row, column = np.meshgrid(
        np.arange(rows if wrap_rows else rows - 1),
        np.arange(columns if wrap_columns else columns - 1),
        indexing='ij',
    )
    below, right = (row + 1) % rows, (column + 1) % columns
    a, b = row * columns + column, below * columns + column
    c, d = below * columns + right, row * columns + right
    return np.concatenate(
        [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))]
    )


def mug(radius: float, height: float, wall: float = 0.004) -> Mesh:
    """Return a mug whose handle points along x."""
    inner = radius - wall
    body = lathe(
        np.array([(0, 0), (radius, 0), (radius, height), (inner, height), (inner, wall), (0, wall)])
    )
    arc = np.linspace(-np.pi / 2, np.pi / 2, 14)
    grip = 0.32 * height
    path = np.stack(
        [radius - 0.002 + 0.9 * grip * np.cos(arc), 0 * arc, height / 2 + grip * np.sin(arc)],
        axis=1,
    )
    handle = sweep(path, np.full(len(path), 0.06 * height), 10)
    vertices = np.concatenate([body[0], handle[0]])
    return Mesh(vertices, np.concatenate([body[1], handle[1] + len(body[0])]))


def bottle(radius: float, height: float) -> Mesh:
    """Return a bottle: a body, a shoulder of cosine shape, a neck and a cap."""
    neck = 0.4 * radius
    fall = np.linspace(0, 1, 10)
    shoulder = np.stack(
        [
            neck + (radius - neck) * 0.5 * (1 + np.cos(np.pi * fall)),
            (0.6 + 0.2 * fall) * height,
        ],
        axis=1,
    )
    cap = 1.15 * neck
    top = [(neck, 0.93 * height), (cap, 0.93 * height), (cap, height), (0, height)]
    return Mesh(*lathe(np.concatenate([[(0, 0), (radius, 0)], shoulder, top])))


def plate(radius: float) -> Mesh:
    """Return a plate: a flat centre, a steep step and a rising rim."""
    rim, thickness = 0.17 * radius, PLATE_THICKNESS
    profile = [
        (0, 0),
        (0.5 * radius, 0),
        (radius, rim),
        (radius, rim + thickness),
        (0.72 * radius, rim - 0.05 * radius),
        (PLATE_FLOOR * radius, thickness),
        (0, thickness),
    ]
    return Mesh(*lathe(np.array(profile), 56))


def banana(bend: float, thickness: float) -> Mesh:
    """Return a banana that lies on its side; bend: radius of its curve, thickness: of its body."""
    angle = np.linspace(-0.95, 0.95, 24)
    taper = np.clip(1 - (np.abs(angle) / 0.95) ** 6, 0.15, 1)
    path = np.stack([bend * np.sin(angle), 0 * angle, bend * (1 - np.cos(angle))], axis=1)
    vertices, faces = sweep(path, thickness * taper, 14)
    # The curve is swept upright, then laid down by a quarter turn about x.
    lying = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1] + thickness], axis=1)
    centre = 0.5 * (lying[:, 1].min() + lying[:, 1].max())
    return Mesh(lying - np.array([0, centre, 0]), faces)
