"""The examples, run as a reader of the README runs them."""

import re
from pathlib import Path

import pytest
from rcl_interfaces.msg import Log

from helpers.robots import PATIENCE, depth_image, header, rgb_image
from iterprime_ros.ros.convert.images import to_camera_info

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


@pytest.mark.usefixtures('obedient')
def test_pick_listener_turns_answers_into_grasps(start_process, robot, picture):
    logs = robot.collect(Log, '/rosout', 100)
    start_process(EXAMPLES / 'pick_listener.py', '--ros-args', '-r', 'result:=/segment/result')
    robot.wait_for(lambda: robot.count_subscribers('segment/result') > 1, 'the listener')

    def has_logged(text):
        return any(each.name == 'pick_listener' and text in each.msg for each in logs)

    def is_grasped(answer):
        return answer.point_count and robot.comes(lambda: has_logged('opening'), 1.0)

    info, depth = to_camera_info(picture.pinhole, header()), depth_image(picture)
    robot.ask_until(is_grasped, 'pick up the blue cube', rgb_image(picture), depth, info)
    assert has_logged('pick the blue cube: in camera_color_optical_frame at (')
    several = 'Found 2. Ask for one of them to pick it.'
    robot.ask_until(
        lambda _: robot.comes(lambda: has_logged(several), 1.0),
        'mark several', rgb_image(picture), depth, info,
    )  # fmt: skip
    robot.ask_until(
        lambda _: robot.comes(lambda: has_logged('Nothing to pick'), 1.0), '', rgb_image(picture)
    )


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
