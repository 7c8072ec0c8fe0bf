"""The depth and calibration that belong to an image."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import check_registered
from iterprime_ros.messages.calibration import pinhole_of
from iterprime_ros.messages.depth_images import compressed_depth_of, depth_of
from iterprime_ros.messages.frame_synchronizer import CameraFrame

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
    is_compressed = hasattr(depth, 'format')
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
