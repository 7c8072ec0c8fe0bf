"""The simulated camera's current scene: its RGB-D frames and their ground truth."""

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
from iterprime_ros.messages.calibration import pinhole_of
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.qos import LATCHED_QOS
from iterprime_ros.sim.truth import view_from_truth
from iterprime_ros.sim.view import View

_FRAME_TOPICS = {
    'image': Image,
    'depth': Image,
    'camera_info': CameraInfo,
    'sim_camera/truth/ids': Image,
}
_TRUTH = 'truth'  # beside the topics, of a moving scene
_MAX_INCOMPLETE = 8  # frames; best-effort QoS may have lost the missing messages of older ones
_MAX_KEPT = 60  # complete frames of a moving scene, for answers that take a while


@dataclass(frozen=True)
class RgbdFrame:
    """A registered RGB-D image of a simulated scene.

    rgb: (H, W, 3) uint8.
    depth: (H, W) float32, metres along the optical axis.
    ids: (H, W) int32, the ground-truth object id of each pixel, 0 for the background.
    pinhole: calibration of the image.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.int32]
    pinhole: Pinhole


class SceneSubscriber:
    """Subscribes to the simulated camera and keeps the newest frame of its current scene.

    The camera stamps the messages of one frame alike, so they are paired by equal stamps. Where the
    scene moves, each frame has its own ground truth, and several frames are kept.
    """

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self.seed: int | None = None
        self._view: View | None = None
        self._scene_start = 0
        self._incomplete: dict[int, dict[str, Any]] = {}
        self._newest: dict[str, Any] = {}
        self._kept: dict[int, dict[str, Any]] = {}
        self._is_moving = False
        node.create_subscription(String, 'sim_camera/truth/objects', self._on_truth, LATCHED_QOS)
        for topic, message_type in _FRAME_TOPICS.items():
            node.create_subscription(
                message_type,
                topic,
                lambda message, topic=topic: self._on_frame_message(topic, message),
                qos_profile_sensor_data,
            )

    @property
    def is_ready(self) -> bool:
        """Whether a complete frame and the ground truth of the scene have been received."""
        return bool(self._newest) and self._view is not None

    def is_current(self, stamp: int) -> bool:
        """Return whether an image with a stamp, in nanoseconds, shows the current scene."""
        return stamp >= self._scene_start

    @property
    def frame(self) -> RgbdFrame:
        """The newest complete frame; available once `is_ready`."""
        return _frame_of(self._newest)

    @property
    def stamp(self) -> int:
        """The stamp of that frame, in nanoseconds; available once `is_ready`."""
        return nanoseconds_of(self._newest['image'].header)

    @property
    def view(self) -> View:
        """The ground truth about the objects of that frame; available once `is_ready`."""
        view = self._newest.get(_TRUTH, self._view)
        if view is None:
            raise RuntimeError('The ground truth of the scene was not received; wait for is_ready.')
        return view

    def at(self, stamp: int) -> tuple[RgbdFrame, View] | None:
        """Return the frame of a stamp, in nanoseconds, and the ground truth about its objects.

        Those of any frame where nothing moves; None where a frame is lost or no longer kept.
        """
        if not self.is_ready:
            return None
        if not self._is_moving:
            return self.frame, self.view
        messages = self._kept.get(stamp)
        return (_frame_of(messages), messages[_TRUTH]) if messages else None

    def _on_truth(self, message: String) -> None:
        truth = json.loads(message.data)
        view = view_from_truth(truth)
        self._is_moving = 'stamp' in truth
        if truth['seed'] != self.seed:
            self.seed, self._view = truth['seed'], view
            # The camera publishes the truth before the first frame of a scene, so every frame that
            # is stamped from now on shows the new scene.
            now = self._clock.now().nanoseconds
            self._scene_start = truth['stamp'] if self._is_moving else now
            self._incomplete, self._newest, self._kept = {}, {}, {}
        if self._is_moving:
            self._add(_TRUTH, truth['stamp'], view)

    def _on_frame_message(self, topic: str, message: Any) -> None:
        self._add(topic, nanoseconds_of(message.header), message)

    def _add(self, topic: str, stamp: int, message: Any) -> None:
        if not self.is_current(stamp):
            return
        frame = self._incomplete.setdefault(stamp, {})
        frame[topic] = message
        if len(frame) == len(_FRAME_TOPICS) + self._is_moving:
            self._newest = frame
            if self._is_moving:
                self._kept[stamp] = frame
                if len(self._kept) > _MAX_KEPT:
                    del self._kept[min(self._kept)]
            self._incomplete = {
                other: messages for other, messages in self._incomplete.items() if other > stamp
            }
        elif len(self._incomplete) > _MAX_INCOMPLETE:
            del self._incomplete[min(self._incomplete)]


def _frame_of(messages: dict[str, Any]) -> RgbdFrame:
    rgb, depth, ids = (
        from_image(messages[topic]) for topic in ('image', 'depth', 'sim_camera/truth/ids')
    )
    return RgbdFrame(rgb, depth, ids, pinhole_of(messages['camera_info']))
