"""The arguments of `iterprime parse` and its help."""

import argparse
from collections.abc import Callable

_EXAMPLES = """\
example:
  iterprime parse "pick up the small mug left of the second plate from the right"
      command  pick up the small mug left of the second plate from the right
      verb     pick
      primary  mug
      focus    small, mug, left, second, plate, right

        the small mug left of the second plate from the right
            small mug                                            "small mug"
                      left of                                      left of
                                         plate                       "plate"
                                  second plate from the right          rightmost, number 2

exit code:
  0 all commands were parsed, 2 one of them cannot be used: it has no words, or
  an exception or alternatives that are not understood
"""


def add_parse(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    parse = commands.add_parser(
        'parse',
        help='show how a command is understood',
        description='Prints the action verb, the primary word and the focus words of each\n'
        'COMMAND, and its noun phrases with their constraints, each below the words that it\n'
        'was read from.',
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parse.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    parse.add_argument('--json', action='store_true', help='print a line of JSON for each command')
    parse.set_defaults(run=run)
