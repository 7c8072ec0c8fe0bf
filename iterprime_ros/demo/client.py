"""Sends a list of commands, prints each answer and draws all of them in one picture."""

import sys
from pathlib import Path

from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node

from iterprime_ros.demo.command_client import Answer, CommandClient
from iterprime_ros.demo.ground_truth import drawn_answer, summary
from iterprime_ros.demo.scene_subscriber import SceneSubscriber
from iterprime_ros.errors import IterprimeError
from iterprime_ros.render import DrawnAnswer, answers_figure, atomic_write
from iterprime_ros.ros.node_runner import run


class DemoClient(Node):
    """Sends one command after another, and exits once all are answered and drawn."""

    def __init__(self) -> None:
        super().__init__('demo_client')
        descriptor = ParameterDescriptor(
            description='Commands to send, in this order.',
            type=ParameterType.PARAMETER_STRING_ARRAY,
            read_only=True,
        )
        commands = self.declare_parameter('commands', [''], descriptor).value
        self._commands = [command for command in commands if command]
        if not self._commands:
            raise InvalidParameterValueException('commands', commands, 'give at least one command')
        self._out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._drawn: list[DrawnAnswer] = []
        self._scene = SceneSubscriber(self)
        self._client = CommandClient(self, self._scene, self._on_answer)
        self._client.send(self._commands[0])

    def _on_answer(self, answer: Answer) -> None:
        frame, view = self._scene.frame, self._scene.view
        print(f'"{answer.result.command}": {summary(answer, frame, view)}', flush=True)
        self._drawn.append(drawn_answer(answer, frame, view))
        if len(self._drawn) < len(self._commands):
            self._client.send(self._commands[len(self._drawn)])
            return
        with atomic_write(self._out) as path:
            answers_figure(frame.rgb, self._drawn).savefig(path, format='png')
        print(f'Picture saved to {self._out}', flush=True)
        raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """Run until every command is answered, and return the exit code."""
    try:
        return run(DemoClient, arguments)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
