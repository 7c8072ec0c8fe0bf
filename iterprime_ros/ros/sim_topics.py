"""What a simulated camera publishes: images, calibration and their ground truth."""

import json
from typing import Any

from builtin_interfaces.msg import Time
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String

from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.qos import LATCHED_QOS
from iterprime_ros.sim.renderer import Picture

FRAME_ID = 'camera_color_optical_frame'
MAX_SEED = 2**31 - 1
_MAX_SIDE = 4096  # in pixels


class SimTopics:
    """The publishers of a simulated camera, under the names of its node."""

    def __init__(self, node: Node) -> None:
        self._image = node.create_publisher(Image, 'image', qos_profile_sensor_data)
        self._depth = node.create_publisher(Image, 'depth', qos_profile_sensor_data)
        self._info = node.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
        self._ids = node.create_publisher(Image, '~/truth/ids', qos_profile_sensor_data)
        self._objects = node.create_publisher(String, '~/truth/objects', LATCHED_QOS)

    @property
    def names(self) -> str:
        """The names of the topics of images, for a person."""
        first, *others = (each.topic_name for each in (self._info, self._image, self._depth))
        return f'{", ".join(others)} and {first}'

    def take(self, picture: Picture) -> None:
        """Make the messages of a picture, which is published from now on."""
        header = Header(frame_id=FRAME_ID)
        self._messages = (
            (self._image, to_image(picture.rgb, 'rgb8', header)),
            (self._depth, to_image(picture.depth, '32FC1', header)),
            (self._info, to_camera_info(picture.pinhole, header)),
            (self._ids, to_image(picture.ids, '32SC1', header)),
        )

    def publish(self, stamp: Time) -> None:
        """Publish what anyone listens to of the picture that was taken last."""
        for publisher, message in self._messages:
            if publisher.get_subscription_count():
                message.header.stamp = stamp
                publisher.publish(message)

    def publish_truth(self, truth: dict[str, Any]) -> None:
        """Publish the ground truth of a picture."""
        self._objects.publish(String(data=json.dumps(truth)))


def declare_size(node: Node) -> tuple[int, int]:
    """Declare and return width and height of the images, in pixels.

    Raises InvalidParameterValueException for an upright image.
    """
    bounds = (16, _MAX_SIDE)
    width = declare_integer(node, 'width', 640, bounds, 'Width of the images, pixels.', True)
    height = declare_integer(node, 'height', 480, bounds, 'Height of the images, pixels.', True)
    if width < height:
        # Scenes are composed for the central square of a landscape image.
        raise InvalidParameterValueException(
            'width', width, f'it must be at least the height, {height}'
        )
    return width, height


def declare_seed(node: Node) -> int:
    """Declare and return the seed of the scene."""
    description = 'Seed of the scene; equal seeds give equal scenes.'
    return declare_integer(node, 'seed', 0, (0, MAX_SEED), description, False)


def declare_rate(node: Node) -> float:
    """Declare and return the publishing rate, in Hz."""
    value: float = node.declare_parameter(
        'rate',
        15.0,
        ParameterDescriptor(
            description='Publishing rate, Hz.',
            floating_point_range=[FloatingPointRange(from_value=0.1, to_value=120.0)],
        ),
    ).value
    return value


def declare_integer(
    node: Node, name: str, default: int, bounds: tuple[int, int], description: str, read_only: bool
) -> int:
    """Declare and return a whole number within bounds."""
    integer_range = IntegerRange(from_value=bounds[0], to_value=bounds[1], step=1)
    descriptor = ParameterDescriptor(
        description=description, integer_range=[integer_range], read_only=read_only
    )
    value: int = node.declare_parameter(name, default, descriptor).value
    return value
