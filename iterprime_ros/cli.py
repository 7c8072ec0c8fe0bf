"""The command `iterprime`."""

import argparse
import importlib.util
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from iterprime_ros import __version__
from iterprime_ros.errors import (
    InvalidCommandError,
    InvalidSettingError,
    IterprimeError,
    UnwritableError,
)
from iterprime_ros.openmp import limit_spinning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iterprime_ros.answer import Segmentation
    from iterprime_ros.image_files import OutputPaths
    from iterprime_ros.pipeline import IteRPrimE

FOUND, NOT_FOUND, WRONG_USE = 0, 1, 2  # exit codes
FAILED, CRASHED, INTERRUPTED = 1, 70, 130  # 70 is EX_SOFTWARE of sysexits.h

# Of PyTorch on a GPU, of PyTorch on a CPU and of the system, and of the loader of shared objects.
_MEMORY = 'out of memory|allocate memory|failed to map segment'

_DEMO_EXAMPLES = """\
examples:
  iterprime demo --seed 7 --out scene.png
      sends three commands about scene 7 and draws the answers
  iterprime demo --interactive
      Scene 2, from left to right: small purple cube, large blue cube, ...
      > pick up the red cube
      "pick up the red cube": found, match 0.94, IoU 0.94 with the large red cube, ...
      > next
  echo "the red cube" | iterprime demo --interactive
      reads the commands from a pipe
  iterprime demo --watch "the red cube" --out live.png
      updates live.png about once a second; open it in a viewer that reloads the file

printed about each answer:
  match           probability that the image matches the expression, in [0, 1]
  IoU             overlap of the mask with the true mask of the object that the command
                  refers to or, if the command leaves that open, of the one it covers
  centroid error  distance from the true centroid of the object's visible surface,
                  where the node had a depth image
  ms              time from the image's arrival in the node to the answer

exit code:
  0 done (--interactive, --watch: also after Ctrl-C), 1 failed, 2 wrong use or no ROS 2
"""

_PARSE_EXAMPLES = """\
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
  0 all commands were parsed, 2 one of them has no words
"""

_SEGMENT_EXAMPLES = """\
examples:
  iterprime segment table.png "the blue cube" --out found.png --explain why.png
  iterprime segment photo.jpg "the dog behind the fence" --profile blip-sam --mask dog.png
  iterprime segment photos/ "the red mug" "the plate" --profile blip-sam --out overlays/ --json
  iterprime segment table.png "the mug behind the plate" --depth depth.png \\
      --intrinsics 615.2,615.4,319.5,239.5

outputs in a folder:
  a-0-overlay.png, a-0-mask.png, a-0-explanation.png for a.png and the first COMMAND, a-1-...
  for the second; a.png-0-overlay.png ... where an image of another suffix is called a, too

exit code:
  0 all found, one object or several, 1 something not found or ambiguous, 2 wrong usage,
  missing weights, an image that cannot be read or an output that cannot be written,
  70 memory full or a fault of iterprime, 130 Ctrl-C
"""

_EVALUATE_DESCRIPTION = """\
Answers commands about images whose ground truth is known, and writes into a folder:
  report.md      IoU, precision and rejections by group of questions, with intervals
  results.json   the same, and the outcome of every question
  worst.png      the worst answers
  sample.png     answers at even steps from the first to the last

The data set tabletop consists of rendered scenes with depth, each with at most one command of every
group: an object is named by its attributes, its place, a relation, nested relations and more; some
commands mean several objects, some leave open which one, and some mean nothing in the scene.
tabletop-clutter, tabletop-stacked and tabletop-unseen are harder worlds. The splits are test and
held-out, on which neither training nor tuning was done, and calibration, on which settings are
chosen. Each has 1000 scenes.

AMBIGUOUS and several objects are counted on their own; report.md says how.
"""

