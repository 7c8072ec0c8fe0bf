"""Keeps one picture of what a standing command finds, and says how often it is answered."""

import shutil
import sys
import time
from collections import deque
from pathlib import Path

from rclpy.node import Node

from iterprime_ros.demo.command_client import Answer, Talk, judged
from iterprime_ros.demo.scene_subscriber import Table
from iterprime_ros.errors import IterprimeError
from iterprime_ros.render import answers_figure, whole_file
from iterprime_ros.ros.node_runner import run

_PAUSE = 1.0  # seconds between two pictures, so that drawing takes no more than half the time
_WINDOW = 10.0  # seconds that the rate is counted over


class DemoWatch(Node):
    """Draws the newest answer about once a second, for as long as it runs."""

    def __init__(self) -> None:
        super().__init__('demo_watch')
        command = self.declare_parameter('command', 'the red cube').value
        self._out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._answers: deque[float] = deque()
        self._newest: Answer | None = None
        self._drawn_at = float('-inf')
        self._is_drawn = False
        self._table = Table(self)
        self._talk = Talk(self, self._table, self._on_answer)
        self._talk.ask(command)
        self.create_timer(0.05, self._go_on)

    def destroy_node(self) -> None:
        """Say where the picture is, and end."""
        if self._is_drawn:
            print(f'\nThe picture is at {self._out}', flush=True)
        super().destroy_node()

    def _on_answer(self, answer: Answer) -> None:
        self._newest = answer
        self._answers.append(time.monotonic())

    def _go_on(self) -> None:
        self._talk.remind()
        if self._newest and time.monotonic() - self._drawn_at > _PAUSE:
            self._show(self._newest)
            self._newest = None
            self._drawn_at = time.monotonic()

    def _show(self, answer: Answer) -> None:
        if not self._table.is_known:
            return
        line, drawn = judged(answer, self._table)
        with whole_file(self._out) as part:
            answers_figure(self._table.frame.rgb, [drawn]).savefig(part, format='png')
        self._is_drawn = True
        _tell(f'{self._rate()}; {line}')

    def _rate(self) -> str:
        while self._answers[-1] - self._answers[0] > _WINDOW:
            self._answers.popleft()
        seconds = self._answers[-1] - self._answers[0]
        if not seconds:
            return 'first answer'
        return f'{(len(self._answers) - 1) / seconds:.1f} answers a second'


def _tell(line: str) -> None:
    """Print a line; on a terminal in the place of the one before, without its end if too long."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f'\r{line[:width]:<{width}}', end='', flush=True)
    else:
        print(line, flush=True)


def main(arguments: list[str]) -> int:
    """Run until interrupted."""
    try:
        return run(DemoWatch, arguments)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
