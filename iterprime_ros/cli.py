"""The command `iterprime`."""

import argparse
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from iterprime_ros import __version__
from iterprime_ros.errors import InvalidCommandError, IterprimeError

FOUND, NOT_FOUND, WRONG_USE = 0, 1, 2  # exit codes
FAILED, INTERRUPTED = 1, 130

_DEMO_EXAMPLES = """\
examples:
  iterprime demo --seed 7 --out table.png
      three commands, asked and drawn
  iterprime demo --interactive
      Scene 2, from left to right: small purple cube, large blue cube, ...
      > pick up the red cube
      "pick up the red cube": found, match 0.94, IoU 0.94 with the large red cube, ...
      > next
  echo "the red cube" | iterprime demo --interactive
  iterprime demo --watch "the red cube" --out live.png
      open live.png in a viewer that reloads it
"""

_SEGMENT_EXAMPLES = """\
examples:
  iterprime segment table.png "the blue cube" --out found.png --explain why.png
  iterprime segment photo.jpg "the dog behind the fence" --profile blip-sam --mask dog.png
  iterprime segment photos/ "the red mug" "the plate" --profile blip-sam --out overlays/ --json

exit code:
  0 all found, 1 something not found or ambiguous, 2 wrong use or missing weights
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='iterprime',
        description='Language-guided perception for robots.',
        epilog='iterprime COMMAND --help tells more of each command.',
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    _add_segment(commands)
    _add_models(commands)
    _add_evaluate(commands)
    _add_demo(commands)
    return parser


def _add_segment(commands: argparse._SubParsersAction) -> None:
    segment = commands.add_parser(
        'segment',
        help='find in an image what a command refers to',
        description='Finds the object that each COMMAND refers to in IMAGE, a file or a folder of\n'
        'images, and prints a sentence for each.',
        epilog=_SEGMENT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument('image', type=Path, metavar='IMAGE', help='image file or folder of images')
    segment.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    segment.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings: a name that "iterprime models list" shows, or a YAML file '
        '(tabletop)',
    )
    segment.add_argument('--device', default='auto', help='auto (default), cpu, cuda, cuda:1 ...')
    segment.add_argument(
        '--offline', action='store_true', help='never ask the hub: only folders and its cache'
    )
    what = 'PNG to write; a folder where there are several images or commands'
    segment.add_argument('--out', type=Path, help=f'image with the object marked, {what}')
    segment.add_argument('--mask', type=Path, help=f'mask, 0 and 255, {what}')
    segment.add_argument('--explain', type=Path, help=f'figure of how the answer came, {what}')
    segment.add_argument('--json', action='store_true', help='print a line of JSON for each answer')
    segment.set_defaults(run=_segment)


def _add_models(commands: argparse._SubParsersAction) -> None:
    models = commands.add_parser(
        'models',
        help='list the profiles, or fetch the weights of one',
        description='A profile names models and settings.',
    )
    actions = models.add_subparsers(metavar='ACTION', required=True)
    listing = actions.add_parser('list', help='show every profile and its weights')
    listing.set_defaults(run=_list_models)
    fetching = actions.add_parser('fetch', help='download the weights of a profile from the hub')
    fetching.add_argument('profile', metavar='PROFILE', help='a name, or a YAML file')
    fetching.set_defaults(run=_fetch_models)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser(
        'evaluate',
        help='measure how good the answers are, with pictures of the worst',
        description='Asks questions with known answers. The tabletop is 600 simulated scenes that '
        'no training has seen, with up to four commands each: an attribute, a place, a relation '
        'and something that is not there. Writes report.md, results.json, worst.png and sample.png '
        'into a folder; with --ablation, ablation.md: what each part of the algorithm is worth.',
        epilog='example: iterprime evaluate --dataset tabletop --scenes 100 --out out/evaluation',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    evaluate.add_argument('--dataset', choices=['tabletop'], default='tabletop', help='questions')
    evaluate.add_argument('--profile', default='tabletop', help='models and settings')
    evaluate.add_argument(
        '--scenes', type=_whole_number(1, 1000), default=600, help='how many, 1 to 1000'
    )
    evaluate.add_argument(
        '--split',
        choices=['held-out', 'calibration'],
        default='held-out',
        help='calibration scenes are those that settings may be chosen on',
    )
    evaluate.add_argument('--ablation', action='store_true', help='compare parts of the algorithm')
    evaluate.add_argument('--out', type=Path, default=Path('out/evaluation'), help='folder')
    evaluate.add_argument('--device', default='auto', help='auto, cpu, cuda, cuda:1 ...')
    evaluate.add_argument('--offline', action='store_true', help='never ask the hub')
    evaluate.set_defaults(run=_evaluate)


def _add_demo(commands: argparse._SubParsersAction) -> None:
    demo = commands.add_parser(
        'demo',
        help='see commands answered over ROS 2, as one picture',
        description='Starts the simulated camera, the node and someone who asks it three things\n'
        'over ROS 2: an attribute, a relation and something that is not there. Prints\n'
        'what came of each and draws it: what was found above, where the node looked\n'
        'below. Or lets you ask, or keeps watching.',
        epilog=_DEMO_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    how = demo.add_mutually_exclusive_group()
    how.add_argument(
        '--interactive',
        action='store_true',
        help='type commands, also through a pipe, and see each answered; an empty line ends',
    )
    how.add_argument(
        '--watch',
        nargs='?',
        const='',
        metavar='COMMAND',
        help='keep the picture up to date with what COMMAND finds until Ctrl-C; without COMMAND, '
        'with something on the table',
    )
    demo.add_argument(
        '--seed', type=_whole_number(0, 2**31 - 1), default=2, help='which scene, 0 or more (2)'
    )
    demo.add_argument(
        '--out', type=Path, default=Path('out/demo.png'), help='PNG to write (out/demo.png)'
    )
    demo.set_defaults(run=_demo)


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of numbers between two bounds, both included."""

    def parse(text: str) -> int:
        # Neither a sign nor an underscore, nor thousands of digits, which int would refuse itself.
        if not re.fullmatch('[0-9]{1,20}', text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'{text} is no number from {least} to {most}')
        return int(text)

    return parse


