"""What is missing is named, with the line that brings it."""

import subprocess
import sys
from pathlib import Path

import prerequisites

SCRIPT = Path(prerequisites.__file__)


def check(*arguments, **environment):
    return subprocess.run(
        [sys.executable, '-S', '-E', str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_nothing_is_said_where_nothing_is_missing():
    assert list(prerequisites.lacks('wheels')) == []


def test_a_machine_without_compilers_is_told_what_to_install(tmp_path):
    answer = check(PATH=str(tmp_path))
    assert answer.returncode == 1
    assert 'a C compiler' in answer.stderr
    assert 'apt-get install build-essential' in answer.stderr
    assert 'Traceback' not in answer.stderr
    assert check('--packages', PATH=str(tmp_path)).stdout == 'build-essential\n'


def test_without_a_cxx_compiler_the_same_package_brings_it(tmp_path):
    (tmp_path / 'cc').symlink_to('/bin/true')
    answer = check(PATH=str(tmp_path))
    assert 'a C++ compiler' in answer.stderr
    assert 'apt-get install build-essential' in answer.stderr


def test_a_sourced_ros_needs_colcon(tmp_path):
    answer = check('--ros-from', 'sourced', '--packages', PATH=str(tmp_path))
    assert answer.stdout == 'build-essential python3-colcon-common-extensions\n'


def test_missing_opengl_headers_and_venv_are_named(monkeypatch):
    monkeypatch.setattr(prerequisites, 'usable_gl_backend', lambda: None)
    monkeypatch.setattr(prerequisites.sysconfig, 'get_paths', lambda: {'include': '/nowhere'})
    monkeypatch.setattr(prerequisites.importlib.util, 'find_spec', lambda _: None)
    packages = {package for lack in prerequisites.lacks('wheels') for package in lack.packages}
    version = f'python{sys.version_info.major}.{sys.version_info.minor}'
    assert packages == {
        f'{version}-venv', f'{version}-dev', 'libegl1', 'libgl1-mesa-dri', 'libopengl0'
    }  # fmt: skip


def test_another_python_is_refused_by_name(monkeypatch, capsys):
    monkeypatch.setattr(prerequisites.sys, 'version_info', (3, 13, 1))
    monkeypatch.setattr(sys, 'argv', ['prerequisites.py'])
    assert prerequisites.main() == 1
    assert 'make PYTHON=python3.12' in capsys.readouterr().err
