"""The arguments of `iterprime app` and its help."""

import argparse
from collections.abc import Callable

from iterprime_ros.cli.argument_types import whole_number

_DESCRIPTION = """\
Serves a page on which you upload a picture, take one with the camera, or show a scene of the
simulated table, say which object you mean, and see the answer: what is meant in the picture and
its mask, the heatmap of every round and word, the candidates with their chances, and how the
command was understood. Needs pip install 'iterprime_ros[app]'.

Requests are answered one after the other; each profile is loaded once, when it is first asked.
Pictures stay on this machine, in a folder that is removed at the end.
"""

_EXAMPLES = """\
examples:
  iterprime app
      open the address that it prints; Ctrl-C ends it
  iterprime app --profile blip-sam mine.yaml --device cuda --port 8080
      offers two profiles, and blip-sam is chosen when the page opens

in Python, with gradio_client:
  Client('http://127.0.0.1:7860').predict(
      handle_file('table.png'), 'the red mug', 'tabletop', api_name='/segment')
  returns files of the picture and the mask, then status, text, notes, rounds, candidates, their
  table and the parse

exit code:
  0 ended by Ctrl-C, 2 wrong usage, missing weights, or a port that is taken, 70 memory full or
  a fault of iterprime, 130 Ctrl-C before the page was served
"""


def add_app(commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    app = commands.add_parser(
        'app',
        help='serve a page to try it in a browser',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    app.add_argument(
        '--profile',
        nargs='+',
        default=[],
        metavar='PROFILE',
        help='what the page offers, first the one that is chosen: names that "iterprime models '
        'list" shows, or YAML files (all that are fetched)',
    )
    app.add_argument(
        '--host',
        default='127.0.0.1',
        help='address that the page is served on (127.0.0.1: only this machine; 0.0.0.0: everyone '
        'in the network)',
    )
    app.add_argument(
        '--port',
        type=whole_number(0, 65535),
        default=7860,
        help='port that the page is served on, 0 for any that is free (7860)',
    )
    app.add_argument('--device', default='auto', help='auto (default), cpu, cuda, cuda:1 ...')
    app.set_defaults(run=run)
