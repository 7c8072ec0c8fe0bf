"""What `iterprime parse` does: print how each command is understood."""

import argparse

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import say


@exit_on_interrupt()
def parse_commands(options: argparse.Namespace) -> int:
    """Print how each command is understood, and return the exit code.

    Raises InvalidCommandError for one that cannot be used.
    """
    from iterprime_ros.language.command_parser import CommandParser, cut_note
    from iterprime_ros.parse_report import draw, report

    parser = CommandParser.load()
    for number, command in enumerate(options.command):
        parsed = parser.parse(command)
        note = cut_note(parsed, command)
        notes = [note] if note else []
        lines = report(parsed, notes) if options.json else draw(parsed, notes)
        say(lines if options.json else '\n' * bool(number) + lines)
    return 0
