"""The node of the simulated RGB-D camera, which also publishes the ground truth of its images."""

import json
import sys

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String
from std_srvs.srv import Trigger

from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.qos import LATCHED_QOS
from iterprime_ros.sim.gl import RenderingUnavailableError
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.truth import truth_of

FRAME_ID = 'camera_color_optical_frame'
MAX_SEED = 2**31 - 1
_MAX_SIDE = 4096  # in pixels


class SimCamera(Node):
    """Publishes images of one scene until another is requested; the README lists its interface.

    A scene is static: it is rendered once and published at `rate` with new timestamps.
    """

    def __init__(self) -> None:
        super().__init__('sim_camera')
        width = self._declare_integer(
            'width', 640, (16, _MAX_SIDE), 'Width of the images, pixels.', True
        )
        height = self._declare_integer(
            'height', 480, (16, _MAX_SIDE), 'Height of the images, pixels.', True
        )
        if width < height:
            # Scenes are composed for the central square of a landscape image.
            raise InvalidParameterValueException(
                'width', width, f'it must be at least the height, {height}'
            )
        seed = self._declare_integer(
            'seed', 0, (0, MAX_SEED), 'Seed of the scene; equal seeds give equal scenes.', False
        )
        rate = self.declare_parameter(
            'rate',
            15.0,
            ParameterDescriptor(
                description='Publishing rate, Hz.',
                floating_point_range=[FloatingPointRange(from_value=0.1, to_value=120.0)],
            ),
        ).value
        self._image = self.create_publisher(Image, 'image', qos_profile_sensor_data)
        self._depth = self.create_publisher(Image, 'depth', qos_profile_sensor_data)
        self._info = self.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
        self._ids = self.create_publisher(Image, '~/truth/ids', qos_profile_sensor_data)
        self._objects = self.create_publisher(String, '~/truth/objects', LATCHED_QOS)
        self._renderer = Renderer(width, height)
        self._show(seed)
        self.create_service(Trigger, '~/next_scene', self._on_next_scene)
        self._timer = self.create_timer(1 / rate, self._publish)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.get_logger().info(
            f'{width} x {height} at {rate:g} Hz on {self._image.topic_name}, '
            f'{self._depth.topic_name} and {self._info.topic_name}, scene {seed}: '
            f'{self._object_names()}.'
        )

    def _declare_integer(
        self, name: str, default: int, bounds: tuple[int, int], description: str, read_only: bool
    ) -> int:
        integer_range = IntegerRange(from_value=bounds[0], to_value=bounds[1], step=1)
        descriptor = ParameterDescriptor(
            description=description, integer_range=[integer_range], read_only=read_only
        )
        return self.declare_parameter(name, default, descriptor).value

    def _show(self, seed: int) -> None:
        self._picture = self._renderer.render(sample_scene(seed))
        header = Header(frame_id=FRAME_ID)
        self._messages = (
            (self._image, to_image(self._picture.rgb, 'rgb8', header)),
            (self._depth, to_image(self._picture.depth, '32FC1', header)),
            (self._info, to_camera_info(self._picture.pinhole, header)),
            (self._ids, to_image(self._picture.ids, '32SC1', header)),
        )
        self._objects.publish(String(data=json.dumps(truth_of(self._picture))))

    def _object_names(self) -> str:
        objects = self._picture.scene.objects
        return ', '.join(f'{item.size} {item.colour} {item.kind}' for item in objects)

    def _publish(self) -> None:
        stamp = self.get_clock().now().to_msg()
        for publisher, message in self._messages:
            if publisher.get_subscription_count():
                message.header.stamp = stamp
                publisher.publish(message)

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == 'rate':
                self._timer.timer_period_ns = int(1e9 / parameter.value)
                self._timer.reset()  # otherwise the old period is completed first
            elif parameter.name == 'seed':
                self._show(parameter.value)
                self.get_logger().info(f'Now scene {parameter.value}: {self._object_names()}.')
        return SetParametersResult(successful=True)

    def _on_next_scene(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        seed = (self._picture.scene.seed + 1) % (MAX_SEED + 1)
        self.set_parameters([Parameter('seed', value=seed)])
        response.success = True
        response.message = f'Scene {seed}: {self._object_names()}.'
        return response


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        return run(SimCamera, arguments)
    except RenderingUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
