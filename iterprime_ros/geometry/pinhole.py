"""The pinhole camera model, of real cameras and of the simulated one.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidCalibrationError


@dataclass(frozen=True)
class Pinhole:
    """A pinhole camera without distortion; pixel (0, 0) is the centre of the top left pixel.

    fx, fy: focal lengths, in pixels of the image.
    cx, cy: principal point, in pixels of the image.
    width, height: size of the image, in pixels.

    Raises InvalidCalibrationError unless focal lengths and size are above 0 and all is finite.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not (np.all(np.isfinite(numbers)) and self.fx > 0 and self.fy > 0):
            raise InvalidCalibrationError(
                f'The camera_info has fx {self.fx:g}, fy {self.fy:g}, cx {self.cx:g} and '
                f'cy {self.cy:g}, which is no camera; calibrate it, or publish its K.'
            )
        if self.width < 1 or self.height < 1:
            raise InvalidCalibrationError(
                f'The camera_info is of an image of {self.width} x {self.height} pixels; '
                'publish the width and height that it was calibrated at.'
            )

    @classmethod
    def from_fovy(cls, fovy: float, width: int, height: int) -> 'Pinhole':
        """Return the camera of square pixels and a vertical field of view in degrees."""
        focal = height / (2 * np.tan(np.radians(fovy) / 2))
        return cls(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The intrinsic matrix K, (3, 3)."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels (..., 2) of points (..., 3) in the optical frame, z > 0."""
        scale = np.array([self.fx, self.fy])
        return points[..., :2] / points[..., 2:] * scale + np.array([self.cx, self.cy])

    def resized(self, width: int, height: int) -> 'Pinhole':
        """Return the camera whose pixels divide the same field of view into another number.

        Pixel centres lie at whole numbers, so the image begins half a pixel before 0.
        """
        across, down = width / self.width, height / self.height
        return Pinhole(
            self.fx * across,
            self.fy * down,
            (self.cx + 0.5) * across - 0.5,
            (self.cy + 0.5) * down - 0.5,
            width,
            height,
        )


def back_project(
    rows: NDArray[np.intp], columns: NDArray[np.intp], z: NDArray[np.floating], camera: Pinhole
) -> NDArray[np.float64]:
    """Return the points (N, 3) in the optical frame, in metres, that pixels see.

    rows, columns: (N,) of the camera's own pixels. z: (N,) metres along the optical axis.
    """
    z = z.astype(np.float64)
    return np.stack(
        [(columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z, z], axis=1
    )
