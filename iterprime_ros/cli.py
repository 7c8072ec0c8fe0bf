"""The command `iterprime`."""

import argparse
import importlib.util
import sys
from pathlib import Path

from iterprime_ros import __version__
from iterprime_ros.demo import DemoError, run_demo

FAILED, WRONG_USE = 1, 2  # exit codes


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='iterprime',
        description='Language-guided perception for robots.',
        epilog='iterprime COMMAND --help tells more of each command.',
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)

    demo = commands.add_parser(
        'demo',
        help='see a simulated RGB-D camera over ROS 2, as one picture',
        description='Starts the simulated camera and a second node that receives its images over '
        'ROS 2, and draws one frame: image, depth and the true masks with their names.',
        epilog='example: iterprime demo --seed 7 --out table.png',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.add_argument('--seed', type=_seed, default=16, help='which scene, 0 or more')
    demo.add_argument('--out', type=Path, default=Path('out/demo.png'), help='PNG to write')
    demo.set_defaults(run=_demo)
    return parser


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f'{number} is not between 0 and 2147483647')
    return number


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec('rclpy') is None:
        print(
            'iterprime demo needs ROS 2, and rclpy does not import. Source a ROS 2 installation '
            '(. /opt/ros/DISTRO/setup.bash) or this environment (. .venv/env.sh) first.',
            file=sys.stderr,
        )
        return WRONG_USE
    try:
        run_demo(options.out, options.seed)
    except DemoError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f'The picture is at {options.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
