"""The topics of one camera: what comes from it, and the answers about it."""

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
_KEPT_DEPTHS = 8  # so many frames may come between an image and its depth
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_INFO = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
_COMMANDS = QoSProfile(depth=10)
_OUTPUT = QoSProfile(depth=2)  # reliable: it serves those who ask for best effort too

OUTPUTS: dict[str, tuple[type, QoSProfile]] = {
    'result': (ReferredObject, LATCHED_QOS),
    'mask': (Image, _OUTPUT),
    'heatmap': (Image, _OUTPUT),
    'overlay': (Image, _OUTPUT),
    'points': (PointCloud2, _OUTPUT),
    'pose': (PoseStamped, _OUTPUT),
    'markers': (MarkerArray, _OUTPUT),
}


class CameraTopics:
    """Subscriptions and publishers of a camera; name: '' for the only one.

    on_image, on_command: called with every message.
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
        self._info: CameraInfo | None = None
        self._lock = threading.Lock()  # the worker may publish while the executor destroys
        self._outputs = {
            topic: node.create_lifecycle_publisher(kind, f'~/{self._prefix}{topic}', quality)
            for topic, (kind, quality) in OUTPUTS.items()
        }

    def subscribe(self, transport: str, use_depth: bool) -> None:
        """Begin to listen; transport: raw or compressed."""
        kind = CompressedImage if transport == 'compressed' else Image
        topic = 'image/compressed' if transport == 'compressed' else 'image'
        self._listen(kind, topic, self._take_image, NEWEST)
        self._listen(String, 'command', self._take_command, _COMMANDS)
        if use_depth:
            self._listen(Image, 'depth', self._take_depth, NEWEST)
            self._listen(CameraInfo, 'camera_info', self._take_info, _INFO)

    def unsubscribe(self) -> None:
        """Stop listening, and forget what was heard."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._depths.clear()
        self._info = None

    def destroy(self) -> None:
        """Remove all topics."""
        self.unsubscribe()
        with self._lock:
            for publisher in self._outputs.values():
                self._node.destroy_lifecycle_publisher(publisher)
            self._outputs = {}

    def is_heard(self, output: str) -> bool:
        """Whether anyone listens to an output."""
        with self._lock:
            publisher = self._outputs.get(output)
            try:
                return publisher is not None and publisher.get_subscription_count() > 0
            except RCLError:
                if self._node.context.ok():
                    raise
                return False

    def publish(self, output: str, message: Any) -> None:
        """Publish; nothing happens where the node is not active, or ROS ends."""
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
        kept = dict(self._depths)  # the executor may add one at this moment
        if not kept:
            return None
        nearest = min(kept, key=lambda stamp: abs(stamp - nanoseconds))
        return kept[nearest] if abs(nearest - nanoseconds) <= 1e9 * tolerance else None

    @property
    def has_depth(self) -> bool:
        """Whether any depth image has come."""
        return bool(self._depths)

    @property
    def info(self) -> CameraInfo | None:
        """The last calibration that came."""
        return self._info

    @property
    def image_topic(self) -> str:
        """The full name of the topic of images, after remapping; 'image' before subscribing."""
        return self._subscriptions[0].topic_name if self._subscriptions else 'image'

    def _listen(
        self, kind: type, topic: str, take: Callable[[Any], None], quality: QoSProfile
    ) -> None:
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: self._report_mismatch(topic, quality, event)
        )
        self._subscriptions.append(
            self._node.create_subscription(
                kind, self._prefix + topic, take, quality, event_callbacks=events
            )
        )

    def _report_mismatch(
        self,
        topic: str,
        quality: QoSProfile,
        event: QoSRequestedIncompatibleQoSInfo | QoSOfferedIncompatibleQoSInfo,
    ) -> None:
        name = self._node.resolve_topic_name(self._prefix + topic)
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        offered = {
            info.qos_profile.reliability.name.lower()
            for info in self._node.get_publishers_info_by_topic(name)
        }
        self._node.get_logger().warning(
            f'A publisher of {name} cannot be heard: its {policy} does not fit. It offers '
            f'{" and ".join(sorted(offered)) or "what is unknown"}, '
            f'{quality.reliability.name.lower()} is asked for; change the publisher.'
        )

    def _take_image(self, message: Any) -> None:
        self._on_image(self.name, message)

    def _take_command(self, message: String) -> None:
        self._on_command(self.name, message.data)

    def _take_depth(self, message: Image) -> None:
        stamp = nanoseconds_of(message.header)
        self._depths[stamp] = message
        self._depths.move_to_end(stamp)  # a bag that starts again brings a stamp again
        while len(self._depths) > _KEPT_DEPTHS:
            self._depths.popitem(last=False)

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message


def nanoseconds_of(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
