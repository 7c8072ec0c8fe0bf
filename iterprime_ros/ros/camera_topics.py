"""The topics of one camera: its images, depth and commands in, answers out."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.event_handler import (
    QoSOfferedIncompatibleQoSInfo,
    QoSRequestedIncompatibleQoSInfo,
    SubscriptionEventCallbacks,
)
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import (
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.qos import LATCHED_QOS

RCLError = rclpy_implementation.RCLError
_KEPT_DEPTHS = 8  # depth images kept for an image to be matched with
NEWEST_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_INFO_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
_COMMAND_QOS = QoSProfile(depth=10)
_OUTPUT_QOS = QoSProfile(depth=2)  # reliable, which best-effort subscribers accept too

OUTPUTS: dict[str, tuple[type, QoSProfile]] = {
    'result': (ReferredObject, LATCHED_QOS),
    'mask': (Image, _OUTPUT_QOS),
    'heatmap': (Image, _OUTPUT_QOS),
    'overlay': (Image, _OUTPUT_QOS),
    'points': (PointCloud2, _OUTPUT_QOS),
    'pose': (PoseStamped, _OUTPUT_QOS),
    'markers': (MarkerArray, _OUTPUT_QOS),
}


class CameraTopics:
    """The subscriptions and publishers of a camera.

    name: prefix of its topics, '' for the only camera.
    on_image: called with the camera's name and every image message.
    on_command: called with the camera's name and every command.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str,
        on_image: Callable[[str, Any], None],
        on_command: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self._node = node
        self._on_image, self._on_command = on_image, on_command
        self._prefix = f'{name}/' if name else ''
        self._subscriptions: list[Any] = []
        self._depths: OrderedDict[int, Image] = OrderedDict()
        self._camera_info: CameraInfo | None = None
        self._lock = threading.Lock()  # the worker may publish while the executor destroys
        self._outputs = {
            topic: node.create_lifecycle_publisher(kind, f'~/{self._prefix}{topic}', qos)
            for topic, (kind, qos) in OUTPUTS.items()
        }

    def subscribe(self, transport: str, use_depth: bool) -> None:
        """Subscribe; transport: raw or compressed."""
        kind = CompressedImage if transport == 'compressed' else Image
        topic = 'image/compressed' if transport == 'compressed' else 'image'
        self._subscribe(kind, topic, self._on_image_message, NEWEST_QOS)
        self._subscribe(String, 'command', self._on_command_message, _COMMAND_QOS)
        if use_depth:
            self._subscribe(Image, 'depth', self._on_depth_message, NEWEST_QOS)
            self._subscribe(CameraInfo, 'camera_info', self._on_camera_info, _INFO_QOS)

    def unsubscribe(self) -> None:
        """Remove the subscriptions and what they received."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._depths.clear()
        self._camera_info = None

    def destroy(self) -> None:
        """Remove all topics."""
        self.unsubscribe()
        with self._lock:
            for publisher in self._outputs.values():
                self._node.destroy_lifecycle_publisher(publisher)
            self._outputs = {}

    def has_subscriber(self, output: str) -> bool:
        """Whether an output has a subscriber."""
        with self._lock:
            publisher = self._outputs.get(output)
            try:
                return publisher is not None and publisher.get_subscription_count() > 0
            except RCLError:
                if self._node.context.ok():
                    raise
                return False

    def publish(self, output: str, message: Any) -> None:
        """Publish, unless the node is not active or ROS shuts down."""
        with self._lock:
            publisher = self._outputs.get(output)
            if publisher is None or not publisher.is_activated:
                return
            try:
                publisher.publish(message)
            except RCLError:
                if self._node.context.ok():
                    raise

    def depth_at(self, nanoseconds: int, tolerance: float) -> Image | None:
        """Return the depth image nearest to a stamp, None where none is within `tolerance` s."""
        depths = dict(self._depths)  # the executor may add one meanwhile
        if not depths:
            return None
        nearest = min(depths, key=lambda stamp: abs(stamp - nanoseconds))
        return depths[nearest] if abs(nearest - nanoseconds) <= 1e9 * tolerance else None

    @property
    def has_depth(self) -> bool:
        """Whether a depth image has arrived."""
        return bool(self._depths)

    @property
    def camera_info(self) -> CameraInfo | None:
        """The newest calibration."""
        return self._camera_info

    @property
    def image_topic(self) -> str:
        """The full name of the topic of images, after remapping; 'image' before subscribing."""
        return self._subscriptions[0].topic_name if self._subscriptions else 'image'

    def _subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile
    ) -> None:
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: self._report_mismatch(topic, qos, event)
        )
        self._subscriptions.append(
            self._node.create_subscription(
                kind, self._prefix + topic, callback, qos, event_callbacks=events
            )
        )

    def _report_mismatch(
        self,
        topic: str,
        qos: QoSProfile,
        event: QoSRequestedIncompatibleQoSInfo | QoSOfferedIncompatibleQoSInfo,
    ) -> None:
        name = self._node.resolve_topic_name(self._prefix + topic)
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        offered = {
            info.qos_profile.reliability.name.lower()
            for info in self._node.get_publishers_info_by_topic(name)
        }
        self._node.get_logger().warning(
            f'Messages of a publisher of {name} are not received: its {policy} is incompatible. It '
            f'offers '
            f'{" and ".join(sorted(offered)) or "what is unknown"}, '
            f'{qos.reliability.name.lower()} is requested; change the publisher.'
        )

    def _on_image_message(self, message: Any) -> None:
        self._on_image(self.name, message)

    def _on_command_message(self, message: String) -> None:
        self._on_command(self.name, message.data)

    def _on_depth_message(self, message: Image) -> None:
        stamp = nanoseconds_of(message.header)
        self._depths[stamp] = message
        self._depths.move_to_end(stamp)  # a bag that is played again repeats its stamps
        while len(self._depths) > _KEPT_DEPTHS:
            self._depths.popitem(last=False)

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._camera_info = message


def nanoseconds_of(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
