"""Pinhole geometry in the optical frame: x right, y down, z forward (REP 103)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera without distortion; pixel (0, 0) is the centre of the top left pixel."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def from_fovy(cls, fovy: float, width: int, height: int) -> 'Intrinsics':
        """Return the intrinsics of square pixels and a vertical field of view in degrees."""
        focal = height / (2 * np.tan(np.radians(fovy) / 2))
        return cls(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, (3, 3)."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels (..., 2) of points (..., 3) in the optical frame, z > 0."""
        scale = np.array([self.fx, self.fy])
        return points[..., :2] / points[..., 2:] * scale + np.array([self.cx, self.cy])

    def back_project(
        self, depth: NDArray[np.float32], where: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Return the points (N, 3) in the optical frame, in metres, of the pixels of `where`.

        depth: (H, W) metres along the optical axis. where: (H, W) bool, all pixels by default.
        """
        rows, columns = np.nonzero(np.ones_like(depth, dtype=bool) if where is None else where)
        z = depth[rows, columns].astype(np.float64)
        return np.stack(
            [(columns - self.cx) / self.fx * z, (rows - self.cy) / self.fy * z, z], axis=1
        )


@dataclass(frozen=True)
class CameraPose:
    """Where a camera stands and what it looks at, in the world frame (metres), its x level.

    fovy: vertical field of view in degrees.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fovy: float

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) whose columns are the optical axes x, y, z in the world frame."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward], axis=1)

    def to_optical(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (..., 3) in the optical frame."""
        return (points - np.array(self.eye)) @ self.rotation
