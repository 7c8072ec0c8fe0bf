"""The state of the node, once a second on /diagnostics."""

import resource
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

_PERIOD = 1.0  # seconds
_WINDOW = 100  # answers from which latencies are computed
_RECENT = 10.0  # seconds for which an error counts


class Diagnostics:
    """Counts images, answers and failures, and publishes them. All methods are thread-safe.

    dropped: returns how many images were dropped.
    """

    def __init__(self, node: Node, dropped: Callable[[], int]) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._frames: deque[float] = deque()
        self._latencies: deque[float] = deque(maxlen=_WINDOW)
        self._steps: deque[float] = deque(maxlen=_WINDOW)
        self._tracks = ''
        self._stamps: dict[str, int] = {}
        self._answers = self._failures = self._backwards = 0
        self._last_error, self._last_error_at = '', float('-inf')
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # ROS time may stand still, where use_sim_time is set and nobody publishes /clock.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD, self._publish, clock=steady)
        self._dropped = dropped

    def count_frame(self, camera: str, stamp: int) -> None:
        """Count an image of a camera; stamp: in nanoseconds."""
        with self._lock:
            now = time.monotonic()
            self._frames.append(now)
            while self._frames[0] < now - _RECENT:
                self._frames.popleft()
            if stamp < self._stamps.get(camera, stamp):
                self._backwards += 1
                if self._backwards == 1:
                    self._node.get_logger().warning(
                        'Image stamps go backwards: a bag is played again, or a topic has two '
                        'publishers.'
                    )
            self._stamps[camera] = stamp

    def count_answer(self, seconds: float) -> None:
        """Count an answer; seconds: from its image's arrival."""
        with self._lock:
            self._answers += 1
            self._latencies.append(seconds)

    def count_step(self, seconds: float) -> None:
        """Count an image of a track; seconds: that the models took."""
        with self._lock:
            self._steps.append(seconds)

    def set_tracks(self, states: str) -> None:
        """Set the line that says which tracks there are, and their states."""
        with self._lock:
            self._tracks = states

    def count_failure(self, text: str) -> None:
        """Count a command that could not be answered; text: why."""
        with self._lock:
            self._failures += 1
            self._last_error, self._last_error_at = text, time.monotonic()

    def _publish(self) -> None:
        with self._lock:
            now = time.monotonic()
            recent = [moment for moment in self._frames if now - moment < _RECENT]
            failed = now - self._last_error_at < _RECENT
            values: dict[str, Any] = {
                'frames a second': f'{len(recent) / _RECENT:.1f}',
                'answers': self._answers,
                'failures': self._failures,
                'dropped frames': self._dropped(),
                'median latency, ms': f'{1e3 * _median(self._latencies):.1f}',
                'tracks': self._tracks,
                'median track step, ms': f'{1e3 * _median(self._steps):.1f}',
                'stamps that went backwards': self._backwards,
                'most memory, MiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                'last error': self._last_error,
            }
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if failed else DiagnosticStatus.OK,
            name=f'{self._node.get_name()}: answers',
            message=self._last_error if failed else 'ok',
            hardware_id=self._node.get_fully_qualified_name(),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _median(values: deque[float]) -> float:
    return statistics.median(values) if values else float('nan')
