"""Goals that follow, several cameras, and cameras that fall silent while something is tracked."""

import pytest
from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import Transition
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import String

from helpers.films import Film, claims_nothing
from helpers.robots import (
    PATIENCE,
    Robot,
    accepted_goal,
    action_client,
    asked,
    change,
    outcome_of,
    rgb_image,
    running,
)
from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.convert.referred_object import full_mask
from iterprime_ros.sim.motion import Motion, sample_clip

CUBE = 'the blue cube'
RELIABLE = {'reliability': 'reliable'}
SEED = 7
FRAMES = 60


class Goal:
    """A goal that follows, sent by a film's robot."""

    def __init__(self, film, command=CUBE):
        self.film, self.objects, self.rounds = film, [], []
        self.handle = accepted_goal(
            film.robot,
            action_client(film.robot),
            Segment.Goal(command=command, follow=True),
            self._on_feedback,
        )

    def _on_feedback(self, message):
        answer = message.feedback.object
        if answer.status == ReferredObject.UNKNOWN:
            self.rounds.append(message.feedback)
        else:
            self.objects.append(answer)

    def has(self, number):
        """Show images until there is so much feedback of the track."""
        for _ in range(10 * PATIENCE):
            self.film.publish()
            if self.film.robot.comes(lambda: len(self.objects) >= number, 0.1):
                return self
        return pytest.fail(f'There was no feedback number {number}.')

    def end(self):
        """(GoalStatus, ReferredObject)."""
        return outcome_of(self.film.robot, self.handle)


@pytest.fixture
def film(start_process, robot, picture):
    with running(start_process, **RELIABLE):
        yield Film(robot, picture)


def test_a_goal_follows_until_it_is_cancelled(film):
    goal = Goal(film).has(4)
    assert {each.track_id for each in goal.objects} == {goal.objects[0].track_id} != {0}
    assert [each.track_age for each in goal.objects[:4]] == [0, 1, 2, 3]
    assert goal.rounds
    goal.handle.cancel_goal_async()
    status, last = goal.end()
    assert status == GoalStatus.STATUS_CANCELED
    assert last.header in [each.header for each in goal.objects]
    assert (last.status, last.track_state) == (ReferredObject.FOUND, ReferredObject.TRACKING)
    results = film.robot.results
    film.robot.wait_for(lambda: 'cancelled' in results[-1].text, 'word of the end')
    said = results[-1]
    assert said.text == 'The goal was cancelled. The track ended.'
    assert (said.track_id, claims_nothing(said)) == (last.track_id, True)
    assert film.is_ignored()
    # A command of mode once, and the next goal, find the node at rest.
    assert film.asked(CUBE).track_id == 0
    assert Goal(film).has(2).objects[0].track_id > last.track_id


def test_a_goal_that_finds_nothing_ends_with_that(film):
    for command, status in (
        ('the green elephant', GoalStatus.STATUS_SUCCEEDED),
        ('', GoalStatus.STATUS_ABORTED),
    ):
        goal = Goal(film, command)
        result = goal.handle.get_result_async()
        for _ in range(10 * PATIENCE):
            film.publish()
            if film.robot.comes(result.done, 0.1):
                break
        assert result.result().status == status
        answer = result.result().result.object
        assert (answer.track_id, answer.track_state) == (0, ReferredObject.NOT_TRACKED)
        assert claims_nothing(answer)
        assert not goal.objects


def test_a_goal_follows_no_image_of_its_own(film, picture):
    goal = Segment.Goal(command=CUBE, follow=True, image=rgb_image(picture))
    status, answer = asked(film.robot, goal)
    assert (status, answer.status) == (GoalStatus.STATUS_ABORTED, ReferredObject.INVALID)
    assert answer.text.startswith('An image of its own cannot be followed')


def test_another_goal_takes_its_place_and_a_deactivated_node_ends_it(film):
    first = Goal(film).has(2)
    second = Goal(film)
    status, answer = first.end()
    assert (status, answer.status) == (GoalStatus.STATUS_ABORTED, ReferredObject.ERROR)
    assert answer.text == 'Another command took the place of this one. The track ended.'
    assert answer.track_id == first.objects[0].track_id
    second.has(2)
    assert second.objects[0].track_id > answer.track_id
    assert change(film.robot, Transition.TRANSITION_DEACTIVATE)
    status, answer = second.end()
    assert status == GoalStatus.STATUS_ABORTED
    assert answer.text == 'The node was deactivated. The track ended.'
    assert claims_nothing(answer)
    assert film.robot.results[-1].text == answer.text
    assert change(film.robot, Transition.TRANSITION_ACTIVATE)
    assert Goal(film).has(2).objects[0].track_age == 0