def _evaluate(options: argparse.Namespace) -> int:
    _quieten_the_hub()
    from iterprime_ros.evaluation.evaluate import Evaluation, ablate, evaluate

    asked = Evaluation(
        options.profile,
        options.split,
        options.scenes,
        options.out,
        options.device,
        options.offline,
    )
    if options.ablation:
        ablate(asked)
    else:
        evaluate(asked)
    print(f'Reports and pictures are in {options.out}', file=sys.stderr)
    return 0


def _quieten_the_hub() -> None:
    """Silence what the hub's libraries say of progress and loading: it is not an answer."""
    os.environ.setdefault('HF_HUB_DISABLE_PROGRESS_BARS', '1')
    os.environ.setdefault('TRANSFORMERS_VERBOSITY', 'error')
    os.environ.setdefault('HF_HUB_VERBOSITY', 'error')

    from transformers.utils import logging

    logging.disable_progress_bar()


def _segment(options: argparse.Namespace) -> int:
    if not all(command.strip() for command in options.command):
        raise InvalidCommandError('A COMMAND is empty: say which object is meant.')
    _quieten_the_hub()
    from tqdm import tqdm

    from iterprime_ros.image_files import Outputs, expand_paths, report, segment_files
    from iterprime_ros.pipeline import IteRPrimE, Status

    files = expand_paths([options.image])
    total = len(files) * len(options.command)
    outputs = Outputs(options.out, options.mask, options.explain)
    if total == 1:
        outputs.check_names()
    model = IteRPrimE.from_profile(options.profile, options.device, options.offline)
    if model.profile.notice:
        print(model.profile.notice, file=sys.stderr)
    answers = tqdm(
        segment_files(model, files, options.command, outputs),
        total=total,
        disable=None if total > 1 else True,
    )
    code = FOUND
    for file, command, answer, written in answers:
        line = report(file, command, answer) if options.json else f'{file}: {answer.text}'
        tqdm.write(line)
        for note in () if options.json else answer.notes:
            tqdm.write(f'  {note}')
        if written and not options.json:
            tqdm.write(f'Written: {", ".join(map(str, written))}', file=sys.stderr)
        if answer.status is not Status.FOUND:
            code = max(code, WRONG_USE if answer.status is Status.INVALID else NOT_FOUND)
    return code


def _list_models(_: argparse.Namespace) -> int:
    from iterprime_ros.profiles import DEFAULT, PROFILES

    for name, each in PROFILES.items():
        mark = ' (default)' if name == DEFAULT else ''
        print(f'{name}{mark}: {each.description}')
        print(f'  matcher {each.matcher.kind}: {each.matcher.weights}')
        print(f'  masks {each.masks.kind}: {each.masks.weights or "no weights"}')
    return 0


def _fetch_models(options: argparse.Namespace) -> int:
    from iterprime_ros.profiles import fetch

    for each in fetch(options.profile):
        print(f'Fetched {each}')
    return 0


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec('rclpy') is None:
        print(
            'iterprime demo needs ROS 2, and rclpy does not import. Source a ROS 2 installation '
            '(. /opt/ros/DISTRO/setup.bash) or this environment (. .venv/env.sh) first.',
            file=sys.stderr,
        )
        return WRONG_USE
    try:
        return _run_demo(options)
    except KeyboardInterrupt:
        if options.interactive or options.watch is not None:
            return 0  # the way to end them
        raise


def _run_demo(options: argparse.Namespace) -> int:
    from iterprime_ros.demo.launcher import DemoError, run_demo, run_interactive, run_watch
    from iterprime_ros.sim.gl import RenderingUnavailableError

    try:
        if options.interactive:
            run_interactive(options.out, options.seed)
        elif options.watch is not None:
            run_watch(options.out, options.seed, options.watch)
        else:
            run_demo(options.out, options.seed)
    except (DemoError, RenderingUnavailableError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


if __name__ == '__main__':
    sys.exit(main())
