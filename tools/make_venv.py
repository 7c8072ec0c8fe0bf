"""Make the virtual environment that `make demo` and `make test` run in.

Where ROS 2 is sourced (rclpy imports from outside the environment) that ROS is used, through the
system's site packages; elsewhere ROS 2 Kilted is installed from wheels.

Standard library only: it runs before anything is installed.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / '.venv'
CONSTRAINTS = ROOT / 'constraints.txt'

# What a sourced ROS 2 was compiled against stays the system's: a newer NumPy in front of it
# breaks its message classes.
_OWNED_BY_SOURCED_ROS = ('numpy',)

# The messages are installed into the environment, so that it is a ROS prefix too. The source tree
# comes before what is installed of it, so that an edit takes effect at once.
_ACTIVATE = """\
# Source this, from any POSIX shell, to work on iterprime_ros. Written by tools/make_venv.py.
. '{venv}/bin/activate'
export AMENT_PREFIX_PATH="{venv}${{AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}}"
export CMAKE_PREFIX_PATH="{venv}${{CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}}"
export LD_LIBRARY_PATH="{venv}/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export PYTHONPATH="{root}${{PYTHONPATH:+:$PYTHONPATH}}"
"""


def base_interpreter() -> str:
    """Return the Python outside any virtual environment that this one may belong to."""
    return getattr(sys, '_base_executable', sys.executable)


def ros_source() -> str:
    """Return 'sourced' where rclpy imports from outside .venv, else 'wheels'."""
    if sys.prefix != sys.base_prefix:
        probe = [base_interpreter(), __file__, 'ros-source']
        return subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip()
    return 'wheels' if importlib.util.find_spec('rclpy') is None else 'sourced'


def activation_script(root: Path, venv: Path) -> str:
    """Return the text of .venv/env.sh: the environment with ROS and the messages in it."""
    return _ACTIVATE.format(root=root, venv=venv)


def constraints_text(text: str, source: str) -> str:
    """Return constraints.txt, without what a sourced ROS 2 has already chosen."""
    if source == 'wheels':
        return text
    return ''.join(
        line
        for line in text.splitlines(keepends=True)
        if line.split('==')[0].strip().lower() not in _OWNED_BY_SOURCED_ROS
    )


def run_logged(command: list[str], log: Path) -> None:
    """Run pip, showing what it is at in one line; the whole output goes to `log`."""
    show = sys.stdout.isatty()
    with log.open('a', encoding='utf-8') as file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        for line in process.stdout or ():
            file.write(line)
            if show and line.startswith(('Collecting', '  Downloading', 'Installing')):
                print(f'\r\033[K  {line.strip():.76}', end='', flush=True)
        process.wait()
    if show:
        print('\r\033[K', end='', flush=True)
    if process.returncode:
        tail = log.read_text(encoding='utf-8').splitlines()[-15:]
        print(*tail, sep='\n', file=sys.stderr)
        sys.exit(f'pip failed; all it said is in {log}. Mend it and run make again.')


def create(source: str) -> None:
    """Make .venv anew and install everything into it."""
    print(f'Making {VENV} ({"this ROS 2" if source == "sourced" else "ROS 2 Kilted wheels"}, '
          'torch, simulator): some minutes, once.', flush=True)  # fmt: skip
    system = ['--system-site-packages'] if source == 'sourced' else []
    subprocess.run([base_interpreter(), '-m', 'venv', '--clear', *system, str(VENV)], check=True)
    python = str(VENV / 'bin' / 'python')
    log = VENV / 'install.log'
    extras = 'sim,evaluation,speech,bag,ray,look,app,docs,dev'
    if source == 'wheels':
        extras += ',ros-wheels'
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as constraints:
        constraints.write(constraints_text(CONSTRAINTS.read_text(encoding='utf-8'), source))
        constraints.flush()
        pip = [python, '-m', 'pip', 'install', '--disable-pip-version-check', '-c']
        pip.append(constraints.name)
        run_logged([*pip, 'setuptools', 'wheel'], log)
        run_logged([*pip, '--no-build-isolation', '--editable', f'{ROOT}[{extras}]'], log)
        # Tests read its checkpoints; its own requirement, torchvision, does not import beside a
        # torch without CUDA, and transformers not beside such a torchvision.
        run_logged([*pip, '--no-deps', 'segment-anything'], log)
    if source == 'wheels':
        subprocess.run([python, str(ROOT / 'tools' / 'ros_wheels.py')], check=True)
    (VENV / 'env.sh').write_text(activation_script(ROOT, VENV), encoding='utf-8')


def main() -> int:
    """Answer one of the two questions the Makefile has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('ros-source', help="print 'sourced' or 'wheels'")
    commands.add_parser('create', help='make .venv and install everything into it')
    arguments = parser.parse_args()
    if arguments.command == 'ros-source':
        print(ros_source())
    else:
        # A venv inside an activated one would see that one's packages.
        os.environ.pop('VIRTUAL_ENV', None)
        create(ros_source())
    return 0


if __name__ == '__main__':
    sys.exit(main())