_EVALUATE_EXAMPLES = """\
examples:
  iterprime evaluate --limit 100
      the first 100 scenes of the tabletop
  iterprime evaluate --limit 100 --baseline grad-cam --out out/comparison
      the same, beside Grad-CAM alone
  iterprime evaluate --split calibration --profile mine.yaml
      settings of your own, on the scenes that are meant for choosing them
  iterprime evaluate --image-only --out out/image-only
      without depth, as with an ordinary camera
  iterprime evaluate --ablation --limit 60
      the effect of each part of the algorithm
"""


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
        sys.stderr = _nowhere()
    try:
        if sys.stdout is None:
            raise UnwritableError('Standard output is closed: send it to a file or to /dev/null.')
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors='backslashreplace')
        with _standard_output(), _exit_on_interrupt():
            options = _parser().parse_args(arguments)
        return options.run(options)
    except IterprimeError as error:
        _complain(error)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, MemoryError) or re.search(_MEMORY, str(error)):
            _complain('The memory is full: end other programs, or take a smaller profile or image.')
        else:
            _complain(''.join(traceback.format_exception(error)).rstrip())
            _complain('This is a fault of iterprime: report it with the lines above.')
        return CRASHED


def _say(line: str) -> None:
    """Print a line to standard output now. Raises UnwritableError."""
    with _standard_output():
        print(line)


