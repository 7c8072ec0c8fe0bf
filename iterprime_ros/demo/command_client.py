"""A client of the segment node: publishes a command and receives its answers."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

from iterprime_ros.demo.scene_subscriber import SceneSubscriber
from iterprime_ros.errors import IterprimeError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image

_CHECK_PERIOD = 0.05  # seconds between checks whether the command is due
_RETRY_PERIOD = 5.0  # seconds until an unanswered command is published again
_ANSWER_TIMEOUT = 60.0  # seconds
_ANSWER_QOS = QoSProfile(depth=50)  # so that no answer is lost while a picture is drawn


class DemoTimeoutError(IterprimeError):
    """The simulated camera or the segment node did not respond in time."""


@dataclass(frozen=True)
class Answer:
    """An answer of the segment node.

    result: the message; its status is never ERROR.
    heatmap: (H, W) float32 in [0, 1]; None for an INVALID command.
    """

    result: ReferredObject
    heatmap: NDArray[np.float32] | None


class CommandClient:
    """Publishes a command until it is answered, and passes on its answers about the current scene.

    A result of status ERROR is printed to stderr, and the command is published again.
    timeout: seconds. If a command is unanswered so long after it was first published, which is
        when camera and segment node were ready, the node's spinning raises DemoTimeoutError.
    """

    def __init__(
        self,
        node: Node,
        scene: SceneSubscriber,
        on_answer: Callable[[Answer], None],
        timeout: float = _ANSWER_TIMEOUT,
    ) -> None:
        self._node, self._scene, self._on_answer = node, scene, on_answer
        self._timeout = timeout
        self._first_published_at: float | None = None
        self._command: str | None = None
        self._is_answered = False
        self._published_at = float('-inf')
        self._results: dict[int, ReferredObject] = {}
        self._heatmaps: dict[int, Image] = {}
        self._publisher = node.create_publisher(String, 'command', 10)
        node.create_subscription(ReferredObject, 'segment/result', self._on_result, _ANSWER_QOS)
        node.create_subscription(Image, 'segment/heatmap', self._on_heatmap, _ANSWER_QOS)
        node.create_timer(_CHECK_PERIOD, self._publish_if_due)

    @property
    def is_connected(self) -> bool:
        """Whether the segment node subscribes to commands and publishes results."""
        return bool(
            self._publisher.get_subscription_count()
            and self._node.count_publishers('segment/result')
        )

    def send(self, command: str) -> None:
        """Replace the command; it is published as soon as scene and segment node are ready."""
        self._command = command
        self._is_answered = False
        self._published_at = float('-inf')
        self._first_published_at = None

    def _publish_if_due(self) -> None:
        is_waiting = self._command is not None and not self._is_answered
        if not (is_waiting and self._scene.is_ready and self.is_connected):
            return
        now = time.monotonic()
        if self._first_published_at is None:
            self._first_published_at = now
        if now - self._first_published_at > self._timeout:
            raise DemoTimeoutError(
                f'"{self._command}" was not answered within {self._timeout:g} seconds: this '
                'machine may be too busy; check the messages above and try again.'
            )
        if now - self._published_at > _RETRY_PERIOD:
            self._published_at = now
            self._publisher.publish(String(data=self._command))

    def _on_result(self, result: ReferredObject) -> None:
        if result.command != self._command:
            return
        if result.status == ReferredObject.ERROR:
            print(f'"{result.command}": error, trying again: {result.text}', file=sys.stderr)
        elif result.status == ReferredObject.INVALID:
            self._pass_on(Answer(result, None))
        else:
            stamp = nanoseconds_of(result.header)
            self._results[stamp] = result
            self._pair(stamp)

    def _on_heatmap(self, heatmap: Image) -> None:
        stamp = nanoseconds_of(heatmap.header)
        self._heatmaps[stamp] = heatmap
        self._pair(stamp)

    def _pair(self, stamp: int) -> None:
        """Pass on the answer of a stamp once both its messages have been received."""
        if stamp not in self._results or stamp not in self._heatmaps:
            return
        answer = Answer(self._results[stamp], from_image(self._heatmaps[stamp]))
        self._results = {other: each for other, each in self._results.items() if other > stamp}
        self._heatmaps = {other: each for other, each in self._heatmaps.items() if other > stamp}
        if self._scene.is_current(stamp):
            self._pass_on(answer)
        else:
            self._published_at = float('-inf')

    def _pass_on(self, answer: Answer) -> None:
        if self._scene.is_ready:
            self._is_answered = True
            self._on_answer(answer)
