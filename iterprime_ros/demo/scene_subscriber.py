"""What the simulated camera shows and what is true of it, to a node that listens."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image, pinhole_of
from iterprime_ros.ros.qos import LATCHED_QOS
from iterprime_ros.ros.sim_camera_node import view_in
from iterprime_ros.sim.view import View

_FRAME = {'image': Image, 'depth': Image, 'camera_info': CameraInfo, 'sim_camera/truth/ids': Image}
_KEPT = 8  # frames that may be in parts; best effort may have lost the rest of older ones


@dataclass(frozen=True)
class Frame:
    """Messages of one stamp: rgb (H, W, 3) uint8, depth (H, W) metres, ids (H, W), calibration."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.int32]
    camera: Pinhole


class Table:
    """Knows the scene that is shown now: its number, its truth and its newest whole frame."""

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self.seed: int | None = None
        self._view: View | None = None
        self._since = 0
        self._parts: dict[int, dict[str, Any]] = {}
        self._whole: dict[str, Any] = {}
        node.create_subscription(String, 'sim_camera/truth/objects', self._take_truth, LATCHED_QOS)
        for topic, kind in _FRAME.items():
            node.create_subscription(
                kind,
                topic,
                lambda message, topic=topic: self._take(topic, message),
                qos_profile_sensor_data,
            )

    @property
    def is_known(self) -> bool:
        """Whether both a frame and the truth of the scene have come."""
        return bool(self._whole) and self._view is not None

    def shows(self, stamp: int) -> bool:
        """Whether what was seen at a stamp, in nanoseconds, is the scene that is shown now."""
        return stamp >= self._since

    @property
    def frame(self) -> Frame:
        """The newest whole frame; only once the table is known."""
        rgb, depth, ids = (
            from_image(self._whole[name]) for name in ('image', 'depth', 'sim_camera/truth/ids')
        )
        return Frame(rgb, depth, ids, pinhole_of(self._whole['camera_info']))

    @property
    def view(self) -> View:
        """Where the objects of the scene are; only once the table is known."""
        if self._view is None:
            raise RuntimeError('The truth about the scene has not come yet.')
        return self._view

    def _take_truth(self, message: String) -> None:
        truth = json.loads(message.data)
        if truth['seed'] == self.seed:
            return
        self.seed, self._view = truth['seed'], view_in(truth)
        # The camera shows a scene after it has told of it: what is stamped from now on is new.
        self._since = self._clock.now().nanoseconds
        self._parts, self._whole = {}, {}

    def _take(self, topic: str, message: Any) -> None:
        stamp = nanoseconds_of(message.header)
        if not self.shows(stamp):
            return
        frame = self._parts.setdefault(stamp, {})
        frame[topic] = message
        if len(frame) == len(_FRAME):
            self._whole = frame
            self._parts = {other: kept for other, kept in self._parts.items() if other > stamp}
        elif len(self._parts) > _KEPT:
            del self._parts[min(self._parts)]
