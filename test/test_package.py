"""The package as others meet it: built by colcon, imported, and kept in its layers."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import iterprime_ros

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'iterprime_ros'

IMPORTED = """
import sys
sys.modules['torch'] = None
import iterprime_ros.msg
from iterprime_ros.action import Segment
from iterprime_ros.msg import Candidate, ReferredObject
import iterprime_ros.cli
print(iterprime_ros.msg.__file__)
print(iterprime_ros.__file__)
"""


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    """A colcon workspace with the sources of this package and nothing that make has made."""
    workspace = tmp_path_factory.mktemp('workspace')
    made = shutil.ignore_patterns(
        '.*', 'build', 'install', 'log', 'out', '*.egg-info', '__pycache__'
    )
    shutil.copytree(ROOT, workspace / 'src' / 'iterprime_ros', ignore=made)
    return workspace


def in_shell(workspace, script):
    path = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    outside = os.pathsep.join(entry for entry in path if entry and Path(entry) != ROOT)
    environment = {**os.environ, 'PYTHONPATH': outside}
    return subprocess.run(
        ['bash', '-c', script],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize('option', ['', '--symlink-install'], ids=['plain', 'symlink'])
def test_colcon_builds_it_and_a_sourced_shell_uses_it(workspace, option):
    install = 'install_symlink' if option else 'install'
    built = in_shell(
        workspace,
        f'colcon build {option} --build-base build_{install} --install-base {install} '
        '--cmake-args -DBUILD_TESTING=OFF',
    )
    assert built.returncode == 0, built.stdout + built.stderr
    prefix = workspace / install
    source = workspace / 'src' / 'iterprime_ros'

    for first_on_the_path in ('', f'export PYTHONPATH={source}:$PYTHONPATH;'):
        used = in_shell(
            workspace, f'. {install}/setup.bash; {first_on_the_path} python -c "{IMPORTED}"'
        )
        assert used.returncode == 0, used.stderr
        messages, package = used.stdout.splitlines()
        assert messages.startswith(str(prefix))
        assert package.startswith(str(source if first_on_the_path else prefix))

    share = prefix / 'iterprime_ros' / 'share' / 'iterprime_ros'
    assert (share / 'launch' / 'demo.launch.py').is_file()
    executables = prefix / 'iterprime_ros' / 'lib' / 'iterprime_ros'
    said = in_shell(workspace, f'. {install}/setup.bash; {executables}/iterprime --version')
    assert said.stdout == f'iterprime {iterprime_ros.__version__}\n', said.stderr
    assert os.access(executables / 'sim_camera', os.X_OK)


def test_importing_the_package_brings_nothing_heavy():
    heavy = 'torch', 'numpy', 'matplotlib', 'mujoco', 'transformers', 'rclpy'
    script = f'import sys, iterprime_ros; print([name for name in {heavy} if name in sys.modules])'
    answer = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True
    )
    assert answer.stdout == '[]\n'


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_only_the_ros_folder_imports_ros():
    ros = {'rclpy', 'sensor_msgs', 'std_msgs', 'std_srvs', 'geometry_msgs', 'rcl_interfaces'}
    for path in PACKAGE.rglob('*.py'):
        found = {name.split('.')[0] for name in imports_of(path)} & ros
        assert not found or path.is_relative_to(PACKAGE / 'ros'), (path, found)


def test_one_version_everywhere():
    version = iterprime_ros.__version__
    assert f'<version>{version}</version>' in (ROOT / 'package.xml').read_text()
    assert f"version='{version}'" in (ROOT / 'setup.py').read_text()
    assert f'\n{version} (' in (ROOT / 'CHANGELOG.rst').read_text()


def test_package_xml_and_cmake_name_the_same_interface_packages():
    listed = (ROOT / 'CMakeLists.txt').read_text()
    for name in ('action_msgs', 'builtin_interfaces', 'geometry_msgs', 'sensor_msgs', 'std_msgs'):
        assert f'<depend>{name}</depend>' in (ROOT / 'package.xml').read_text()
        assert f'find_package({name} REQUIRED)' in listed
