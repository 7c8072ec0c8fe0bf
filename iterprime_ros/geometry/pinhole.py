"""The pinhole camera model, of real cameras and of the simulated one.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidCalibrationError
from iterprime_ros.geometry.distortion import Distortion

_FOCAL = (0.05, 100.0)  # sane focal lengths, over the size of the image


@dataclass(frozen=True)
class Pinhole:
    """A pinhole camera; pixel (0, 0) is the centre of the top left pixel.

    fx, fy: focal lengths, in pixels of the image.
    cx, cy: principal point, in pixels of the image.
    width, height: size of the image, in pixels.
    distortion: of the lens, None for a rectified image.

    Raises InvalidCalibrationError unless the size is at least 1 x 1, the focal lengths are 0.05 to
    100 times the size, and the principal point is at most one size outside the image.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise InvalidCalibrationError(
                f'The camera_info is of an image of {self.width} x {self.height} pixels, which is '
                'no camera; publish the width and height that it was calibrated at.'
            )
        sides = (self.width, self.height)
        focal = [length / side for length, side in zip((self.fx, self.fy), sides, strict=True)]
        centre = [point / side for point, side in zip((self.cx, self.cy), sides, strict=True)]
        is_sane = all(_FOCAL[0] <= each <= _FOCAL[1] for each in focal) and all(
            -1 <= each <= 2 for each in centre
        )
        if not is_sane:  # which holds for NaN and infinity too
            raise InvalidCalibrationError(
                f'The camera_info has fx {self.fx:g}, fy {self.fy:g}, cx {self.cx:g} and '
                f'cy {self.cy:g} for an image of {self.width} x {self.height} pixels, which is no '
                'camera; calibrate it, or publish its K.'
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
        """Return the pixels (..., 2) of points (..., 3) in the optical frame, z > 0.

        The distortion is left out.
        """
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
            self.distortion,
        )


def back_project(
    rows: NDArray[np.intp], columns: NDArray[np.intp], z: NDArray[np.floating], camera: Pinhole
) -> NDArray[np.float64]:
    """Return the points (N, 3) in the optical frame, in metres, that pixels see.

    rows, columns: (N,) of the camera's own pixels. z: (N,) metres along the optical axis.
    """
    z = z.astype(np.float64)
    rays = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy], axis=1)
    if camera.distortion:
        rays = camera.distortion.undistorted(rays)
    return np.concatenate([rays * z[:, None], z[:, None]], axis=1)