@contextmanager
def _standard_output() -> Iterator[None]:
    """Flush standard output at the end, and raise UnwritableError for what it does not take."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest once more when it ends.
        with suppress(OSError, ValueError), Path(os.devnull).open('w') as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise UnwritableError(
            f'Standard output failed ({error.strerror}): send it to a reader that stays open, or '
            'to a file on a disk with space.'
        ) from error


def _complain(message: object) -> None:
    """Print a line to standard error; if that fails, the answers still count."""
    try:
        print(message, file=sys.stderr)
    except OSError:
        # Else Python tries again at its end, fails, and makes the exit code 120.
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    return Path(os.devnull).open('w')


@contextmanager
def _exit_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once, for code that leaves nothing behind.

    A KeyboardInterrupt aborts the process inside the import of compiled code, and is lost inside a
    destructor.
    """

    def end(*_: object) -> None:
        if sys.stderr and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), b'\n')  # the progress bar leaves the cursor in its line
        os._exit(INTERRUPTED)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored in the background, for example
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _defer_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a block that writes files."""
    before = signal.getsignal(signal.SIGINT)
    pending = []
    signal.signal(signal.SIGINT, lambda *_: pending.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pending:
        signal.raise_signal(signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='iterprime',
        description='Language-guided perception for robots.',
        epilog='iterprime COMMAND --help explains each command and its exit codes. Any command '
        'exits with 70 if memory is full or iterprime has a fault, and with 130 after Ctrl-C.',
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    _add_segment(commands)
    _add_parse(commands)
    _add_models(commands)
    _add_evaluate(commands)
    _add_demo(commands)
    return parser


def _add_segment(commands: argparse._SubParsersAction) -> None:
    segment = commands.add_parser(
        'segment',
        help='segment the object that a command refers to',
        description='Segments the object that each COMMAND refers to in IMAGE, a file or a folder\n'
        'of images, or all objects that a plural ("all the mugs") refers to, and prints\n'
        'one sentence for each. Profiles that answer part by part use depth, where it is\n'
        'given, to tell what is behind, on or next to what.',
        epilog=_SEGMENT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument('image', metavar='IMAGE', help='image file or folder of images')
    segment.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    segment.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings: a name that "iterprime models list" shows, or a YAML file '
        '(tabletop)',
    )
    segment.add_argument('--device', default='auto', help='auto (default), cpu, cuda, cuda:1 ...')
    segment.add_argument(
        '--offline', action='store_true', help='never ask the hub: use only folders and its cache'
    )
    what = 'PNG to write; a folder where there are several images or commands'
    segment.add_argument(
        '--out', metavar='PATH', help=f'image with each object marked in its colour, {what}'
    )
    segment.add_argument('--mask', metavar='PATH', help=f'mask, 0 and 255, {what}')
    segment.add_argument(
        '--explain', metavar='PATH', help=f'figure that explains the answer, {what}'
    )
    segment.add_argument(
        '--depth',
        metavar='FILE',
        help='depth registered to IMAGE: a 16-bit PNG in millimetres, 0 where nothing was '
        'measured; needs --intrinsics, and one image as IMAGE',
    )
    segment.add_argument(
        '--intrinsics',
        type=_intrinsics,
        metavar='FX,FY,CX,CY',
        help='focal lengths and principal point of the camera, in pixels of IMAGE',
    )
    segment.add_argument('--json', action='store_true', help='print a line of JSON for each answer')
    segment.set_defaults(run=_segment)


def _intrinsics(text: str) -> tuple[float, ...]:
    """Return fx, fy, cx, cy of a text like 615,615,319.5,239.5."""
    try:
        fx, fy, cx, cy = map(float, text.split(','))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f'{text} is not four numbers with commas between them'
        ) from error
    return fx, fy, cx, cy


def _add_parse(commands: argparse._SubParsersAction) -> None:
    parse = commands.add_parser(
        'parse',
        help='show how a command is understood',
        description='Prints the action verb, the primary word and the focus words of each\n'
        'COMMAND, and its noun phrases with their constraints, each below the words that it\n'
        'was read from.',
        epilog=_PARSE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parse.add_argument('command', nargs='+', metavar='COMMAND', help='"pick up the red mug"')
    parse.add_argument('--json', action='store_true', help='print a line of JSON for each command')
    parse.set_defaults(run=_parse)


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
    from iterprime_ros.evaluation.registry import BASELINES, DATASETS

    evaluate = commands.add_parser(
        'evaluate',
        help='measure how good the answers are on a data set',
        description=_EVALUATE_DESCRIPTION,
        epilog=_EVALUATE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate.add_argument(
        '--dataset',
        choices=list(DATASETS),
        default='tabletop',
        help='questions to answer (default: tabletop)',
    )
    evaluate.add_argument(
        '--split', help="split of the data set (default: the data set's own; for tabletop test)"
    )
    evaluate.add_argument(
        '--limit',
        type=_whole_number(1, 10**9),
        metavar='N',
        help="number of images at most (default: the data set's own; for tabletop 600)",
    )
    evaluate.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings to evaluate: a name that "iterprime models list" shows, or a '
        'YAML file (default: tabletop)',
    )
    compared = evaluate.add_mutually_exclusive_group()
    compared.add_argument(
        '--baseline',
        choices=list(BASELINES),
        action='append',
        default=[],
        help='also evaluate a baseline on the same questions; grad-cam is the profile without '
        'emphasis and refinement. May be given several times',
    )
    compared.add_argument(
        '--ablation',
        action='store_true',
        help='evaluate the profile with parts of the algorithm left out instead; writes only '
        'ablation.md',
    )
    evaluate.add_argument(
        '--out',
        type=Path,
        default=Path('out/evaluation'),
        help='folder for the reports (default: out/evaluation)',
    )
    evaluate.add_argument(
        '--device', default='auto', help='auto, cpu, cuda, cuda:1 ... (default: auto)'
    )
    evaluate.add_argument(
        '--offline',
        action='store_true',
        help='load weights from local folders and the cache of the hub alone',
    )
    evaluate.add_argument(
        '--image-only',
        action='store_true',
        help='withhold depth and calibration, which are given where the data set has them',
    )
    evaluate.set_defaults(run=_evaluate)


def _add_demo(commands: argparse._SubParsersAction) -> None:
    demo = commands.add_parser(
        'demo',
        help='run a simulated camera and the node over ROS 2, and draw the answers',
        description='Starts a simulated RGB-D camera and the segment node, and sends three\n'
        'commands over ROS 2: one names attributes, one a relation if the scene allows\n'
        'one, and one an object that is not in the scene. Prints each answer, compared\n'
        "with the simulator's ground truth, and draws all of them in one picture: above,\n"
        'the mask in green and the true outline in white; below, the heatmap.\n\n'
        'With --interactive you type the commands. With --watch one command runs on\n'
        'every frame that the node can process.',
        epilog=_DEMO_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = demo.add_mutually_exclusive_group()
    mode.add_argument(
        '--interactive',
        action='store_true',
        help='read commands from the terminal or a pipe and answer each; "next" shows the next '
        'scene; an empty line, Ctrl-D or Ctrl-C ends',
    )
    mode.add_argument(
        '--watch',
        nargs='?',
        const='',
        metavar='COMMAND',
        help='run COMMAND on every frame the node can process, until Ctrl-C; without COMMAND, one '
        'that refers to an object of the scene',
    )
    demo.add_argument(
        '--seed',
        type=_whole_number(0, 2**31 - 1),
        default=2,
        help='number of the scene, 0 to 2147483647 (default: 2)',
    )
    demo.add_argument(
        '--out',
        type=Path,
        default=Path('out/demo.png'),
        help='PNG file to write (default: out/demo.png)',
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
    with _exit_on_interrupt():
        _quieten_the_hub()
        from iterprime_ros.evaluation.evaluate import Evaluation, ablate, evaluate

    evaluation = Evaluation(
        profile=options.profile,
        out=options.out,
        dataset=options.dataset,
        split=options.split,
        limit=options.limit,
        baselines=tuple(options.baseline),
        device=options.device,
        offline=options.offline,
        image_only=options.image_only,
    )
    if options.ablation:
        ablate(evaluation)
    else:
        evaluate(evaluation)
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0


def _quieten_the_hub() -> None:
    """Silence the progress and loading messages of the hub's libraries."""
    os.environ.setdefault('HF_HUB_DISABLE_PROGRESS_BARS', '1')
    os.environ.setdefault('TRANSFORMERS_VERBOSITY', 'error')
    os.environ.setdefault('HF_HUB_VERBOSITY', 'error')

    from transformers.utils import logging

    logging.disable_progress_bar()


