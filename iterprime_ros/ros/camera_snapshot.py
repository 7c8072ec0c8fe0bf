"""Draws what the simulated camera publishes, received over ROS, as one picture."""

import json
import sys
from pathlib import Path

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from iterprime_ros.render import camera_figure
from iterprime_ros.ros.images import from_image
from iterprime_ros.ros.running import run

_TOPICS = {
    'image': Image,
    'depth': Image,
    'camera_info': CameraInfo,
    'sim_camera/truth/ids': Image,
}
_OBJECTS = 'sim_camera/truth/objects'


class CameraSnapshot(Node):
    """Waits for one frame whose messages all bear one stamp, draws it and ends the process."""

    def __init__(self) -> None:
        super().__init__('camera_snapshot')
        described = ParameterDescriptor(description='File to write, PNG.', read_only=True)
        self._out = Path(self.declare_parameter('out', 'out/camera.png', described).value)
        self._frames: dict[tuple[int, int], dict[str, Image | CameraInfo]] = {}
        self._objects: list[dict] = []
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(String, _OBJECTS, self._on_objects, latched)
        for topic, kind in _TOPICS.items():
            self.create_subscription(
                kind,
                topic,
                lambda message, topic=topic: self._on_message(topic, message),
                qos_profile_sensor_data,
            )

    def _on_objects(self, message: String) -> None:
        self._objects = json.loads(message.data)['objects']

    def _on_message(self, topic: str, message: Image | CameraInfo) -> None:
        stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
        frame = self._frames.setdefault(stamp, {})
        frame[topic] = message
        if len(frame) == len(_TOPICS) and self._objects:
            self._draw(frame)
            raise SystemExit(0)
        # Best effort may lose a message for good: older frames will not be completed.
        self._frames = {other: kept for other, kept in self._frames.items() if other >= stamp}

    def _draw(self, frame: dict[str, Image | CameraInfo]) -> None:
        names = {
            item['id']: f'{item["size"]} {item["colour"]} {item["kind"]}' for item in self._objects
        }
        figure = camera_figure(
            from_image(frame['image']),
            from_image(frame['depth']),
            from_image(frame['sim_camera/truth/ids']),
            names,
        )
        try:
            self._out.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(self._out, format='png')
        except OSError as error:
            print(f'Cannot write {self._out}: {error.strerror}.', file=sys.stderr)
            raise SystemExit(1) from error


def main(arguments: list[str]) -> int:
    """Run until one frame is drawn."""
    return run(CameraSnapshot, arguments)
