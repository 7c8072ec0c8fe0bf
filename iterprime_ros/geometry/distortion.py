"""Lens distortion by OpenCV's models, as sensor_msgs/distortion_models.hpp names them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidCalibrationError

_COEFFICIENTS = {  # numbers of them that OpenCV accepts
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-9)


@dataclass(frozen=True)
class Distortion:
    """The distortion of a lens.

    model: plumb_bob, rational_polynomial or equidistant (fisheye).
    coefficients: in the order of camera_info's D.

    Raises InvalidCalibrationError for another model, another number of coefficients, or one that is
    not finite.
    """

    model: str
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.model not in _COEFFICIENTS:
            raise InvalidCalibrationError(
                f'The distortion model "{self.model[:40]}" of the camera_info is unknown: rectify '
                'image and depth (image_proc) and set the parameter rectified.'
            )
        numbers = _COEFFICIENTS[self.model]
        if len(self.coefficients) not in numbers or not np.all(np.isfinite(self.coefficients)):
            raise InvalidCalibrationError(
                f'The camera_info has {len(self.coefficients)} distortion coefficients, and '
                f'{self.model} needs {" or ".join(map(str, numbers))} finite ones; calibrate the '
                'camera again.'
            )

    def undistorted(self, rays: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where rays pass the plane z = 1 without the distortion of the lens.

        rays: (N, 2) x and y in the plane z = 1 of the optical frame, as the pixels show them.
        """
        if not len(rays):
            return rays
        points, unit = rays[:, None].astype(np.float64), np.eye(3)
        coefficients = np.array(self.coefficients)
        if self.model == 'equidistant':
            found = cv2.fisheye.undistortPoints(points, unit, coefficients, criteria=_CRITERIA)
        else:
            found = cv2.undistortPointsIter(points, unit, coefficients, unit, unit, _CRITERIA)
        return np.asarray(found, dtype=np.float64)[:, 0]