@_exit_on_interrupt()
def _segment(options: argparse.Namespace) -> int:
    if not all(command.strip() for command in options.command):
        raise InvalidCommandError('A COMMAND is empty: name the object.')
    image = _path('IMAGE', options.image)
    overlay, mask, explanation = (
        None if text is None else _path(name, text)
        for name, text in (
            ('--out', options.out),
            ('--mask', options.mask),
            ('--explain', options.explain),
        )
    )
    _quieten_the_hub()
    from iterprime_ros.image_files import Outputs, find_images, output_paths
    from iterprime_ros.pipeline import IteRPrimE

    files, skipped = find_images(image)
    depth = _depth(options, files)
    outputs = output_paths(Outputs(overlay, mask, explanation), files, len(options.command))
    for each in skipped:
        _complain(f'{each} is no regular file and is skipped.')
    model = IteRPrimE.from_profile(options.profile, options.device, options.offline)
    if model.profile.notice:
        _complain(model.profile.notice)
    answers = partial(_answers, model, options.command, depth, options.intrinsics)
    return _print_answers(answers, files, options.command, outputs, options.json)


def _depth(options: argparse.Namespace, files: Sequence[Path]) -> 'NDArray[np.float32] | None':
    """Return the depth image that is asked for."""
    if (options.depth is None) != (options.intrinsics is None):
        raise InvalidSettingError('--depth and --intrinsics are used together: give both.')
    if options.depth is None:
        return None
    if len(files) != 1:
        raise InvalidSettingError(f'--depth is of one image, and IMAGE holds {len(files)}.')
    from iterprime_ros.image_files import read_depth

    return read_depth(_path('--depth', options.depth))


def _answers(
    model: 'IteRPrimE',
    commands: Sequence[str],
    depth: 'NDArray[np.float32] | None',
    intrinsics: tuple[float, float, float, float] | None,
    image: 'NDArray[np.uint8]',
) -> 'list[Segmentation]':
    """Answer commands about an image, with what depth tells if it is given."""
    if depth is None or intrinsics is None:
        return model.segment_many(image, commands)
    from iterprime_ros.errors import InvalidCalibrationError
    from iterprime_ros.geometry.pinhole import Pinhole

    height, width = image.shape[:2]
    try:
        pinhole = Pinhole(*intrinsics, width, height)
    except InvalidCalibrationError as error:
        raise InvalidSettingError(
            f'--intrinsics are no camera of {width} x {height} pixels: give FX, FY, CX and CY of '
            'this image.'
        ) from error
    frame = model.embed(image, depth, pinhole)
    return [
        replace(answer, milliseconds={**frame.milliseconds, **answer.milliseconds})
        for answer in model.segment_many(frame, commands)
    ]


