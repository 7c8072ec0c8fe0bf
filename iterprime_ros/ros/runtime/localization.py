"""The depth and calibration that belong to an image, and where an object is in 3D by them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import CompressedImage

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.grasp import Grasps
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import Surface, check_registered, surface
from iterprime_ros.ros.convert.depth_images import compressed_depth_of, depth_of
from iterprime_ros.ros.convert.images import pinhole_of
from iterprime_ros.ros.runtime.failures import log_cause, unexpected_failure
from iterprime_ros.ros.runtime.frame_synchronizer import CameraFrame
from iterprime_ros.ros.runtime.parameters import gripper_of
from iterprime_ros.spatial.grasping import grasps_of

_ENOUGH = 2500  # depth pixels on an object: 10 ms of one CPU thread at most, so that 30 Hz holds


@dataclass(frozen=True)
class RegisteredDepth:
    """What a depth camera knows of an image.

    metres: (h, w) float32, NaN where nothing was measured, registered to the image, of any
        resolution.
    pinhole: calibration of the image.
    """

    metres: NDArray[np.float32]
    pinhole: Pinhole


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


def registered_depth(
    frame: CameraFrame, size: tuple[int, int], tolerance: float, is_rectified: bool
) -> tuple[RegisteredDepth | None, str]:
    """Return depth and calibration of an image, or None and a sentence that says why not.

    frame: the image with its depth and calibration.
    size: (H, W) of the image, in pixels.
    tolerance: seconds by which the stamps of image and depth may differ.
    is_rectified: whether image and depth are rectified, so that P of the calibration applies.

    The sentence is empty where there is no depth camera.
    """
    depth, info = frame.depth, frame.camera_info
    if depth is None:
        return None, _no_depth(frame, tolerance)
    if info is None:
        return None, 'Depth came, but no camera_info, so the 3D position is unknown.'
    image_frame, depth_frame = frame.image.header.frame_id, depth.header.frame_id
    if image_frame != depth_frame:
        return None, (
            f'Depth is in frame "{depth_frame}" and the image in "{image_frame}", so depth is not '
            'registered to the image: remap depth to the registered topic of the camera driver '
            '(such as aligned_depth_to_color/image_raw or depth_registered/image).'
        )
    is_compressed = isinstance(depth, CompressedImage)
    try:
        metres = compressed_depth_of(depth) if is_compressed else depth_of(depth)
        pinhole = pinhole_of(info, is_rectified)
        check_registered(size, metres, pinhole)
    except IterprimeError as error:
        return None, str(error)
    return RegisteredDepth(metres, pinhole), ''


def thinned(depth: RegisteredDepth, mask: NDArray[np.bool_]) -> RegisteredDepth:
    """Return depth with only every n-th row and column, enough of them for a quick position.

    mask: (H, W) bool, the object.

    What is returned covers the field of view of the image, as `depth` does: n divides both sides.
    """
    pixels = mask.mean() * depth.metres.size
    both = math.gcd(*depth.metres.shape)
    least = math.sqrt(pixels / _ENOUGH)
    step = next(n for n in range(1, both + 1) if both % n == 0 and (n >= least or n == both))
    metres = np.ascontiguousarray(depth.metres[step // 2 :: step, step // 2 :: step])
    # An even number of pixels has none in its middle: the one that is taken lies half a pixel on.
    off = (step // 2 - (step - 1) / 2) * depth.pinhole.width / depth.metres.shape[1]
    pinhole = replace(depth.pinhole, cx=depth.pinhole.cx - off, cy=depth.pinhole.cy - off)
    return RegisteredDepth(metres, pinhole)


def _no_depth(frame: CameraFrame, tolerance: float) -> str:
    if not frame.expects_depth:
        return ''
    return (
        f'No depth image with a stamp within {tolerance:g} s of the image arrived in time '
        '(depth_tolerance, depth_wait).'
    )
