"""What this machine lacks for `make`, and the apt line that brings it.

Standard library only: it runs before anything is installed.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from iterprime_ros.sim.gl import usable_gl_backend

SUPPORTED_PYTHONS = ((3, 11), (3, 12))


class Lack(NamedTuple):
    """Something missing: what, why it is needed, and the Debian packages that bring it."""

    what: str
    why: str
    packages: tuple[str, ...]


def lacks(ros_from: str) -> Iterator[Lack]:
    """Yield what is missing; `ros_from` is 'wheels' or 'sourced' (see make_venv.py)."""
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    if importlib.util.find_spec('ensurepip') is None:
        yield Lack('the venv module', 'to make .venv', (f'python{version}-venv',))
    if shutil.which(os.environ.get('CC', 'cc')) is None:
        yield Lack('a C compiler', 'to build the messages', ('build-essential',))
    elif shutil.which(os.environ.get('CXX', 'c++')) is None:
        yield Lack('a C++ compiler', 'to build the messages', ('build-essential',))
    if not Path(sysconfig.get_paths()['include'], 'Python.h').is_file():
        yield Lack('Python.h', 'to build the messages', (f'python{version}-dev',))
    if usable_gl_backend() is None:
        yield Lack(
            'OpenGL without a screen (EGL or OSMesa)',
            'to render the simulated camera',
            ('libegl1', 'libgl1-mesa-dri', 'libopengl0'),
        )
    if ros_from == 'sourced' and shutil.which('colcon') is None:
        yield Lack(
            'colcon', 'to build the messages with this ROS', ('python3-colcon-common-extensions',)
        )


def main() -> int:
    """Print what is missing and return 1, or print nothing and return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--ros-from', choices=('wheels', 'sourced'), default='wheels')
    parser.add_argument(
        '--packages', action='store_true', help='print only the names of the missing packages'
    )
    arguments = parser.parse_args()

    if sys.version_info[:2] not in SUPPORTED_PYTHONS:
        print(
            f'iterprime_ros needs Python 3.11 or 3.12 and {sys.executable} is '
            f'{sys.version.split()[0]}. Name another: make PYTHON=python3.12',
            file=sys.stderr,
        )
        return 1
    missing = list(lacks(arguments.ros_from))
    packages = sorted({package for lack in missing for package in lack.packages})
    if arguments.packages:
        print(*packages)
        return 0
    if not missing:
        return 0
    for lack in missing:
        print(f'Missing: {lack.what}, {lack.why}.', file=sys.stderr)
    sudo = '' if os.geteuid() == 0 else 'sudo '
    print(f'Install it and run make again:\n\n    {sudo}apt-get install {" ".join(packages)}\n',
          file=sys.stderr)  # fmt: skip
    return 1


if __name__ == '__main__':
    sys.exit(main())
