"""NumPy arrays to sensor_msgs, and back for the package's own images."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.messages import images
from iterprime_ros.ros.convert.message_classes import ROS_CLASSES

to_image = partial(images.to_image, ROS_CLASSES)
_DTYPES = {'rgb8': np.uint8, 'mono8': np.uint8, '32FC1': np.float32, '32SC1': np.int32}


def from_image(message: Image) -> NDArray:
    """Return the pixels of an rgb8, mono8, 32FC1 or 32SC1 message made on such a machine as this.

    Raises ValueError for another encoding or for data that is not height x step long.
    """
    dtype = _DTYPES.get(message.encoding)
    if dtype is None:
        raise ValueError(f'Cannot read images of encoding "{message.encoding}".')
    data = np.frombuffer(message.data, np.uint8)
    if data.size != message.height * message.step:
        raise ValueError(
            f'The image claims {message.height} rows of {message.step} bytes and has {data.size}.'
        )
    channels = 3 if message.encoding == 'rgb8' else 1
    row = message.width * channels * np.dtype(dtype).itemsize
    pixels = data.reshape(message.height, message.step)[:, :row].view(dtype)
    return pixels.reshape(message.height, message.width, 3) if channels == 3 else pixels


def to_camera_info(pinhole: Pinhole, header: Header) -> CameraInfo:
    """Return the calibration of a pinhole camera without distortion."""
    message = CameraInfo()
    message.header = header
    message.height, message.width = pinhole.height, pinhole.width
    message.distortion_model = 'plumb_bob'
    message.d = [0.0] * 5
    message.k = pinhole.matrix.ravel().tolist()
    message.r = np.eye(3).ravel().tolist()
    message.p = np.column_stack([pinhole.matrix, np.zeros(3)]).ravel().tolist()
    return message
