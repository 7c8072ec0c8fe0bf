"""The examples, run as a reader of the README runs them."""

import re
from pathlib import Path

import pytest

from helpers.robots import PATIENCE, rgb_image

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


@pytest.mark.usefixtures('obedient')
def test_ask_prints_each_round_and_the_answer(start_process, robot, picture):
    robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
    remapping = ('--ros-args', '-r', 'segment:=/segment/segment')
    process = start_process(EXAMPLES / 'ask.py', 'the blue cube', *remapping)
    frame = robot.frame(rgb_image(picture))
    while not robot.comes(lambda: process.poll() is not None, 0.5):
        robot.show(frame)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    first, *_, last = output.strip().splitlines()
    assert re.match(r'round 0: match [01]\.\d\d, heatmap peak at ', first), first
    assert last.startswith('Found "the blue cube"')
