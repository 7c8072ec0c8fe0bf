"""The plane that the objects of a frame stand on, from depth.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar('_Scalar', bound=np.generic)

_HYPOTHESES = 96  # planes that are tried; with half of the pixels on it one misses at 7 in 10 ** 6
BACKGROUND_POINTS = 500  # that judge them
_OBJECT_POINTS = 300  # that rule planes out
_TOLERANCE = 0.012  # of the depth; the noise of a stereo camera at 1 m is about half of it
_FEWEST_INLIERS = 0.25  # of the pixels round the objects
_ABOVE = 0.9  # of the pixels of objects, which do not lie below what they stand on
_REFINEMENTS = 2


@dataclass(frozen=True)
class SupportingPlane:
    """The plane of the points X with normal @ X == distance.

    normal: (3,) float64, of length 1, away from the camera: downwards, where objects stand on it.
    distance: of the camera from the plane, in metres.
    right, far: (3,) float64, of length 1, the plane's axes: as the image's x axis runs, and away
        from the camera (the image's upward direction, where the camera looks straight down).
    """

    normal: NDArray[np.float64]
    distance: float
    right: NDArray[np.float64]
    far: NDArray[np.float64]

    @classmethod
    def of(cls, normal: NDArray[np.float64], distance: float) -> 'SupportingPlane':
        """Return the plane with its axes; the normal is not along the image's x axis."""
        right = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
        right /= np.linalg.norm(right)
        return cls(normal, distance, right, np.cross(right, normal))

    @classmethod
    def level_below(cls, points: NDArray[np.float64]) -> 'SupportingPlane':
        """Return the level plane under the lowest of points (N, 3), of a camera that is level."""
        return cls.of(np.array([0.0, 1.0, 0.0]), float(points[:, 1].max(initial=0.0)))

    def heights(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the heights (N,) of points (N, 3) above the plane."""
        return self.distance - points @ self.normal

    def on_plane(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the coordinates (N, 2) of points (N, 3) along right and far."""
        return points @ np.stack([self.right, self.far], axis=1)

    def to_optical(
        self, on_plane: NDArray[np.float64], heights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the points (N, 3) with coordinates (N, 2) and heights (N,)."""
        axes = np.stack([self.right, self.far])
        return on_plane @ axes + (self.distance - heights)[:, None] * self.normal


def find_supporting_plane(
    background: NDArray[np.float64], objects: NDArray[np.float64]
) -> SupportingPlane | None:
    """Return the plane that most of the background lies on and that no object lies below.

    background: (N, 3) points round the objects, of none of them.
    objects: (M, 3) points of the objects.

    Returns None without points, and where no plane has a quarter of the background. It is RANSAC
    (Fischler and Bolles, 1981) with fixed random numbers, then least squares on the inverse depth,
    which is linear in the ray on a plane.
    """
    if len(background) < 3 or not len(objects):
        return None
    rng = np.random.default_rng(0)
    points = evenly(background, BACKGROUND_POINTS)
    objects = evenly(objects, _OBJECT_POINTS)
    triples = rng.integers(len(points), size=(_HYPOTHESES, 3))
    sides = points[triples]
    normals = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals[lengths[:, 0] > 0] / lengths[lengths > 0][:, None]
    distances = np.einsum('nc,nc->n', normals, sides[lengths[:, 0] > 0, 0])
    normals, distances = normals * np.sign(distances)[:, None], np.abs(distances)
    tolerance = _TOLERANCE * points[:, 2]
    counts = np.count_nonzero(np.abs(normals @ points.T - distances[:, None]) < tolerance, axis=1)
    is_above = normals @ objects.T - distances[:, None] < _TOLERANCE * objects[:, 2]
    # A plane that contains the image's x axis direction as normal has no right.
    is_sane = (np.abs(normals[:, 0]) < 0.9) & (distances > 0)
    counts = np.where((is_above.mean(axis=1) >= _ABOVE) & is_sane, counts, 0)
    if not len(counts) or counts.max() < _FEWEST_INLIERS * len(points):
        return None
    best = int(counts.argmax())
    normal, distance = normals[best], float(distances[best])
    rays, inverse = points / points[:, 2:], 1 / points[:, 2]
    for _ in range(_REFINEMENTS):
        near = np.abs(points @ normal - distance) < tolerance
        slope = np.linalg.lstsq(rays[near], inverse[near], rcond=None)[0]
        distance = 1 / float(np.linalg.norm(slope))
        normal = slope * distance
    return SupportingPlane.of(normal, distance)


def evenly(values: NDArray[_Scalar], most: int) -> NDArray[_Scalar]:
    """Return at most `most` of values (N, ...), evenly spread."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.intp)]
