"""Starts a node's module and ends its process cleanly, whenever Ctrl-C comes."""

import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module

from iterprime_ros.openmp import limit_spinning


def start(module: str, arguments: list[str] | None = None) -> int:
    """Run `main(arguments)` of a node's module, and return the exit code.

    Ctrl-C is an orderly end and gives 0 at any moment: while the imports still run nothing is held
    and the process just leaves; after that rclpy ends the context and the node returns.
    arguments: the command line as ROS passes it, sys.argv by default.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    limit_spinning()
    try:
        node = import_module(module)
    except (AttributeError, RuntimeError) as error:
        chosen = os.environ.get('MUJOCO_GL')
        if chosen is None:
            raise
        print(
            f'MUJOCO_GL={chosen} does not work here ({error}): unset it, or, for osmesa, '
            'apt-get install libosmesa6.',
            file=sys.stderr,
        )
        return 1
    code: int = node.main(sys.argv if arguments is None else arguments)
    # Python gives SIGINT back its default while it ends, and a second one would then kill.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def start_by_name(package: str, modules: Mapping[str, str]) -> int:
    """Run the node that the first word of the command line names: `python -m PACKAGE NAME`.

    modules: module of each node, by name.
    """
    names = ','.join(modules)
    if len(sys.argv) < 2 or sys.argv[1] not in modules:
        print(f'usage: python -m {package} {{{names}}} [--ros-args ...]', file=sys.stderr)
        return 2
    return start(modules[sys.argv[1]], sys.argv[1:])
