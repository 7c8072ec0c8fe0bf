"""The depth and calibration that belong to an image, and where an object is in 3D by them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.impl.rcutils_logger import RcutilsLogger

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.grasp import Grasps
from iterprime_ros.geometry.surface import Surface, surface
from iterprime_ros.messages.frame_synchronizer import CameraFrame
from iterprime_ros.messages.registered_depth import RegisteredDepth, registered_depth
from iterprime_ros.ros.runtime.failures import log_cause, unexpected_failure
from iterprime_ros.ros.runtime.parameters import gripper_of
from iterprime_ros.spatial.grasping import grasps_of


class Localizer:
    """Reads depth before inference, and the position of an object after it.

    settings: returns the node's parameters as they are at that moment.
    is_rectified: whether image and depth are rectified, so that P of the calibration applies.
    log: where errors that nobody expected go, with their traceback.

    What is wrong with depth costs no answer: it becomes a sentence.
    """

    def __init__(
        self, settings: Callable[[], dict[str, Any]], is_rectified: bool, log: RcutilsLogger
    ) -> None:
        self._settings, self._is_rectified, self._log = settings, is_rectified, log

    def depth_of(
        self, frame: CameraFrame, size: tuple[int, int]
    ) -> tuple[RegisteredDepth | None, str]:
        """Return depth and calibration of an image, or None and a sentence that says why not.

        size: (H, W) of the image, in pixels.

        The sentence is empty where there is no depth camera.
        """
        try:
            return registered_depth(
                frame, size, self._settings()['depth_tolerance'], self._is_rectified
            )
        except Exception as error:  # the image is worth an answer whatever the depth contains
            return None, f'The depth could not be read ({self._logged(error)}).'

    def surface_of(
        self, depth: RegisteredDepth, rgb: NDArray[np.uint8], mask: NDArray[np.bool_]
    ) -> tuple[Surface | None, str]:
        """Return the visible surface under a mask, or None and a sentence that says why not.

        rgb: (H, W, 3) uint8 RGB, the image.
        mask: (H, W) bool.
        """
        try:
            return surface(depth.metres, mask, rgb, depth.pinhole), ''
        except IterprimeError as error:
            return None, str(error)
        except Exception as error:  # the mask is worth publishing whatever the depth contains
            return None, f'The 3D position could not be computed ({self._logged(error)}).'

    def grasps_of(
        self, depth: RegisteredDepth, mask: NDArray[np.bool_], surface: Surface
    ) -> Grasps | None:
        """Return grasps of the object under a mask by the node's gripper; None if none are wanted.

        mask: (H, W) bool.
        surface: its visible surface.
        """
        settings = self._settings()
        most = settings['max_grasps']
        if not most:
            return None
        try:
            gripper = gripper_of(settings)
            return grasps_of(mask, depth.metres, depth.pinhole, gripper, most, surface.points)
        except Exception as error:  # the position is worth publishing without a grasp
            return Grasps((), f'Grasps could not be computed ({self._logged(error)}).')

    def _logged(self, error: Exception) -> str:
        """Log an error with its traceback, and return it in one line."""
        failure = unexpected_failure(error)
        log_cause(self._log, failure)
        return failure.text
