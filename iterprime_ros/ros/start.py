"""Start a node by name and end it cleanly: `python -m iterprime_ros.ros.start sim_camera`."""

import os
import signal
import sys
from importlib import import_module

NODES = ('segment', 'sim_camera', 'demo_asker', 'demo_console', 'demo_watch')


def start(name: str, arguments: list[str] | None = None) -> int:
    """Run the node `name` until it is done or interrupted, and return the exit code.

    Ctrl-C is an orderly end and gives 0 at any moment: while the imports still run nothing is held
    and the process just leaves; after that rclpy ends the context and the node returns.
    arguments: the command line as ROS passes it, sys.argv by default.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    try:
        module = import_module(f'iterprime_ros.ros.{name}')
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
    code = module.main(sys.argv if arguments is None else arguments)
    # Python gives SIGINT back its default while it ends, and a second one would then kill.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] not in NODES:
        sys.exit(f'usage: python -m iterprime_ros.ros.start {{{",".join(NODES)}}} [--ros-args ...]')
    sys.exit(start(sys.argv[1], sys.argv[1:]))
