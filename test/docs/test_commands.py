"""Every command of the README and of docs/ is run as it is written, as far as a test can."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.documented_commands import ROOT, documented_commands, documented_python
from iterprime_ros.ros.domain import private_domain

PATIENCE = 600  # seconds, on any machine


@dataclass(frozen=True)
class Ending:
    """How a command is run here, and how it ends.

    code: its exit code.
    says: what it prints, on whichever stream.
    more: arguments that make it shorter.
    runs_on: it is interrupted once it has printed that.
    """

    code: int = 0
    says: str = ''
    more: str = ''
    runs_on: bool = False


SHORT = Ending(more='--limit 1')
ABSENT = Ending(2, says='[Nn]o such file|in the cache')
HELP = Ending(more='--help')
# What is not run: the reason, or the file whose tests run it.
NOT_RUN = {
    r'(mkdir -p ~/ws|cd ~/ws|pip install|colcon build)': 'installs into a workspace of ROS',
    r'ros2 (run|topic|service)|sudo ': 'needs the command ros2, or changes the system',
    r'ros2 launch': 'test/ros/test_launch.py',
    r'iterprime demo --(pick|interactive|seed|watch)': 'test/ros/test_demo.py',
    r'python examples/ask.py': 'test/ros/test_examples.py',
    r'ray (start|stop)|iterprime segment.*--ray 10': 'needs several machines',
    r'python -m iterprime_ros.ros listen$': 'needs a microphone',
    r'mkdir new': 'moves what hours of training have made',
}
# Of several that match, the first; what matches none ends with 0.
ENDINGS = {
    r'iterprime segment.*--look$': Ending(says='Ctrl-C ends', runs_on=True),
    r'iterprime models fetch': ABSENT,
    r'.*--profile (blip-sam|fast|paper)': ABSENT,
    r'iterprime merge out/1 out/2': ABSENT,
    r'iterprime evaluate.*--dataset (refcoco|mevis)': ABSENT,
    r'iterprime evaluate-video --baseline': HELP,
    r'iterprime evaluate': SHORT,
    r'python -m iterprime_ros.ros sim_(camera|robot)': Ending(says='scene', runs_on=True),
    r'python -m iterprime_ros.ros segment': Ending(says='Waiting for images', runs_on=True),
    r'python benchmarks/|python -m iterprime_ros.training|python -m iterprime_ros.evaluation': HELP,
    r'python -m pytest': Ending(more='--collect-only -q'),
    r'iterprime app': Ending(says='Open http', runs_on=True),
    r'iterprime segment table.png': Ending(1, says='Three mugs fit'),
    r'iterprime segment (frames/|video.mp4)': Ending(1, says='Written: tracked'),
}
COMMANDS = sorted({each.text for each in documented_commands()})


def reason_not_run(command):
    return next((why for rule, why in NOT_RUN.items() if re.match(rule, command)), None)


def ending(command):
    return next((how for rule, how in ENDINGS.items() if re.match(rule, command)), Ending())


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A folder like a clone, with the files that the commands name as the reader's own."""
    folder = tmp_path_factory.mktemp('clone')
    for entry in ROOT.iterdir():
        if entry.name not in ('docs', 'out', 'build'):
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / 'docs', folder / 'docs')
    for name in ('photos', 'frames', 'scenes', 'matcher'):
        (folder / name).mkdir()
    shutil.copy(ROOT / 'docs/table.png', folder / 'table.png')
    shutil.copy(ROOT / 'docs/table.png', folder / 'photos')
    height, width, _ = cv2.imread(str(ROOT / 'docs/table.png')).shape
    cv2.imwrite(str(folder / 'depth.png'), np.full((height, width), 800, np.uint16))
    moving = cv2.VideoCapture(str(ROOT / 'docs/moving.mp4'))
    frames = [moving.read()[1] for _ in range(3)]
    height, width, _ = frames[0].shape
    code = cv2.VideoWriter.fourcc(*'mp4v')
    video = cv2.VideoWriter(str(folder / 'video.mp4'), code, 15.0, (width, height))
    for number, frame in enumerate(frames):
        video.write(frame)
        cv2.imwrite(str(folder / 'frames' / f'{number}.png'), frame)
    video.release()
    return folder


@pytest.fixture(scope='module')
def environment():
    with private_domain() as made:
        yield {**made, 'HF_HUB_OFFLINE': '1'}


@pytest.mark.parametrize('command', [each for each in COMMANDS if not reason_not_run(each)])
def test_a_documented_command_does_what_is_said(command, checkout, environment):
    how = ending(command)
    shutil.rmtree(checkout / 'out', ignore_errors=True)
    if command.startswith('make '):
        command = command.replace('make ', 'make --dry-run ', 1)
    if how.more:
        command, *to = re.split(r'(?= >)', f'{command} {how.more}')
        command = ''.join([command, *to])
    script = f'exec {command}' if how.runs_on else command  # a signal is for the command itself
    process = subprocess.Popen(
        ['bash', '-c', script], cwd=checkout, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    printed = ''
    if how.runs_on:
        for line in process.stdout:
            printed += line
            if re.search(how.says, line):
                break
        process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE)
    printed += rest
    assert process.returncode == how.code, printed
    assert re.search(how.says, printed), printed
    assert 'Traceback' not in printed


def printed_by(code, checkout, environment):
    """What Python code prints that ends well."""
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=checkout, env=environment, timeout=PATIENCE,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('code', documented_python('README.md'))
def test_the_python_of_the_readme_runs(code, checkout, environment):
    assert printed_by(code, checkout, environment).startswith('Status.FOUND')


def test_the_python_about_bags_runs_from_block_to_block(checkout, environment):
    shutil.rmtree(checkout / 'out', ignore_errors=True)
    for code, says in zip(documented_python('docs/bags.md'), ('2 ', 'Found'), strict=True):
        assert says in printed_by(code, checkout, environment)


def test_the_rules_are_about_commands_that_are_documented():
    for rule in [*NOT_RUN, *ENDINGS]:
        assert any(re.match(rule, command) for command in COMMANDS), rule


def test_what_another_test_runs_is_run_there():
    for rule, why in NOT_RUN.items():
        if not why.startswith('test/'):
            continue
        text = (ROOT / why).read_text()
        for command in COMMANDS:
            if re.match(rule, command):
                words = shlex.split(command)
                name = next(word for word in words if word.startswith('--') or '.' in word)
                assert Path(name).name in text, command
