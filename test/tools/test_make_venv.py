"""Where ROS comes from, and what of the constraints then holds."""

import os
import subprocess
import sys
from pathlib import Path

import make_venv

SCRIPT = Path(make_venv.__file__)


def ros_source(**environment):
    """Ask the interpreter outside this virtual environment, as make does, with nothing sourced."""
    answer = subprocess.run(
        [make_venv.base_interpreter(), str(SCRIPT), 'ros-source'],
        capture_output=True,
        text=True,
        env={'PATH': os.environ['PATH'], **environment},
        check=True,
    )
    return answer.stdout.strip()


def test_a_sourced_ros_is_one_that_imports_from_outside(tmp_path):
    (tmp_path / 'rclpy').mkdir()
    (tmp_path / 'rclpy' / '__init__.py').touch()
    assert ros_source(PYTHONPATH=str(tmp_path)) == 'sourced'


def test_the_wheels_in_an_activated_environment_are_not_a_sourced_ros():
    inside, outside = (
        subprocess.run(
            [python, str(SCRIPT), 'ros-source'], capture_output=True, text=True, check=True
        )
        for python in (sys.executable, make_venv.base_interpreter())
    )
    assert inside.stdout == outside.stdout
    assert ros_source() == 'wheels'


def test_a_sourced_ros_keeps_its_numpy():
    text = 'mujoco==4.0.0\nnumpy==2.4.6\nnumpydoc==1\n'
    assert make_venv.constraints_text(text, 'wheels') == text
    assert make_venv.constraints_text(text, 'sourced') == 'mujoco==4.0.0\nnumpydoc==1\n'


def test_everything_asked_for_has_one_version():
    """Constraints name each package of setup.py's lists, and torch the way CPU builds are found."""
    setup = (make_venv.ROOT / 'setup.py').read_text()
    pins = dict(line.split('==') for line in make_venv.CONSTRAINTS.read_text().split())
    assert pins['torch'] == '2.13.0'
    names = {name.lower().replace('_', '-') for name in pins}
    for package in ('colcon-common-extensions', 'ros-rclpy', 'mujoco', 'shapely', 'pytest', 'ruff'):
        assert package in setup
        assert package in names


def test_the_activation_script_runs_in_a_plain_shell(tmp_path):
    venv = tmp_path / '.venv'
    (venv / 'bin').mkdir(parents=True)
    (venv / 'bin' / 'activate').write_text('ACTIVATED=yes\n')
    (venv / 'env.sh').write_text(make_venv.activation_script(tmp_path, venv))
    said = subprocess.run(
        ['sh', '-euc', f'. {venv}/env.sh; echo $ACTIVATED $AMENT_PREFIX_PATH $PYTHONPATH'],
        capture_output=True,
        text=True,
        env={'PATH': os.environ['PATH'], 'AMENT_PREFIX_PATH': '/opt/ros/kilted'},
        check=True,
    )
    assert said.stdout == f'yes {venv}:/opt/ros/kilted {tmp_path}\n'
