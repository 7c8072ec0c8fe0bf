"""The command line as a whole: its parser, and how a run ends in an exit code."""

import argparse
import io
import re
import signal
import sys
import traceback

from iterprime_ros import __version__
from iterprime_ros.cli.app_arguments import add_app
from iterprime_ros.cli.app_command import serve_app
from iterprime_ros.cli.bag_arguments import add_bag
from iterprime_ros.cli.bag_command import answer_bag_images
from iterprime_ros.cli.datasets_arguments import add_datasets
from iterprime_ros.cli.datasets_command import list_datasets
from iterprime_ros.cli.demo_arguments import add_demo
from iterprime_ros.cli.demo_command import start_demo
from iterprime_ros.cli.evaluate_arguments import add_evaluate, add_merge
from iterprime_ros.cli.evaluate_command import evaluate_profile, merge_shards
from iterprime_ros.cli.evaluate_video_arguments import add_evaluate_video
from iterprime_ros.cli.evaluate_video_command import evaluate_following
from iterprime_ros.cli.exit_codes import CRASHED, INTERRUPTED, WRONG_USE
from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.models_arguments import add_models
from iterprime_ros.cli.models_command import fetch_models, list_models
from iterprime_ros.cli.parse_arguments import add_parse
from iterprime_ros.cli.parse_command import parse_commands
from iterprime_ros.cli.segment_arguments import add_segment
from iterprime_ros.cli.segment_command import segment_images
from iterprime_ros.cli.standard_streams import complain, nowhere, standard_output
from iterprime_ros.errors import IterprimeError, UnwritableError
from iterprime_ros.openmp import limit_spinning

# Of PyTorch on a GPU, of PyTorch on a CPU and of the system, and of the loader of shared objects.
_MEMORY = 'out of memory|allocate memory|failed to map segment'


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    arguments: those of this process by default, which then ignores Ctrl-C while it ends.
    """
    limit_spinning()
    code = _exit_code(arguments)
    if arguments is None:
        # Python gives SIGINT back its default while it ends, and a second one would then kill.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _exit_code(arguments: list[str] | None) -> int:
    if sys.stderr is None:  # closed by the shell; print() would take standard output instead
        sys.stderr = nowhere()
    try:
        if sys.stdout is None:
            raise UnwritableError('Standard output is closed: send it to a file or to /dev/null.')
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors='backslashreplace')
        with standard_output(), exit_on_interrupt():
            options = _parser().parse_args(arguments)
        return options.run(options)
    except IterprimeError as error:
        complain(error)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, MemoryError) or re.search(_MEMORY, str(error)):
            complain('The memory is full: end other programs, or take a smaller profile or image.')
        else:
            complain(''.join(traceback.format_exception(error)).rstrip())
            complain('This is a fault of iterprime: report it with the lines above.')
        return CRASHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='iterprime',
        description='Language-guided perception for robots.',
        epilog='iterprime COMMAND --help explains each command and its exit codes. Any command '
        'exits with 70 if memory is full or iterprime has a fault, and with 130 after Ctrl-C.',
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    add_segment(commands, segment_images)
    add_bag(commands, answer_bag_images)
    add_parse(commands, parse_commands)
    add_models(commands, list_models, fetch_models)
    add_evaluate(commands, evaluate_profile)
    add_merge(commands, merge_shards)
    add_evaluate_video(commands, evaluate_following)
    add_datasets(commands, list_datasets)
    add_demo(commands, start_demo)
    add_app(commands, serve_app)
    return parser
