"""The node while its model works, fails, or is not wanted any more."""

from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import Transition
from rcl_interfaces.msg import Log, ParameterType

from helpers.robots import (
    OBEDIENT,
    accepted_goal,
    action_client,
    asked,
    change,
    depth_image,
    header,
    outcome_of,
    rgb_image,
    running,
    set_parameter,
)
from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_camera_info
from iterprime_ros.ros.convert.referred_object import full_mask

FOR_EVER = 'wait for /dev/null/nothing'


def busy(robot, picture, command=FOR_EVER):
    """Have the node work on something without end."""
    client = action_client(robot)
    robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
    rounds = []
    goal = Segment.Goal(command=command, image=rgb_image(picture), feedback_heatmap=True)
    handle = accepted_goal(robot, client, goal, rounds.append)
    robot.wait_for(lambda: rounds, 'a round')
    return handle, rounds


def test_a_lack_of_memory_is_answered_and_the_next_command_too(obedient, robot, picture):
    lacking = robot.ask('need too much memory', rgb_image(picture))
    assert lacking.status == ReferredObject.ERROR
    assert 'Memory ran out' in lacking.text
    found = robot.ask('need half the memory', rgb_image(picture))
    assert found.status == ReferredObject.FOUND
    assert 'at half its size' in found.text
    assert (found.image_width, found.image_height) == (320, 240)
    whole = robot.ask('the blue cube', rgb_image(picture))
    masks = [full_mask(each) for each in (found, whole)]
    # The same object, by regions of another picture.
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.4


def test_what_nobody_expected_is_logged_with_its_traceback(start_process, robot, picture):
    process = start_process(OBEDIENT, '--ros-args', '-p', 'autostart:=true')
    logs = robot.collect(Log, '/rosout', 100)
    info, depth = to_camera_info(picture.pinhole, header()), depth_image(picture)
    for command, text, place in (
        ('raise', "KeyError: 'the model is broken'", 'obedient_segment.py'),
        ('name no candidate', 'ValueError: not enough values', 'answer_publisher.py'),
    ):
        answer = robot.ask(command, rgb_image(picture), depth, info)
        assert answer.status == ReferredObject.ERROR
        assert text in answer.text
        assert '\n' not in answer.text
        robot.wait_for(
            lambda t=text, p=place: any(
                'Traceback' in each.msg and t in each.msg and p in each.msg for each in logs
            ),
            'the traceback',
        )
    assert process.poll() is None


def test_while_it_works_it_answers_everything_else(obedient, robot, picture):
    _, rounds = busy(robot, picture)
    before = len(rounds)
    double = {'type': ParameterType.PARAMETER_DOUBLE, 'double_value': 0.4}
    assert set_parameter(robot, 'match_threshold', **double).successful
    robot.wait_for(lambda: len(rounds) > before, 'another round')
    assert change(robot, Transition.TRANSITION_DEACTIVATE)


def test_a_goal_is_cancelled_between_two_rounds(obedient, robot, picture):
    goal, rounds = busy(robot, picture)
    feedback = rounds[0].feedback
    assert (feedback.heatmap.width, feedback.heatmap.height) == (20, 15)
    goal.cancel_goal_async()
    assert outcome_of(robot, goal)[0] == GoalStatus.STATUS_CANCELED
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND


def test_a_goal_that_waits_is_cancelled_at_once(obedient, robot, picture):
    busy(robot, picture)
    waiting = accepted_goal(robot, action_client(robot), Segment.Goal(command='mark this'))
    waiting.cancel_goal_async()
    status, answer = outcome_of(robot, waiting)
    assert status == GoalStatus.STATUS_CANCELED
    assert (answer.status, answer.text) == (ReferredObject.ERROR, 'The goal was cancelled.')
    assert change(robot, Transition.TRANSITION_DEACTIVATE)


