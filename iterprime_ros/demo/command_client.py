"""Asking the node, and judging what it answers by what is true."""

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

from iterprime_ros.demo.scene_subscriber import Frame, Table
from iterprime_ros.geometry.surface import surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.render import DrawnAnswer
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.sim.parsing import command_meaning
from iterprime_ros.sim.view import SeenObject, View

_STATUS = {
    ReferredObject.FOUND: 'found',
    ReferredObject.NOT_FOUND: 'not found',
    ReferredObject.AMBIGUOUS: 'ambiguous',
    ReferredObject.INVALID: 'invalid',
    ReferredObject.ERROR: 'error',
}
_AGAIN = 5.0  # seconds until a command that nobody heard is said again
_BACKLOG = QoSProfile(depth=50)  # so that drawing, which takes a second, misses no answer


@dataclass(frozen=True)
class Answer:
    """What the node said, and its heatmap (H, W) where it made one."""

    result: ReferredObject
    heatmap: NDArray[np.float32] | None


class Talk:
    """Says a command until it is answered; hands on every answer to it about the scene shown now.

    An answer that could not be computed is told on stderr, and the command said again.
    """

    def __init__(self, node: Node, table: Table, hand_on: Callable[[Answer], None]) -> None:
        self._node, self._table, self._hand_on = node, table, hand_on
        self._command: str | None = None
        self._said_at = float('-inf')
        self._results: dict[int, ReferredObject] = {}
        self._heatmaps: dict[int, Image] = {}
        self._commands = node.create_publisher(String, 'command', 10)
        node.create_subscription(ReferredObject, 'segment/result', self._on_result, _BACKLOG)
        node.create_subscription(Image, 'segment/heatmap', self._on_heatmap, _BACKLOG)

    @property
    def is_heard(self) -> bool:
        """Whether the node listens to commands and can be heard."""
        return bool(
            self._commands.get_subscription_count()
            and self._node.count_publishers('segment/result')
        )

    def ask(self, command: str) -> None:
        """Make this the command that is said from now on."""
        self._command = command
        self._said_at = float('-inf')

    def remind(self) -> None:
        """Say the command where it is due, and there is someone to hear it; call this often."""
        if self._command is None or not (self._table.is_known and self.is_heard):
            return
        if time.monotonic() - self._said_at > _AGAIN:
            self._said_at = time.monotonic()
            self._commands.publish(String(data=self._command))

    def _on_result(self, result: ReferredObject) -> None:
        if result.command != self._command:
            return
        if result.status == ReferredObject.ERROR:
            print(f'"{result.command}": {result.text}', file=sys.stderr)
        elif result.status == ReferredObject.INVALID:
            self._answer(Answer(result, None))
        else:
            stamp = nanoseconds_of(result.header)
            self._results[stamp] = result
            self._put_together(stamp)

    def _on_heatmap(self, heatmap: Image) -> None:
        stamp = nanoseconds_of(heatmap.header)
        self._heatmaps[stamp] = heatmap
        self._put_together(stamp)

    def _put_together(self, stamp: int) -> None:
        if stamp not in self._results or stamp not in self._heatmaps:
            return
        answer = Answer(self._results[stamp], from_image(self._heatmaps[stamp]))
        self._results = {other: kept for other, kept in self._results.items() if other > stamp}
        self._heatmaps = {other: kept for other, kept in self._heatmaps.items() if other > stamp}
        if self._table.shows(stamp):
            self._answer(answer)
        else:
            self._said_at = float('-inf')

    def _answer(self, answer: Answer) -> None:
        if self._table.is_known:
            self._said_at = float('inf')
            self._hand_on(answer)


def judged(answer: Answer, table: Table) -> tuple[str, DrawnAnswer]:
    """Return what came of a command, as a line without the command and as what is drawn."""
    result, frame = answer.result, table.frame
    mask = (
        from_image(result.mask) > 0 if result.mask.width else np.zeros(frame.ids.shape, dtype=bool)
    )
    target = _target(result.command, table.view)
    parts = [_STATUS[result.status]]
    if np.isfinite(result.match_probability):
        parts.append(f'match {result.match_probability:.2f}')
    if result.status == ReferredObject.INVALID:
        parts.append(f'{result.text[:1].lower()}{result.text[1:]}'.removesuffix('.'))
    elif target is None:
        parts.append('nothing of that kind is there')
    elif target and result.status == ReferredObject.NOT_FOUND:
        parts.append(f'but the {_names(table.view)[target]} is there')
    if result.status != ReferredObject.NOT_FOUND:
        parts += _compared(result, mask, target, frame, table.view)
    spent = result.processing_time
    parts.append(f'{1e3 * spent.sec + spent.nanosec / 1e6:.0f} ms')
    truth = frame.ids == target if target else None
    return ', '.join(parts), DrawnAnswer(result.command, result.text, mask, answer.heatmap, truth)


def named(item: SeenObject) -> str:
    """Return what an object is called."""
    return f'{item.size} {item.colour} {item.kind}'


def _names(view: View) -> dict[int, str]:
    """Return what each object is called, by its id."""
    return {item.id: named(item) for item in view.objects}


def _target(command: str, view: View) -> int | None:
    """Return the id of what a command means; None for surely nothing, 0 where that is not sure."""
    meaning = command_meaning(command, view)
    if meaning is None or meaning.sure != meaning.possible or len(meaning.sure) > 1:
        return 0
    return next(iter(meaning.sure), None)


def _compared(
    result: ReferredObject,
    mask: NDArray[np.bool_],
    target: int | None,
    frame: Frame,
    view: View,
) -> list[str]:
    """Return how a mask agrees with what is meant, or else with what it lies on."""
    names = _names(view)
    shares = np.bincount(frame.ids[mask], minlength=len(names) + 1)
    shares[0] = 0
    marked = int(shares.argmax()) if shares.any() else 0
    parts = []
    if target == 0 and marked:
        parts.append(f'marked is the {names[marked]}')
    reference = marked if target == 0 else target
    if reference:
        truth = frame.ids == reference
        overlap = (mask & truth).sum() / max(1, (mask | truth).sum())
        parts.append(f'IoU {overlap:.2f} with {"it" if target == 0 else f"the {names[reference]}"}')
        if result.point_count and marked == reference:
            seen = surface(frame.depth, truth, frame.rgb, frame.camera).centroid
            found = result.centroid
            off = np.linalg.norm(seen - (found.x, found.y, found.z))
            parts.append(f'centroid off by {1e3 * off:.0f} mm')
    if marked not in (0, reference):
        parts.append(f'marked is {_told_apart(marked, reference, names)}')
    return parts


def _told_apart(marked: int, meant: int | None, names: dict[int, str]) -> str:
    """Return what to call the marked object so that it is not taken for the meant one."""
    name = names[marked]
    if meant is None or names[meant] != name:
        return f'the {name}'
    return f'the other {name}' if list(names.values()).count(name) == 2 else f'another {name}'