@_exit_on_interrupt()
def _parse(options: argparse.Namespace) -> int:
    from iterprime_ros.language.command_parser import CommandParser
    from iterprime_ros.parse_report import draw, report

    parser = CommandParser.load()
    for number, command in enumerate(options.command):
        parsed = parser.parse(command)
        _say(report(parsed) if options.json else '\n' * bool(number) + draw(parsed))
    return 0


def _path(name: str, text: str) -> Path:
    """Return the path that an argument gives; Path('') would be the current folder."""
    if not text:
        raise InvalidSettingError(f'{name} is empty: name a file or a folder.')
    return Path(text)


def _print_answers(
    answers_to: 'Callable[[NDArray[np.uint8]], list[Segmentation]]',
    files: Sequence[Path],
    commands: Sequence[str],
    outputs: 'OutputPaths',
    as_json: bool,
) -> int:
    """Answer every command about every image, and return the exit code.

    An image that cannot be read is reported, and the others are still answered.
    """
    from tqdm import tqdm

    from iterprime_ros.answer import Status
    from iterprime_ros.errors import InvalidImageError
    from iterprime_ros.image_files import read_image, report, write_outputs

    codes = {Status.FOUND: FOUND, Status.FOUND_SEVERAL: FOUND, Status.INVALID: WRONG_USE}
    code = FOUND
    total = len(files) * len(commands)
    with tqdm(total=total, disable=None if total > 1 else True) as bar:
        for file in files:
            try:
                image = read_image(file)
            except InvalidImageError as error:
                with bar.external_write_mode():
                    _complain(error)
                bar.update(len(commands))
                code = WRONG_USE
                continue
            for number, answer in enumerate(answers_to(image)):
                paths = outputs[file, number]
                with _defer_interrupt():
                    write_outputs(paths, image, answer)
                with bar.external_write_mode():
                    if as_json:
                        _say(report(file, commands[number], answer))
                    else:
                        _say('\n  '.join([f'{file}: {answer.text}', *answer.notes]))
                        if paths:
                            _complain(f'Written: {", ".join(map(str, paths.values()))}')
                bar.update()
                code = max(code, codes.get(answer.status, NOT_FOUND))
    return code


@_exit_on_interrupt()
def _list_models(_: argparse.Namespace) -> int:
    from iterprime_ros.profiles import DEFAULT, PROFILE_NAMES, load_profile

    for name in PROFILE_NAMES:
        each = load_profile(name)
        mark = ' (default)' if name == DEFAULT else ''
        _say(f'{name}{mark}: {each.description}')
        _say(f'  matcher {each.matcher.kind}: {each.matcher.weights}')
        _say(f'  masks {each.masks.kind}: {each.masks.weights or "no weights"}')
    return 0


@_exit_on_interrupt()
def _fetch_models(options: argparse.Namespace) -> int:
    from iterprime_ros.profiles import fetch

    states = 0
    for source, state in fetch(options.profile):
        _say(f'{source}: {state}.')
        states += 1
    if not states:
        _say(f'{options.profile} needs nothing from the hub.')
    return 0


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec('rclpy') is None:
        print(
            'iterprime demo needs ROS 2, but rclpy was not found: source a ROS 2 installation '
            '(. /opt/ros/DISTRO/setup.bash) or this environment (. .venv/env.sh) first.',
            file=sys.stderr,
        )
        return WRONG_USE
    try:
        return _run_demo(options)
    except KeyboardInterrupt:
        if options.interactive or options.watch is not None:
            return 0  # Ctrl-C is how these two modes end
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
