"""The node while its model works, fails, or is not wanted any more."""

import signal
from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from conftest import ATTEMPTS, PATIENCE
from lifecycle_msgs.msg import Transition
from rclpy.action import ActionClient
from sensor_msgs.msg import Image
from test_segment import Robot, change, picture, rgb_image, running, set_parameter  # noqa: F401

from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject

SLOW = Path(__file__).with_name('slow_segment.py')


@pytest.fixture
def robot(ros_domain):
    node = Robot()
    yield node
    node.destroy_node()


@pytest.fixture
def obedient(start_process):
    settings = ('-p', 'autostart:=true', '-p', 'offline:=true', '-p', 'frame_timeout:=5.0')
    process = start_process(SLOW, '--ros-args', *settings)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
        assert 'Traceback' not in output


def busy(robot, picture):  # noqa: F811
    """Have the node work on something without end."""
    heatmaps = robot.collect(Image, 'segment/heatmap', 10)
    del heatmaps
    client = ActionClient(robot, Segment, 'segment/segment')
    robot.wait_for(client.server_is_ready, 'the action')
    robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
    rounds = []
    goal = Segment.Goal(command='never end', image=rgb_image(picture))
    sent = client.send_goal_async(goal, feedback_callback=rounds.append)
    robot.wait_for(lambda: rounds, 'a round')
    return sent.result(), rounds


def test_a_model_that_fails_is_answered_and_the_next_command_too(obedient, robot, picture):  # noqa: F811
    failed = robot.ask('raise', rgb_image(picture))
    assert failed.status == ReferredObject.ERROR
    assert failed.text == "KeyError: 'the model is broken'"
    lacking = robot.ask('need too much memory', rgb_image(picture))
    assert lacking.status == ReferredObject.ERROR
    assert 'Memory ran out' in lacking.text
    found = robot.ask('need half the memory', rgb_image(picture))
    assert found.status == ReferredObject.FOUND
    assert 'at half its size' in found.text
    assert (found.mask.width, found.mask.height) == (320, 240)
    whole = robot.ask('anything', rgb_image(picture))
    masks = [np.frombuffer(each.mask.data, np.uint8) > 0 for each in (found, whole)]
    # The same object, by regions of another picture.
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.4


def test_while_it_works_it_answers_everything_else(obedient, robot, picture):  # noqa: F811
    _, rounds = busy(robot, picture)
    before = len(rounds)
    double = {'type': 3, 'double_value': 0.4}
    assert set_parameter(robot, 'match_threshold', **double).successful
    robot.wait_for(lambda: len(rounds) > before, 'another round')
    assert change(robot, Transition.TRANSITION_DEACTIVATE)


def test_a_goal_is_cancelled_between_two_rounds(obedient, robot, picture):  # noqa: F811
    goal, rounds = busy(robot, picture)
    feedback = rounds[0].feedback
    assert (feedback.heatmap.width, feedback.heatmap.height) == (320, 240)
    result = goal.get_result_async()
    goal.cancel_goal_async()
    robot.wait_for(result.done, 'the end')
    assert result.result().status == GoalStatus.STATUS_CANCELED
    assert robot.ask('anything', rgb_image(picture)).status == ReferredObject.FOUND


def test_deactivating_ends_the_work_and_answers_it(obedient, robot, picture):  # noqa: F811
    goal, _ = busy(robot, picture)
    result = goal.get_result_async()
    assert change(robot, Transition.TRANSITION_DEACTIVATE)
    robot.wait_for(result.done, 'the end')
    assert result.result().status == GoalStatus.STATUS_ABORTED
    assert result.result().result.object.text == 'The node was deactivated.'
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    assert robot.ask('anything', rgb_image(picture)).status == ReferredObject.FOUND


def test_ctrl_c_ends_it_in_the_middle_of_work(obedient, robot, picture, interrupt):  # noqa: F811
    busy(robot, picture)
    code, _, output = interrupt(obedient)
    assert code == 0, output
    assert 'Traceback' not in output


def asked(robot, goal):
    """Send a goal and return what came of it: (GoalStatus, ReferredObject).

    It is sent again where no answer comes: see Peer.call.
    """
    client = ActionClient(robot, Segment, 'segment/segment')
    robot.wait_for(client.server_is_ready, 'the action')
    for _ in range(ATTEMPTS):
        sent = client.send_goal_async(goal)
        if robot.comes(sent.done, PATIENCE / ATTEMPTS):
            result = sent.result().get_result_async()
            if robot.comes(result.done, PATIENCE / ATTEMPTS):
                return result.result().status, result.result().result.object
    return pytest.fail(f'{ATTEMPTS} goals were not answered.')


def test_a_goal_to_an_inactive_node_is_aborted_with_a_sentence(start_node, robot):
    start_node('segment')
    status, answer = asked(robot, Segment.Goal(command='the mug'))
    assert status == GoalStatus.STATUS_ABORTED
    assert answer.status == ReferredObject.ERROR
    assert answer.text.startswith('The node is not active')


def test_a_goal_with_its_own_image_needs_no_camera(start_node, robot, picture):  # noqa: F811
    with running(start_node):
        robot.wait_for(robot.images.get_subscription_count, 'the node to be active')
        goal = Segment.Goal(command='the blue cube', image=rgb_image(picture))
        status, answer = asked(robot, goal)
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert answer.status == ReferredObject.FOUND
        status, answer = asked(robot, Segment.Goal(command='', image=rgb_image(picture)))
        assert status == GoalStatus.STATUS_ABORTED
        assert answer.status == ReferredObject.INVALID