def test_goals_wait_for_each_other_and_too_many_are_refused(obedient, robot, picture):
    working, _ = busy(robot, picture)
    client = action_client(robot)
    most = {'type': ParameterType.PARAMETER_INTEGER, 'integer_value': 3}
    assert set_parameter(robot, 'max_waiting', **most).successful
    goals = [
        accepted_goal(
            robot, client, Segment.Goal(command=f'mark {number}', image=rgb_image(picture))
        )
        for number in range(4)
    ]
    status, answer = outcome_of(robot, goals[3])
    assert (status, answer.command) == (GoalStatus.STATUS_ABORTED, 'mark 3')
    assert answer.text.startswith('3 commands wait already (max_waiting)')
    working.cancel_goal_async()
    assert outcome_of(robot, working)[0] == GoalStatus.STATUS_CANCELED
    for number, goal in enumerate(goals[:3]):
        status, answer = outcome_of(robot, goal)
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert (answer.command, answer.status) == (f'mark {number}', ReferredObject.FOUND)


def test_deactivating_ends_the_work_and_answers_it(obedient, robot, picture):
    working, _ = busy(robot, picture)
    waiting = accepted_goal(robot, action_client(robot), Segment.Goal(command='mark this'))
    assert change(robot, Transition.TRANSITION_DEACTIVATE)
    for goal in (working, waiting):
        status, answer = outcome_of(robot, goal)
        assert status == GoalStatus.STATUS_ABORTED
        assert answer.text == 'The node was deactivated.'
    status, answer = asked(robot, Segment.Goal(command='mark this', image=rgb_image(picture)))
    assert status == GoalStatus.STATUS_ABORTED
    assert answer.text.startswith('The node is not active')
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND


def test_depth_that_comes_while_the_model_works_is_found(obedient, robot, picture, tmp_path):
    """A driver that aligns depth to colour publishes it later than the image."""
    info, depth, image = (
        to_camera_info(picture.pinhole, header()),
        depth_image(picture),
        rgb_image(picture),
    )
    client = action_client(robot)
    robot.wait_for(
        lambda: all(
            each.get_subscription_count() for each in (robot.images, robot.depths, robot.infos)
        ),
        'the node to listen',
    )
    for number in range(20):  # best effort may lose depth and info
        rounds = []
        gate = tmp_path / str(number)
        goal = accepted_goal(
            robot,
            client,
            Segment.Goal(command=f'wait for {gate}', feedback_heatmap=True),
            rounds.append,
        )
        frame = robot.frame(image)
        while not robot.comes(lambda r=rounds: r, 0.5):
            robot.show(frame)
        late = rounds[0].feedback.heatmap.header.stamp
        depth.header.stamp = info.header.stamp = late
        for _ in range(5):
            robot.infos.publish(info)
            robot.depths.publish(depth)
        gate.touch()
        _, answer = outcome_of(robot, goal)
        assert answer.header.stamp == late
        if answer.point_count:
            break
    assert answer.point_count > 0


def test_ctrl_c_ends_it_in_the_middle_of_work(obedient, robot, picture, interrupt):
    busy(robot, picture)
    code, _, output = interrupt(obedient)
    assert code == 0, output
    assert 'Traceback' not in output


def test_ctrl_c_ends_it_though_its_model_hangs(obedient, robot, picture, interrupt):
    client = action_client(robot)
    robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
    accepted_goal(robot, client, Segment.Goal(command='hang', image=rgb_image(picture)))
    waiting = accepted_goal(robot, client, Segment.Goal(command='mark', image=rgb_image(picture)))
    assert waiting.accepted
    code, _, output = interrupt(obedient)
    assert code == 0, output
    assert 'Traceback' not in output


def test_a_goal_to_an_inactive_node_is_aborted_with_a_sentence(start_node, robot):
    start_node('segment')
    status, answer = asked(robot, Segment.Goal(command='the mug'))
    assert status == GoalStatus.STATUS_ABORTED
    assert answer.status == ReferredObject.ERROR
    assert answer.text.startswith('The node is not active')


def test_a_goal_with_its_own_image_needs_no_camera(start_process, robot, picture):
    with running(start_process):
        robot.wait_for(robot.images.get_subscription_count, 'the node to be active')
        goal = Segment.Goal(command='the blue cube', image=rgb_image(picture))
        status, answer = asked(robot, goal)
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert answer.status == ReferredObject.FOUND
        status, answer = asked(robot, Segment.Goal(command='', image=rgb_image(picture)))
        assert status == GoalStatus.STATUS_ABORTED
        assert answer.status == ReferredObject.INVALID
