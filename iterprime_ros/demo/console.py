"""Asks the node what a person types, line by line, and draws every answer."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

import PIL.Image
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from iterprime_ros.demo.command_client import Answer, Talk, judged, named
from iterprime_ros.demo.scene_subscriber import Table
from iterprime_ros.errors import IterprimeError
from iterprime_ros.render import answers_figure, whole_file

_PATIENCE = 60.0  # seconds until something that is waited for is given up
_CALL_AGAIN = 5.0  # seconds until a service that has not answered is called again
_ENDS = ('', 'quit', 'exit')
_NEXT = 'next'


class NothingCameError(IterprimeError):
    """Something that a healthy graph would have sent has not come."""


class DemoConsole(Node):
    """Asks one thing at a time. It listens only while it waits for something."""

    def __init__(self) -> None:
        super().__init__('demo_console')
        self.is_drawn = False
        self.out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._table = Table(self)
        self._talk = Talk(self, self._table, self._on_answer)
        self._answer: Answer | None = None
        self._scenes = self.create_client(Trigger, 'sim_camera/next_scene')

    def wait_for_the_node(self) -> None:
        """Wait until commands are heard."""
        self._wait(lambda: self._talk.is_heard, 'The node does not listen')

    def describe(self) -> None:
        """Print what is on the table, and draw it."""
        self._wait(lambda: self._table.is_known, 'The camera shows nothing')
        seen = sorted(self._table.view.objects, key=lambda item: item.column)
        names = ', '.join(f'{named(item)}' for item in seen if item.is_referable)
        hidden = ', '.join(f'{named(item)}' for item in seen if not item.is_referable)
        also = f'; too small or hidden to ask for: {hidden}' if hidden else ''
        _say(f'Scene {self._table.seed}, from left to right: {names}{also}.')
        with whole_file(self.out) as part:
            PIL.Image.fromarray(self._table.frame.rgb).save(part, 'PNG')
        self.is_drawn = True

    def show_next(self) -> None:
        """Have the camera show another scene, and describe it."""
        before = self._table.seed
        called_at = float('-inf')

        def has_changed() -> bool:
            nonlocal called_at
            if self._scenes.service_is_ready() and time.monotonic() - called_at > _CALL_AGAIN:
                called_at = time.monotonic()
                self._scenes.call_async(Trigger.Request())
            return self._table.seed != before

        self._wait(has_changed, 'The camera shows no other scene')
        self.describe()

    def ask(self, command: str) -> None:
        """Print and draw what is answered to a command."""
        self._answer = None
        self._talk.ask(command)
        self._wait(self._has_answer, 'The node does not answer')
        if self._answer is None:
            return
        line, drawn = judged(self._answer, self._table)
        _say(f'"{command}": {line}')
        with whole_file(self.out) as part:
            answers_figure(self._table.frame.rgb, [drawn]).savefig(part, format='png')

    def _has_answer(self) -> bool:
        self._talk.remind()
        return self._answer is not None

    def _on_answer(self, answer: Answer) -> None:
        self._answer = answer

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise NothingCameError(f'{otherwise}: waited {_PATIENCE:g} seconds in vain.')
            rclpy.spin_once(self, timeout_sec=0.05)


def _typed() -> Iterator[str]:
    """Yield what is typed, or comes through a pipe, until an empty line or the end."""
    is_person = sys.stdin.isatty()
    if is_person:
        import readline  # noqa: F401  # gives input() a line to edit, and earlier ones
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors='replace')
    while True:
        try:
            line = input('> ' if is_person else '')
        except EOFError:
            _end_the_line()
            return
        command = ''.join(filter(str.isprintable, line)).strip()
        if command.lower() in _ENDS:
            return
        yield command


def _say(line: str) -> None:
    print(line, flush=True)  # at once, through a pipe too


def _end_the_line() -> None:
    """Leave the line of the prompt, where there is one."""
    if sys.stdin.isatty():
        _say('')


def _converse() -> None:
    console = DemoConsole()
    try:
        console.describe()
        console.wait_for_the_node()
        for command in _typed():
            if command.lower() == _NEXT:
                console.show_next()
            else:
                console.ask(command)
    except KeyboardInterrupt:
        _end_the_line()
    finally:
        console.destroy_node()
        if console.is_drawn:
            _say(f'The picture is at {console.out}')


def _interrupt_once(*_: object) -> None:
    """Raise KeyboardInterrupt, and no second one while the first ends everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Converse until the person has had enough; Ctrl-C is an orderly end like any other."""
    try:
        # Of rclpy's own handler input() would take no notice.
        signal.signal(signal.SIGINT, _interrupt_once)
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        _converse()
    except KeyboardInterrupt:
        pass  # before there was anything to say
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    return 0
