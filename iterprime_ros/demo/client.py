"""Asks the node for things, prints what comes back, and draws it beside the truth."""

import sys
from pathlib import Path

from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node

from iterprime_ros.demo.command_client import Answer, Talk, judged
from iterprime_ros.demo.scene_subscriber import Table
from iterprime_ros.errors import IterprimeError
from iterprime_ros.render import DrawnAnswer, answers_figure, whole_file
from iterprime_ros.ros.node_runner import run


class DemoClient(Node):
    """Says one command after another; prints what came of each, draws all and ends."""

    def __init__(self) -> None:
        super().__init__('demo_client')
        descriptor = ParameterDescriptor(
            description='What to say.', type=ParameterType.PARAMETER_STRING_ARRAY, read_only=True
        )
        given = self.declare_parameter('commands', [''], descriptor).value
        self._commands = [command for command in given if command]
        if not self._commands:
            raise InvalidParameterValueException('commands', given, 'it names nothing to say')
        self._out = Path(self.declare_parameter('out', 'out/demo.png').value)
        self._drawn: list[DrawnAnswer] = []
        self._table = Table(self)
        self._talk = Talk(self, self._table, self._on_answer)
        self._talk.ask(self._commands[0])
        self.create_timer(0.05, self._talk.remind)

    def _on_answer(self, answer: Answer) -> None:
        line, drawn = judged(answer, self._table)
        print(f'"{answer.result.command}": {line}', flush=True)
        self._drawn.append(drawn)
        if len(self._drawn) < len(self._commands):
            self._talk.ask(self._commands[len(self._drawn)])
            return
        with whole_file(self._out) as part:
            answers_figure(self._table.frame.rgb, self._drawn).savefig(part, format='png')
        print(f'The picture is at {self._out}', flush=True)
        raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """Run until every command is answered."""
    try:
        return run(DemoClient, arguments)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
