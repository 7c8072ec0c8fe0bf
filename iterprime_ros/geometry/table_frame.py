"""Coordinates on a supporting plane, with heights above it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TableFrame:
    """A frame whose origin and axes x and y are on a plane and whose z axis points up from it.

    origin: (3,) float64 in the optical frame, in metres.
    axes: (3, 3) float64, its rows are x, y and z in the optical frame.
    """

    origin: NDArray[np.floating]
    axes: NDArray[np.floating]

    @classmethod
    def below(
        cls, point: NDArray[np.float64], normal: NDArray[np.float64], distance: float
    ) -> 'TableFrame':
        """Return the frame whose origin is where a point stands on a plane.

        point: (3,) in the optical frame.
        normal, distance: the plane's points X have normal @ X == distance; the normal (3,) is of
            length 1 and away from the camera, downwards. It is not along the image's x axis.

        x runs as the image's x axis does, y away from the camera.
        """
        right = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(right, normal), -normal])
        return cls(point + (distance - normal @ point) * normal, axes)

    def from_optical(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return points (..., 3) of the optical frame in this one."""
        axes = self.axes.astype(points.dtype)
        return (points - self.origin.astype(points.dtype)) @ axes.T

    def to_optical(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return points (..., 3) of this frame in the optical one."""
        return points @ self.axes.astype(points.dtype) + self.origin.astype(points.dtype)
