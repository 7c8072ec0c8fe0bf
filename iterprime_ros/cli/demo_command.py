"""What `iterprime demo` does: start the demo in one of its modes."""

import argparse
import importlib.util
import sys
from pathlib import Path

from iterprime_ros.cli.exit_codes import FAILED, WRONG_USE
from iterprime_ros.cli.look_output import check_look
from iterprime_ros.cli.standard_streams import complain
from iterprime_ros.errors import MissingDependencyError

_SEED = 2
_PICTURE, _FILM = Path('out/demo.png'), Path('out/pick.gif')


def start_demo(options: argparse.Namespace) -> int:
    """Run the mode of the demo that is asked for, and return the exit code."""
    if options.motion and options.watch is None:
        print('--motion is for --watch only: give a command with --watch.', file=sys.stderr)
        return WRONG_USE
    if options.voice and options.pick is None:
        print('--voice is for --pick only.', file=sys.stderr)
        return WRONG_USE
    if importlib.util.find_spec('rclpy') is None:
        print(
            'iterprime demo needs ROS 2, but rclpy was not found: source a ROS 2 installation '
            '(. /opt/ros/DISTRO/setup.bash) or this environment (. .venv/env.sh) first.',
            file=sys.stderr,
        )
        return WRONG_USE
    check_look(options)
    try:
        return _run_demo(options)
    except KeyboardInterrupt:
        if options.interactive or options.watch is not None:
            return 0  # Ctrl-C is how these two modes end
        raise
    finally:
        if options.look and Path(options.look).is_file():
            complain(f'Written: {options.look}')


def _run_demo(options: argparse.Namespace) -> int:
    from iterprime_ros.demo.launcher import (
        DemoError,
        run_demo,
        run_interactive,
        run_pick,
        run_watch,
    )
    from iterprime_ros.sim.gl import RenderingUnavailableError
    from iterprime_ros.sim.motion import Motion

    look = None if options.look is None else Path(options.look)
    try:
        if options.pick is not None:
            run_pick(options.out or _FILM, options.seed, options.pick, options.voice, look)
            return 0
        out = options.out or _PICTURE
        seed = _SEED if options.seed is None else options.seed
        if options.interactive:
            run_interactive(out, seed, look)
        elif options.watch is not None:
            run_watch(out, seed, options.watch, Motion(options.motion or 'none'), look)
        else:
            run_demo(out, seed, look)
    except (DemoError, MissingDependencyError, RenderingUnavailableError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0
