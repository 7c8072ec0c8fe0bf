"""Questions back, replies to them, and what was spoken, over DDS."""

import pytest
from rcl_interfaces.msg import ParameterType
from std_msgs.msg import Empty, String

from helpers.robots import depth_image, rgb_image, running, set_parameter
from iterprime_ros.msg import ReferredObject, SpokenCommand
from iterprime_ros.ros.convert.images import to_camera_info

QUESTION = 'Which mug: the one on the left, the one in the middle, or the one on the right?'


@pytest.fixture
def frame(picture):
    """The image of three mugs, its depth and its calibration."""
    info = to_camera_info(picture.pinhole, depth_image(picture).header)
    return rgb_image(picture), depth_image(picture), info


@pytest.fixture
def questions(robot):
    return robot.collect(String, 'segment/question', 10)


def asked(robot, questions, command, frame):
    """Say a command and return the question to it."""
    before = len(questions)
    answer = robot.ask(command, *frame)
    assert answer.status == ReferredObject.AMBIGUOUS
    robot.wait_for(lambda: len(questions) > before, 'the question')
    return questions[-1].data


def test_a_reply_is_answered_as_the_command_that_it_completes(
    start_process, robot, questions, frame
):
    with running(start_process):
        assert asked(robot, questions, 'pick up the mug', frame) == QUESTION
        answer = robot.ask('the left one', *frame)
        assert (answer.status, answer.command) == (ReferredObject.FOUND, 'the left one')
        assert (answer.action_verb, answer.expression) == ('pick', 'the leftmost mug')
        assert 'Understood as "pick up the leftmost mug".' in answer.text
        # The question has its reply: the same words are a command of their own now.
        assert robot.ask('the left one', *frame).expression == 'the left one'

        asked(robot, questions, 'the mug', frame)
        taken_back = robot.ask('never mind', *frame)
        assert taken_back.status == ReferredObject.INVALID
        assert taken_back.text == 'The command was taken back.'

        asked(robot, questions, 'the mug', frame)
        other = robot.ask('pick up the cube', *frame)
        assert (other.status, other.expression) == (ReferredObject.FOUND, 'the cube')


def test_nothing_is_asked_four_times(start_process, robot, questions, frame):
    with running(start_process):
        asked(robot, questions, 'the mug', frame)
        for _ in range(2):
            asked(robot, questions, 'yes', frame)
        answer = robot.ask('yes', *frame)
        assert answer.status == ReferredObject.AMBIGUOUS
        # The next command begins anew, and its question comes next.
        assert asked(robot, questions, 'the blue object', frame).startswith('Which blue object')
        assert len(questions) == 4


def test_stop_ends_a_question_and_none_is_asked_where_none_is_wanted(
    start_process, robot, questions, frame
):
    stop = robot.create_publisher(Empty, 'stop', 1)
    with running(start_process):
        asked(robot, questions, 'the mug', frame)
        robot.wait_for(stop.get_subscription_count, 'the node to listen for stop')
        stop.publish(Empty())
        # Once it is heard, the reply is a command like any other.
        for _ in range(20):
            answer = robot.ask('the left one', *frame)
            if answer.expression == 'the left one':
                break
        assert answer.expression == 'the left one'
        never = {'type': ParameterType.PARAMETER_DOUBLE, 'double_value': 0.0}
        assert set_parameter(robot, 'reply_timeout', **never).successful
        before = len(questions)
        assert robot.ask('the mug', *frame).status == ReferredObject.AMBIGUOUS
        assert robot.ask('the left one', *frame).expression == 'the left one'
        assert len(questions) == before


def test_a_reply_starts_a_track(start_process, robot, questions, frame):
    with running(start_process, mode='track'):
        asked(robot, questions, 'the mug', frame)
        answer = robot.ask('the right one', *frame)
        assert answer.track_state == ReferredObject.TRACKING
        assert answer.expression == 'the rightmost mug'
        robot.show(robot.frame(*frame))
        robot.wait_for(lambda: robot.results[-1].track_age, 'a step')
        assert robot.results[-1].command == 'the right one'


def test_of_what_may_have_been_said_that_which_is_true_is_answered(
    start_process, robot, questions, frame
):
    spoken = robot.create_publisher(SpokenCommand, 'spoken_command', 10)

    def said(*hypotheses):
        before = len(robot.results)
        message = SpokenCommand()
        message.transcript = [text for text, _ in hypotheses]
        message.confidence = [confidence for _, confidence in hypotheses]
        spoken.publish(message)
        for _ in range(300):
            robot.show(robot.frame(*frame))
            if robot.comes(lambda: len(robot.results) > before, 0.1):
                return robot.results[-1]
        return pytest.fail('What was spoken was not answered.')

    with running(start_process):
        robot.wait_for(
            lambda: spoken.get_subscription_count() and robot.images.get_subscription_count(),
            'the node to listen',
        )
        answer = said(('pick up the yellow plate', 0.6), ('pick up the yellow cup', 0.4))
        assert (answer.status, answer.command) == (
            ReferredObject.FOUND,
            'pick up the yellow plate',
        )
        answer = said(('pick up the mug', 1.0))
        assert answer.status == ReferredObject.AMBIGUOUS
        robot.wait_for(lambda: questions, 'the question')
        answer = said(('the middle one', 0.9), ('the little one', 0.1))
        assert answer.status == ReferredObject.FOUND
        assert (answer.command, answer.expression) == ('the middle one', 'the middle mug')
        assert said().status == ReferredObject.INVALID
