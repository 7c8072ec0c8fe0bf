"""Arrays as messages of images."""

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.messages.message_classes import MessageClasses


def to_image(classes: MessageClasses, pixels: NDArray, encoding: str, header: Any) -> Any:
    """Return the message of an array (H, W) or (H, W, channels) in a byte order of this machine."""
    height, width = pixels.shape[:2]
    message = classes.Image()
    message.header = header
    message.height, message.width = height, width
    message.encoding = encoding
    message.is_bigendian = False
    message.step = pixels.nbytes // height
    # rclpy checks bytes one by one, and takes an array('B') as it is (ros2/common_interfaces#177).
    data = array('B')
    data.frombytes(np.ascontiguousarray(pixels).data.cast('B'))
    message.data = data
    return message


def mask_image(classes: MessageClasses, header: Any, mask: NDArray[np.bool_]) -> Any:
    """Return a mask (H, W) bool as mono8, 255 on the object."""
    return to_image(classes, np.where(mask, np.uint8(255), np.uint8(0)), 'mono8', header)
