"""What is read of messages, of whatever class."""

from collections.abc import Sequence
from typing import Any, Protocol


class ImageMessage(Protocol):
    """What has the fields of a sensor_msgs/Image.

    data: bytes, as anything with the buffer protocol.
    """

    header: Any
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class CompressedImageMessage(Protocol):
    """What has the fields of a sensor_msgs/CompressedImage; data: as of an image."""

    header: Any
    format: str
    data: Any


class CameraInfoMessage(Protocol):
    """What has the fields of a sensor_msgs/CameraInfo of ROS 2."""

    header: Any
    height: int
    width: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
    p: Sequence[float]
