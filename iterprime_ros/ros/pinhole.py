"""The camera that a depth image was taken by, and the points that its pixels see.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import IterprimeError


class InvalidCalibrationError(IterprimeError):
    """A camera_info that is no pinhole camera, or is another image's."""


@dataclass(frozen=True)
class Pinhole:
    """A pinhole camera without distortion; pixel (0, 0) is the centre of the top left pixel.

    fx, fy, cx, cy: in pixels of the image, whose size is width x height.
    Raises InvalidCalibrationError unless the focal lengths and the size are above 0 and all is
    finite.
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