def test_a_silent_camera_is_reported_once_and_a_dead_one_ends_the_goal(
    start_process, robot, picture
):
    with running(start_process, frame_timeout=1.0, **RELIABLE):
        film = Film(robot, picture)
        goal = Goal(film).has(2)
        for _ in range(2):
            number = len(goal.objects)
            robot.wait_for(
                lambda: goal.objects[-1].status == ReferredObject.ERROR, 'word of the silence'
            )
            silent = goal.objects[-1]
            assert silent.text.startswith('No image arrived within 1 s: ')
            assert silent.text.endswith('The track goes on when images return.')
            assert silent.track_state == ReferredObject.UNSURE
            assert claims_nothing(silent)
            robot.comes(lambda: False, 2.0)
            assert goal.objects[-1] is silent
            said = [each.status for each in goal.objects[number:]]
            assert said.count(ReferredObject.ERROR) == 1
            back = goal.has(len(goal.objects) + 2).objects[-1]
            assert (back.track_id, back.status) == (silent.track_id, ReferredObject.FOUND)
        robot.destroy_publisher(robot.images)
        status, answer = goal.end()
        assert status == GoalStatus.STATUS_ABORTED
        assert 'has no publisher' in answer.text
        assert answer.text.endswith('The track ended.')


def test_a_command_without_an_image_starts_no_track(start_process, robot, picture):
    with running(start_process, mode='track', frame_timeout=1.0, **RELIABLE):
        film = Film(robot, picture)
        robot.say(CUBE, lambda: robot.results)
        refused = robot.results[-1]
        assert refused.text.startswith('No image arrived within 1 s: ')
        assert (refused.track_id, refused.track_state) == (0, ReferredObject.NOT_TRACKED)
        assert film.is_ignored()


def test_each_camera_has_a_track_of_its_own(start_process, ros_domain, picture):
    names = ('left', 'right')
    robots = [Robot(f'at_{name}', camera=name) for name in names]
    with running(start_process, mode='track', cameras="['left', 'right']", **RELIABLE):
        left, right = (
            Film(robot, picture, f'{name}/') for robot, name in zip(robots, names, strict=True)
        )
        first, second = left.asked(CUBE), right.asked(CUBE)
        assert first.track_id != second.track_id
        for _ in range(4):
            left.shift += 2
            assert left.seen().track_id == first.track_id
            assert right.seen().track_id == second.track_id
        left.robot.commands.publish(String(data=''))
        left.robot.wait_for(
            lambda: left.robot.results[-1].status == ReferredObject.INVALID, 'the end'
        )
        assert left.is_ignored()
        assert right.seen().track_id == second.track_id
    for robot in robots:
        robot.destroy_node()


def test_it_follows_what_is_pushed_before_the_simulated_camera(start_process, start_node, robot):
    clip = sample_clip(SEED, Motion.PUSH)
    start_node('sim_camera', motion='push', seed=SEED, width=320, height=240)
    truths = robot.collect(Image, 'sim_camera/truth/ids', qos_profile_sensor_data)
    with running(start_process, mode='track'):
        robot.wait_for(lambda: truths, 'the camera')
        robot.say(clip.expression, lambda: robot.results)

        def pairs():
            """The answers whose truth was not lost, and that."""
            by_stamp = {nanoseconds_of(each.header): each for each in truths}
            found = ((each, by_stamp.get(nanoseconds_of(each.header))) for each in robot.results)
            return [(answer, truth) for answer, truth in found if truth is not None]

        robot.wait_for(lambda: len(pairs()) > FRAMES, 'answers')
    on_target = []
    for answer, truth in pairs():
        if answer.track_state == ReferredObject.TRACKING:
            mask, target = full_mask(answer), from_image(truth) == clip.target
            on_target.append((mask & target).sum() > 0.5 * (mask | target).sum())
    assert {each.track_id for each in robot.results} == {1}
    assert len(on_target) > FRAMES / 2
    assert sum(on_target) > 0.75 * len(on_target)  # a busy machine leaves out many images
