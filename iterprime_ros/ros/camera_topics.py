"""The topics of one camera: its images, depth and commands in, answers out."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
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

from iterprime_ros.msg import ReferredObject, SpokenCommand
from iterprime_ros.ros.qos import LATCHED_QOS

RCLError = rclpy_implementation.RCLError
_COMMAND_QOS = QoSProfile(depth=10)
_OUTPUT_QOS = QoSProfile(depth=2)  # reliable, which best-effort subscribers accept too

OUTPUTS: dict[str, tuple[type, QoSProfile]] = {
    'result': (ReferredObject, LATCHED_QOS),
    'question': (String, _OUTPUT_QOS),
    'mask': (Image, _OUTPUT_QOS),
    'heatmap': (Image, _OUTPUT_QOS),
    'overlay': (Image, _OUTPUT_QOS),
    'points': (PointCloud2, _OUTPUT_QOS),
    'pose': (PoseStamped, _OUTPUT_QOS),
    'pose_with_covariance': (PoseWithCovarianceStamped, _OUTPUT_QOS),
    'markers': (MarkerArray, _OUTPUT_QOS),
}


@dataclass(frozen=True)
class CameraCallbacks:
    """What is called with the messages of a camera, each with the camera's name first.

    image: also with the message, its stamp in nanoseconds, and whether depth is published.
    depth: also with the message and its stamp in nanoseconds.
    camera_info: also with the message.
    command: also with the text.
    spoken_command: also with the message.
    """

    image: Callable[[str, Any, int, bool], None]
    depth: Callable[[str, Any, int], None]
    camera_info: Callable[[str, Any], None]
    command: Callable[[str, str], None]
    spoken_command: Callable[[str, SpokenCommand], None]


class CameraTopics:
    """The subscriptions and publishers of a camera.

    name: prefix of its topics, '' for the only camera.
    """

    def __init__(self, node: LifecycleNode, name: str, callbacks: CameraCallbacks) -> None:
        self.name = name
        self._node, self._callbacks = node, callbacks
        self._prefix = f'{name}/' if name else ''
        self._subscriptions: list[Any] = []
        self._depth: Any = None
        self._has_frame_id = True
        self._has_logged_no_depth = False
        self._lock = threading.Lock()  # the worker may publish while the executor destroys
        self._outputs = {
            topic: node.create_lifecycle_publisher(kind, f'~/{self._prefix}{topic}', qos)
            for topic, (kind, qos) in OUTPUTS.items()
        }

    def subscribe(self, transport: str, use_depth: bool, reliability: str) -> None:
        """Subscribe to the topics of the camera.

        transport: raw or compressed.
        use_depth: whether to subscribe to depth and camera_info.
        reliability: best_effort or reliable, of images, depth and calibration.
        """
        is_compressed = transport == 'compressed'
        kind = CompressedImage if is_compressed else Image
        newest, recent = (
            QoSProfile(depth=depth, reliability=ReliabilityPolicy[reliability.upper()])
            for depth in (1, 5)
        )
        image = 'image/compressed' if is_compressed else 'image'
        self._subscribe(kind, image, self._on_image, newest)
        self._subscribe(String, 'command', self._on_command, _COMMAND_QOS)
        self._subscribe(SpokenCommand, 'spoken_command', self._on_spoken_command, _COMMAND_QOS)
        if use_depth:
            depth = 'depth/compressedDepth' if is_compressed else 'depth'
            self._depth = self._subscribe(kind, depth, self._on_depth, recent)
            self._subscribe(CameraInfo, 'camera_info', self._on_camera_info, recent)

    def unsubscribe(self) -> None:
        """Remove the subscriptions."""
        self._depth = None
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

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

    @property
    def image_topic(self) -> str:
        """The full name of the topic of images, after remapping; 'image' before subscribing."""
        return self._subscriptions[0].topic_name if self._subscriptions else 'image'

    @property
    def has_camera(self) -> bool:
        """Whether the topic of images has a publisher; a dead one counts until DDS notices."""
        return bool(self._subscriptions) and self._subscriptions[0].get_publisher_count() > 0

    def missing_image_cause(self) -> str:
        """Return why images may not arrive, and what helps."""
        topic = self.image_topic
        if self.has_camera:
            return (
                f'{topic} has a publisher, but no whole image came. Fragments of large images may '
                'be lost: export FASTDDS_DEFAULT_PROFILES_FILE (on Humble and Jazzy FASTRTPS_...), '
                'see README, before the camera driver starts, or set reliability to reliable.'
            )
        return (
            f'{topic} has no publisher. Is the camera running, and its topic remapped to this one?'
        )

    def _subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile
    ) -> Any:
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: self._report_mismatch(topic, qos, event)
        )
        subscription = self._node.create_subscription(
            kind, self._prefix + topic, callback, qos, event_callbacks=events
        )
        self._subscriptions.append(subscription)
        return subscription

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

    def _on_image(self, message: Any) -> None:
        if self._has_frame_id and not message.header.frame_id:
            self._has_frame_id = False
            self._node.get_logger().warning(
                f'Images on {self.image_topic} have an empty header.frame_id, so nobody can '
                'transform the 3D positions: set the frame_id in the camera driver.'
            )
        expects_depth = self._depth is not None and self._depth.get_publisher_count() > 0
        if self._depth is not None and not expects_depth and not self._has_logged_no_depth:
            self._has_logged_no_depth = True
            self._node.get_logger().info(
                f'{self._depth.topic_name} has no publisher, so answers have no 3D position.'
            )
        self._callbacks.image(self.name, message, nanoseconds_of(message.header), expects_depth)

    def _on_depth(self, message: Any) -> None:
        self._callbacks.depth(self.name, message, nanoseconds_of(message.header))

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._callbacks.camera_info(self.name, message)

    def _on_command(self, message: String) -> None:
        self._callbacks.command(self.name, message.data)

    def _on_spoken_command(self, message: SpokenCommand) -> None:
        self._callbacks.spoken_command(self.name, message)


def nanoseconds_of(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
