"""The pose of a camera that looks at a point, and points in its optical frame."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CameraPose:
    """A camera in the world frame, without roll: the x axis of its image is level.

    eye: position (x, y, z), in metres.
    target: a point on the optical axis (x, y, z), in metres.
    fovy: vertical field of view, in degrees.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fovy: float

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) whose columns are the optical axes x, y, z (REP 103) in the world frame."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward], axis=1)

    def to_optical(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 3) in the optical frame: x right, y down, z forward."""
        return (points - np.array(self.eye)) @ self.rotation

    def to_ground(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 2) on level ground as (right, away) from below the camera."""
        right = self.rotation[:2, 0]
        away = np.array([-right[1], right[0]])
        return (points - np.array(self.eye[:2])) @ np.stack([right, away], axis=1)
