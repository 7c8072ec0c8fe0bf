"""Asks the node for things, looks at what comes back, and draws it beside the truth."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from iterprime_ros.msg import ReferredObject
from iterprime_ros.render import DrawnAnswer, answers_figure
from iterprime_ros.ros.depth import surface
from iterprime_ros.ros.images import from_image, pinhole_of
from iterprime_ros.ros.quality import LAST_KEPT
from iterprime_ros.ros.running import run

_FRAME = {
    'image': Image,
    'depth': Image,
    'camera_info': CameraInfo,
    'sim_camera/truth/ids': Image,
}
_STATUS = {
    ReferredObject.FOUND: 'found',
    ReferredObject.NOT_FOUND: 'not found',
    ReferredObject.AMBIGUOUS: 'ambiguous',
    ReferredObject.INVALID: 'invalid',
    ReferredObject.ERROR: 'error',
}
_AGAIN = 5.0  # seconds until a command that nobody heard is said again


@dataclass(frozen=True)
class _Asked:
    command: str
    target: int  # id of the object that is meant, 0 for none


class DemoAsker(Node):
    """Says one command after another; prints what came of each, draws all and ends."""

    def __init__(self) -> None:
        super().__init__('demo_asker')
        commands = self._strings('commands', 'What to say.')
        targets = self._strings('targets', 'Ids of what is meant, 0 for what is not there.')
        self._asked = [_Asked(*pair) for pair in zip(commands, map(int, targets), strict=True)]
        self._out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._frame: dict[str, Any] = {}
        self._heatmaps: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._results: list[ReferredObject] = []
        self._said_at = float('-inf')
        self._commands = self.create_publisher(String, 'command', 10)
        self.create_subscription(ReferredObject, 'segment/result', self._on_result, LAST_KEPT)
        self.create_subscription(Image, 'segment/heatmap', self._on_heatmap, 10)
        for topic, kind in _FRAME.items():
            self.create_subscription(
                kind,
                topic,
                lambda message, topic=topic: self._frame.__setitem__(topic, message),
                qos_profile_sensor_data,
            )
        self.create_timer(0.05, self._go_on)

    def _strings(self, name: str, description: str) -> list[str]:
        descriptor = ParameterDescriptor(
            description=description, type=ParameterType.PARAMETER_STRING_ARRAY, read_only=True
        )
        return list(self.declare_parameter(name, [''], descriptor).value)

    def _go_on(self) -> None:
        """Say the next command once there is someone to hear it and a frame to judge it by."""
        if len(self._frame) < len(_FRAME) or not self._commands.get_subscription_count():
            return
        if len(self._results) == len(self._asked):
            self._finish()
        elif time.monotonic() - self._said_at > _AGAIN:
            self._said_at = time.monotonic()
            self._commands.publish(String(data=self._asked[len(self._results)].command))

    def _on_heatmap(self, message: Image) -> None:
        stamp = message.header.stamp
        self._heatmaps[stamp.sec, stamp.nanosec] = from_image(message)

    def _on_result(self, result: ReferredObject) -> None:
        number = len(self._results)
        if number == len(self._asked) or result.command != self._asked[number].command:
            return
        if result.status == ReferredObject.ERROR:
            print(f'{result.command}: {result.text}', file=sys.stderr)
            return  # and say it again
        self._results.append(result)
        self._said_at = float('-inf')
        print(self._line(self._asked[number], result))

    def _line(self, asked: _Asked, result: ReferredObject) -> str:
        parts = [
            f'"{asked.command}": {_STATUS[result.status]}, match {result.match_probability:.2f}'
        ]
        if asked.target:
            truth = from_image(self._frame['sim_camera/truth/ids']) == asked.target
            mask = _mask_in(result, truth.shape)
            parts.append(f'IoU {(mask & truth).sum() / max(1, (mask | truth).sum()):.2f}')
            if result.point_count:
                parts.append(f'centroid off by {1e3 * self._error(result, truth):.0f} mm')
        else:
            parts.append('nothing of that kind is there')
        spent = result.processing_time
        parts.append(f'{1e3 * spent.sec + spent.nanosec / 1e6:.0f} ms')
        return ', '.join(parts)

    def _error(self, result: ReferredObject, truth: NDArray[np.bool_]) -> float:
        """Return metres between the answered centroid and that of the true mask."""
        camera = pinhole_of(self._frame['camera_info'])
        depth, rgb = (from_image(self._frame[name]) for name in ('depth', 'image'))
        seen = surface(depth, truth, rgb, camera).centroid
        found = result.centroid
        return float(np.linalg.norm(seen - (found.x, found.y, found.z)))

    def _finish(self) -> None:
        rgb = from_image(self._frame['image'])
        ids = from_image(self._frame['sim_camera/truth/ids'])
        drawn = []
        for asked, result in zip(self._asked, self._results, strict=True):
            stamp = result.header.stamp
            drawn.append(
                DrawnAnswer(
                    asked.command,
                    f'{result.text}',
                    _mask_in(result, ids.shape),
                    self._heatmaps.get((stamp.sec, stamp.nanosec)),
                    ids == asked.target if asked.target else None,
                )
            )
        try:
            self._out.parent.mkdir(parents=True, exist_ok=True)
            answers_figure(rgb, drawn).savefig(self._out, format='png')
        except OSError as error:
            print(f'Cannot write {self._out}: {error.strerror}.', file=sys.stderr)
            raise SystemExit(1) from error
        raise SystemExit(0)


def _mask_in(result: ReferredObject, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of an answer, empty where there is none."""
    if result.mask.width == 0:
        return np.zeros(size, bool)
    return from_image(result.mask) > 0


def main(arguments: list[str]) -> int:
    """Run until every command is answered."""
    return run(DemoAsker, arguments)
