"""Reads commands line by line, prints each answer and draws it."""

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

from iterprime_ros.demo.command_client import Answer, CommandClient, DemoTimeoutError
from iterprime_ros.demo.ground_truth import drawn_answer, object_name, summary
from iterprime_ros.demo.scene_subscriber import SceneSubscriber
from iterprime_ros.errors import IterprimeError
from iterprime_ros.render import answers_figure, atomic_write

_TIMEOUT = 300.0  # seconds; a busy machine takes a minute to import the nodes
_RETRY_PERIOD = 5.0  # seconds until a service that has not responded is called again
_EXIT_COMMANDS = ('', 'quit', 'exit')
_NEXT_SCENE = 'next'


class DemoConsole(Node):
    """Sends one command at a time. It is spun only while it waits for something."""

    def __init__(self) -> None:
        super().__init__('demo_console')
        self.is_drawn = False
        self.out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._scene = SceneSubscriber(self)
        self._client = CommandClient(self, self._scene, self._on_answer)
        self._answer: Answer | None = None
        self._next_scene = self.create_client(Trigger, 'sim_camera/next_scene')

    def wait_for_segment_node(self) -> None:
        """Wait until the segment node is ready for commands."""
        self._wait(lambda: self._client.is_connected, 'The segment node was not ready')

    def describe_scene(self) -> None:
        """Print the names of the scene's objects, and draw the scene."""
        self._wait(lambda: self._scene.is_ready, 'The simulated camera published no frame')
        objects = sorted(self._scene.view.objects, key=lambda item: item.column)
        names = ', '.join(object_name(item) for item in objects if item.is_referable)
        hidden = ', '.join(object_name(item) for item in objects if not item.is_referable)
        also = f'; too small or too hidden to refer to: {hidden}' if hidden else ''
        _print_line(f'Scene {self._scene.seed}, from left to right: {names}{also}.')
        with atomic_write(self.out) as path:
            PIL.Image.fromarray(self._scene.frame.rgb).save(path, 'PNG')
        self.is_drawn = True

    def show_next_scene(self) -> None:
        """Make the camera show the next scene, and describe that."""
        seed_before = self._scene.seed
        called_at = float('-inf')

        def has_changed() -> bool:
            nonlocal called_at
            is_due = time.monotonic() - called_at > _RETRY_PERIOD
            if is_due and self._next_scene.service_is_ready():
                called_at = time.monotonic()
                self._next_scene.call_async(Trigger.Request())
            return self._scene.seed != seed_before

        self._wait(has_changed, 'The simulated camera did not change its scene')
        self.describe_scene()

    def send(self, command: str) -> None:
        """Send a command, wait for its answer, print and draw it."""
        self._answer = None
        self._client.send(command)
        self._wait(lambda: self._answer is not None, 'The segment node did not answer')
        if self._answer is None:
            return
        frame, view = self._scene.frame, self._scene.view
        _print_line(f'"{command}": {summary(self._answer, frame, view)}')
        with atomic_write(self.out) as path:
            drawn = drawn_answer(self._answer, frame, view)
            answers_figure(frame.rgb, [drawn]).savefig(path, format='png')

    def _on_answer(self, answer: Answer) -> None:
        self._answer = answer

    def _wait(self, condition: Callable[[], bool], failure: str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                raise DemoTimeoutError(
                    f'{failure} within {_TIMEOUT:g} seconds; check the messages above, or start '
                    'the demo again.'
                )
            rclpy.spin_once(self, timeout_sec=0.05)


def _input_lines() -> Iterator[str]:
    """Yield the lines of stdin, a terminal or a pipe, until an exit command or the end."""
    is_terminal = sys.stdin.isatty()
    if is_terminal:
        import readline  # noqa: F401  # gives input() line editing and a history
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors='replace')
    while True:
        try:
            line = input('> ' if is_terminal else '')
        except EOFError:
            _leave_prompt()
            return
        command = ''.join(filter(str.isprintable, line)).strip()
        if command.lower() in _EXIT_COMMANDS:
            return
        yield command


def _print_line(line: str) -> None:
    print(line, flush=True)  # at once, through a pipe too


def _leave_prompt() -> None:
    """End the line of the prompt, if there is one."""
    if sys.stdin.isatty():
        _print_line('')


def _run_console() -> None:
    console = DemoConsole()
    try:
        console.describe_scene()
        console.wait_for_segment_node()
        for command in _input_lines():
            if command.lower() == _NEXT_SCENE:
                console.show_next_scene()
            else:
                console.send(command)
    except KeyboardInterrupt:
        _leave_prompt()
    finally:
        console.destroy_node()
        if console.is_drawn:
            _print_line(f'Picture saved to {console.out}')


def _interrupt_once(*_: object) -> None:
    """Raise KeyboardInterrupt, and ignore further signals while the process shuts down."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run until stdin ends or Ctrl-C, both of which are orderly ends; return the exit code."""
    try:
        # rclpy's own handler would not interrupt input().
        signal.signal(signal.SIGINT, _interrupt_once)
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        _run_console()
    except KeyboardInterrupt:
        pass  # interrupted before the console existed
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    return 0
