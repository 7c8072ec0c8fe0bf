"""Runs one command on every frame and keeps a picture of the newest answer."""

import shutil
import sys
import time
from collections import deque
from pathlib import Path

from rclpy.node import Node

from iterprime_ros.demo.command_client import Answer, CommandClient
from iterprime_ros.demo.ground_truth import drawn_answer, summary
from iterprime_ros.demo.scene_subscriber import RgbdFrame, SceneSubscriber
from iterprime_ros.errors import IterprimeError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.render import answers_figure, atomic_write
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.node_runner import run
from iterprime_ros.sim.view import View

_CHECK_PERIOD = 0.05  # seconds between checks for an answer to draw
_DRAW_PAUSE = 1.0  # seconds between pictures, so that drawing takes at most half of the time
_RATE_WINDOW = 10.0  # seconds over which the rate of answers is averaged


class DemoWatch(Node):
    """Draws the newest answer about once a second until it is interrupted.

    The segment node has to run in mode `continuous`.
    """

    def __init__(self) -> None:
        super().__init__('demo_watch')
        command = self.declare_parameter('command', 'the red cube').value
        self._out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._answer_times: deque[float] = deque()
        self._newest: tuple[Answer, RgbdFrame, View] | None = None
        self._drawn_at = float('-inf')
        self._is_drawn = False
        self._scene = SceneSubscriber(self)
        self._client = CommandClient(self, self._scene, self._on_answer)
        self._client.send(command)
        self.create_timer(_CHECK_PERIOD, self._draw_if_due)

    def destroy_node(self) -> None:
        """Print where the picture is, and destroy the node."""
        if self._is_drawn:
            status_end = '\n' if sys.stdout.isatty() else ''
            print(f'{status_end}Picture saved to {self._out}', flush=True)
        super().destroy_node()

    def _on_answer(self, answer: Answer) -> None:
        self._answer_times.append(time.monotonic())
        # Where the scene moves, an answer is about the image that it has the stamp of.
        is_about_image = answer.result.status != ReferredObject.INVALID
        header = answer.result.header
        seen = self._scene.at(nanoseconds_of(header) if is_about_image else self._scene.stamp)
        if seen:
            self._newest = (answer, *seen)

    def _draw_if_due(self) -> None:
        if self._newest and time.monotonic() - self._drawn_at > _DRAW_PAUSE:
            self._draw(*self._newest)
            self._newest = None
            self._drawn_at = time.monotonic()

    def _draw(self, answer: Answer, frame: RgbdFrame, view: View) -> None:
        with atomic_write(self._out) as path:
            drawn = drawn_answer(answer, frame, view)
            answers_figure(frame.rgb, [drawn]).savefig(path, format='png')
        self._is_drawn = True
        _print_status(f'{self._rate()}; {summary(answer, frame, view)}')

    def _rate(self) -> str:
        while self._answer_times[-1] - self._answer_times[0] > _RATE_WINDOW:
            self._answer_times.popleft()
        seconds = self._answer_times[-1] - self._answer_times[0]
        if not seconds:
            return 'first answer'
        return f'{(len(self._answer_times) - 1) / seconds:.1f} answers a second'


def _print_status(line: str) -> None:
    """Print a line; on a terminal it replaces the one before, cut to the terminal's width."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f'\r{line[:width]:<{width}}', end='', flush=True)
    else:
        print(line, flush=True)


def main(arguments: list[str]) -> int:
    """Run until interrupted, and return the exit code."""
    try:
        return run(DemoWatch, arguments)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
