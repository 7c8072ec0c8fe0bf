"""Where a segmented object is in 3D, by the depth image that belongs to its image."""

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.surface import Surface, surface
from iterprime_ros.ros.convert.depth_images import compressed_depth_of, depth_of
from iterprime_ros.ros.convert.images import pinhole_of
from iterprime_ros.ros.runtime.frame_synchronizer import CameraFrame


def visible_surface(
    frame: CameraFrame,
    rgb: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    tolerance: float,
    is_rectified: bool,
) -> tuple[Surface | None, str]:
    """Return the visible surface under a mask, or None and a sentence that says why not.

    frame: the image with its depth and calibration.
    rgb: (H, W, 3) uint8 RGB, the decoded image.
    mask: (H, W) bool.
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
        return surface(metres, mask, rgb, pinhole_of(info, is_rectified)), ''
    except IterprimeError as error:
        return None, str(error)


def _no_depth(frame: CameraFrame, tolerance: float) -> str:
    if not frame.expects_depth:
        return ''
    return (
        f'No depth image with a stamp within {tolerance:g} s of the image arrived in time '
        '(depth_tolerance, depth_wait).'
    )
