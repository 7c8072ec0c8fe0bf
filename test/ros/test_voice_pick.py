"""The glue between answers and a robot, run as a user runs it."""

from pathlib import Path

import pytest
from action_msgs.msg import GoalStatus, GoalStatusArray
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from std_msgs.msg import Empty, String

from helpers.picking_robot import PickingRobot
from helpers.robots import running
from iterprime_ros.msg import ReferredObject

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# A scene with two green mugs, each of which can be lifted.
SEED, COMMAND, REPLY = 8, 'pick up the green mug', 'the left one'
WHOLE = 'the leftmost green mug'
THING, TABLE = 0.7, 0.8  # metres from the camera


@pytest.fixture
def robot(ros_domain):
    node = PickingRobot()
    yield node
    node.destroy_node()


@pytest.fixture
def glued(robot, start_process):
    """The robot with the example beside it."""
    start_process(EXAMPLES / 'voice_pick.py')
    publishers = (robot.answers, robot.depths, robot.stops)
    robot.wait_for(
        lambda: (
            all(each.get_subscription_count() for each in publishers)
            and robot.count_clients('pick/confirm')
        ),
        'the example to listen',
    )
    return robot


def begun(robot):
    """Have the example send a goal; return it."""
    before = len(robot.goals)
    for _ in range(20):  # a server that has not discovered all of a client is not ready for it
        for _ in range(5):  # best effort may lose any of them
            stamp = robot.show(THING)
        robot.answer(stamp)
        if robot.comes(lambda: len(robot.goals) > before, 2.0):
            return robot.goals[-1]
    return pytest.fail('No goal was sent.')


def decided(robot, thing):
    """Show a thing while the gripper waits at the grasp; return whether it may close."""
    before = len(robot.confirmed)
    robot.is_at_the_grasp(robot.goals[-1])
    for _ in range(100):
        robot.show(thing)
        if robot.comes(lambda: len(robot.confirmed) > before, 0.1):
            return robot.confirmed[-1]
    return pytest.fail('Nobody said whether the gripper may close.')


def test_a_gripper_closes_where_the_scene_is_unchanged(glued):
    logs = glued.collect(Log, '/rosout', 100)
    for _ in range(10):  # best effort may lose the depth to compare with
        goal = begun(glued)
        assert goal.request.confirm
        assert goal.request.header.frame_id == 'camera'
        assert goal.request.grasp.width == pytest.approx(0.05)
        may_close = decided(glued, THING)
        glued.end(goal)
        if may_close:
            break
    assert may_close
    for _ in range(10):
        goal = begun(glued)
        assert decided(glued, TABLE) is False
        glued.end(goal)
        if glued.comes(lambda: any('The object has moved.' in each.msg for each in logs), 1.0):
            return
    pytest.fail('That the object has moved was not said.')


def test_nothing_moves_where_an_answer_does_not_allow_it(glued):
    for fields in (
        {'status': ReferredObject.AMBIGUOUS},
        {'status': ReferredObject.NOT_FOUND},
        {'grasps': []},
        {'action_verb': 'look'},
    ):
        glued.answer(glued.show(THING), **fields)
    stale = glued.now()
    stale.sec -= 60
    glued.answer(stale)
    begun(glued)  # what was said after all of them
    assert len(glued.goals) == 1
    glued.answer(glued.show(THING))
    assert not glued.comes(lambda: len(glued.goals) > 1, 1.0)  # one at a time


def test_after_a_goal_that_is_refused_the_next_one_is_sent(glued):
    glued.refuses = True
    for _ in range(20):
        glued.answer(glued.show(THING))
        if glued.comes(lambda: glued.refused, 2.0):
            break
    assert glued.refused
    glued.refuses = False
    begun(glued)


def test_stop_takes_a_goal_back_and_forgets_what_was_seen_before(glued):
    goal = begun(glued)
    before = glued.show(THING)
    glued.stops.publish(Empty())
    glued.wait_for(lambda: goal.is_cancel_requested, 'the goal to be taken back')
    glued.end(goal, 'Stopped.')
    glued.answer(before)
    assert not glued.comes(lambda: len(glued.goals) > 1, 1.0)
    begun(glued)


def test_what_is_said_to_the_simulated_robot_is_lifted(peer, start_process, start_node):
    """All of it: camera and gripper, the segment node, a question and its reply, and the glue."""
    statuses = peer.collect(GoalStatusArray, 'pick/_action/status', LATCHED)
    answers = peer.collect(ReferredObject, 'segment/result', 10)
    questions = peer.collect(String, 'segment/question', 10)
    command = peer.create_publisher(String, 'command', 10)
    began = peer.get_clock().now().nanoseconds

    def status():
        """Return the state of the goal; another test's last status may still be about."""
        goals = [each for message in statuses for each in message.status_list]
        ours = [
            each.status for each in goals if Time.from_msg(each.goal_info.stamp).nanoseconds > began
        ]
        return ours[-1] if ours else GoalStatus.STATUS_UNKNOWN

    start_node('sim_robot', seed=SEED, width=320, height=240)  # small images are seldom lost
    start_process(EXAMPLES / 'voice_pick.py', '--ros-args', '-r', 'result:=/segment/result')
    with running(start_process):
        peer.wait_for(command.get_subscription_count, 'the node to listen')
        peer.wait_for(lambda: peer.count_subscribers('segment/result') > 1, 'the example')

        def said(words, heard):
            before = len(heard)
            for _ in range(5):
                command.publish(String(data=words))
                if peer.comes(lambda: len(heard) > before, 20):
                    return heard[-1]
            return pytest.fail(f'"{words}" came to nothing.')

        said(COMMAND, questions)
        assert status() == GoalStatus.STATUS_UNKNOWN  # nothing moves at a question
        said(REPLY, answers)
        assert answers[-1].expression == WHOLE
        for _ in range(5):  # on a busy machine an answer may be too old, or an image lost
            if not peer.comes(lambda: status() != GoalStatus.STATUS_UNKNOWN, 5):
                said(f'pick up {WHOLE}', answers)
                continue
            peer.wait_for(lambda: status() > GoalStatus.STATUS_CANCELING, 'the pick to end')
            if status() == GoalStatus.STATUS_SUCCEEDED:
                return
            said(f'pick up {WHOLE}', answers)
        pytest.fail('Nothing was lifted.')
