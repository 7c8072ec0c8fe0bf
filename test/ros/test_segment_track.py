"""The node in mode track: what it says of an object from image to image."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log, ParameterType
from sensor_msgs.msg import Image
from std_msgs.msg import String

from helpers.films import Film, claims_nothing
from helpers.robots import (
    OBEDIENT,
    Robot,
    ended_well,
    header,
    processes,
    set_parameter,
)
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.referred_object import full_mask

CUBE = 'the blue cube'
SETTINGS = {'mode': 'track', 'reliability': 'reliable'}


@pytest.fixture(scope='module', autouse=True)
def node(ros_domain):
    """One for all tests here: none may harm it, and it has to end well."""
    settings = {'autostart': 'true', 'offline': 'true', 'frame_timeout': '60.0', **SETTINGS}
    with processes() as start:
        given = (part for name, value in settings.items() for part in ('-p', f'{name}:={value}'))
        process = start(OBEDIENT, '--ros-args', *given)
        yield process
        ended_well(process)


@pytest.fixture(scope='module')
def film(node, picture):
    robot = Robot('director')
    film = Film(robot, picture)
    film.located(CUBE)
    yield film
    robot.destroy_node()


@pytest.fixture(autouse=True)
def at_rest(film):
    """Nothing is tracked when a test begins, and the picture is where it was."""
    film.shift = 0
    before = len(film.robot.results)
    film.robot.commands.publish(String(data=''))
    film.robot.wait_for(lambda: len(film.robot.results) > before, 'the end of the track')


def test_it_is_the_same_object_while_it_moves(film):
    film.poses.clear()
    film.filtered.clear()
    first = film.asked(CUBE)
    assert (first.status, first.track_state) == (ReferredObject.FOUND, ReferredObject.TRACKING)
    assert (first.track_age, first.track_confidence) == (0, 1.0)
    assert first.match_probability > 0
    answers = [first]
    for _ in range(12):
        film.shift += 2
        answers.append(film.seen())
        mask, truth = full_mask(answers[-1]), film.truth('blue cube')
        assert (mask & truth).sum() / (mask | truth).sum() > 0.5
    assert {each.track_id for each in answers} == {first.track_id}
    assert {each.status for each in answers} == {ReferredObject.FOUND}
    ages = [each.track_age for each in answers]
    assert ages == sorted(set(ages))
    assert answers[-1].text.startswith(f'Tracking "{CUBE}"')
    assert answers[-1].ranked_by == ''
    last = answers[-1]
    speed = 2 * last.track_position.z / film.picture.pinhole.fx / 0.033  # 2 pixels an image
    deviation = np.sqrt(last.track_velocity_covariance[0])
    assert last.track_velocity.x == pytest.approx(speed, abs=3 * deviation)
    assert last.track_velocity.x > speed / 2 > 0
    assert 0 < last.track_position_covariance[0] < first.track_position_covariance[0]
    assert last.track_position.x == pytest.approx(last.box.position.x, abs=0.01)


def test_poses_are_filtered_and_have_the_stamps_of_their_images(film):
    film.asked(CUBE)
    answers = [film.seen() for _ in range(4)]

    def of_answers(messages):
        by_stamp = {nanoseconds_of(each.header): each for each in messages}
        return [by_stamp.get(nanoseconds_of(each.header)) for each in answers]

    film.robot.wait_for(
        lambda: None not in of_answers(film.poses) + of_answers(film.filtered), 'poses'
    )
    for answer, pose, filtered in zip(
        answers, of_answers(film.poses), of_answers(film.filtered), strict=True
    ):
        assert pose.header == filtered.header == answer.header
        assert pose.pose == filtered.pose.pose
        assert pose.pose.position == answer.track_position
        assert pose.pose.orientation == answer.box.orientation
        covariance = np.reshape(filtered.pose.covariance, (6, 6))
        assert np.array_equal(covariance[:3, :3].ravel(), answer.track_position_covariance)
        assert np.linalg.eigvalsh(covariance).min() > 0


def test_another_command_takes_its_place(film):
    first = film.asked(CUBE)
    others = (each for each in film.picture.scene.objects if each.kind != 'cube')
    answers = (film.asked(f'the {each.colour} {each.kind}') for each in others)
    second = next(each for each in answers if each.status == ReferredObject.FOUND)
    assert second.track_id > first.track_id
    assert second.track_age == 0
    assert {(film.seen().command, film.seen().track_id) for _ in range(3)} == {
        (second.command, second.track_id)
    }
    again = film.asked(CUBE)
    assert again.track_id > second.track_id


def test_an_empty_command_ends_it(film):
    followed = film.asked(CUBE)
    film.robot.commands.publish(String(data='  '))
    film.robot.wait_for(
        lambda: film.robot.results[-1].track_state == ReferredObject.NOT_TRACKED, 'the end'
    )
    last = film.robot.results[-1]
    assert (last.status, last.track_id) == (ReferredObject.INVALID, followed.track_id)
    assert last.text == 'The command is empty. The track ended.'
    assert claims_nothing(last)
    assert film.is_ignored()


@pytest.mark.parametrize(
    ('command', 'status', 'said'),
    [
        ('mark several', ReferredObject.FOUND_SEVERAL, 'only one object can be'),
        ('mark either', ReferredObject.AMBIGUOUS, 'say which one is meant'),
        ('the of of', None, ''),
        ('need too much memory', ReferredObject.ERROR, 'Memory ran out'),
    ],
)
def test_only_one_object_that_is_found_is_tracked(film, command, status, said):
    answer = film.asked(command)
    assert status in (answer.status, None)
    assert answer.status != ReferredObject.FOUND
    assert said in answer.text
    assert (answer.track_id, answer.track_state) == (0, ReferredObject.NOT_TRACKED)
    assert film.is_ignored()


def test_what_is_out_of_sight_is_lost_and_found_again(film):
    followed = film.asked(CUBE)
    for _ in range(3):
        film.seen()
    dark = film.black()
    film.seen(rgb=dark)
    film.robot.comes(lambda: False, 0.3)  # poses of the images before
    film.poses.clear()
    film.filtered.clear()
    lost = film.until(ReferredObject.LOST, rgb=dark)
    assert (lost.status, lost.track_id) == (ReferredObject.NOT_FOUND, followed.track_id)
    assert lost.text.startswith(f'Lost "{CUBE}"')
    assert lost.track_confidence == 0
    assert claims_nothing(lost)
    assert film.seen(rgb=dark).track_state == ReferredObject.LOST
    film.robot.comes(lambda: False, 0.3)
    assert film.poses == film.filtered == []
    found = film.until(ReferredObject.TRACKING)
    assert (found.track_id, found.status) == (followed.track_id, ReferredObject.FOUND)
    mask, truth = full_mask(found), film.truth('blue cube')
    assert (mask & truth).sum() / (mask | truth).sum() > 0.5


def test_stamps_that_jump_back_begin_the_filter_anew(film):
    first = film.asked(CUBE)
    for _ in range(4):
        film.shift += 2
        before = film.seen()
    film.now -= 50_000_000_000  # a bag is played again
    after = film.seen()
    assert (after.track_id, after.track_state) == (first.track_id, ReferredObject.TRACKING)
    assert before.track_velocity_covariance[0] < 1 == after.track_velocity_covariance[0]
    assert after.track_velocity.x == 0
    assert film.seen().track_velocity_covariance[0] < 1


def test_images_of_another_size_end_it(film):
    followed = film.asked(CUBE)
    ended = film.seen(shape=(120, 160))
    assert (ended.status, ended.track_state) == (ReferredObject.ERROR, ReferredObject.NOT_TRACKED)
    assert ended.track_id == followed.track_id
    assert ended.text == (
        'The images have 160 x 120 pixels and no longer 320 x 240. The track ended.'
    )
    assert film.is_ignored()
    assert film.asked(CUBE).track_age == 0


def test_an_image_that_cannot_be_read_does_not_end_it(film):
    followed = film.asked(CUBE)
    bad = Image(header=header(), height=2, width=2, encoding='fancy', step=2, data=b'abcd')
    film.robot.images.publish(bad)
    film.robot.wait_for(
        lambda: film.robot.results[-1].status == ReferredObject.INVALID, 'the refusal'
    )
    refused = film.robot.results[-1]
    assert (refused.track_id, refused.track_state) == (
        followed.track_id, ReferredObject.UNSURE
    )  # fmt: skip
    assert claims_nothing(refused)
    assert film.seen().track_id == followed.track_id
    assert film.robot.results[-1].status == ReferredObject.FOUND


def test_another_mode_ends_it_and_the_same_mode_does_not(film):
    followed = film.asked(CUBE)

    def switch(mode):
        text = {'type': ParameterType.PARAMETER_STRING, 'string_value': mode}
        assert set_parameter(film.robot, 'mode', **text).successful

    switch('track')
    assert film.seen().track_id == followed.track_id
    switch('continuous')
    film.robot.wait_for(
        lambda: film.robot.results[-1].text == 'The mode is continuous now. The track ended.',
        'the end',
    )
    assert film.is_ignored()
    assert film.asked(CUBE).track_state == ReferredObject.NOT_TRACKED
    assert film.seen().match_probability > 0
    switch('track')
    assert film.is_ignored()
    assert film.asked(CUBE).track_id > followed.track_id


def test_the_log_has_the_changes_and_the_diagnostics_the_state(film):
    logs = film.robot.collect(Log, '/rosout', 100)
    statuses = film.robot.collect(DiagnosticArray, '/diagnostics', 10)
    followed = film.asked(CUBE)
    for _ in range(10):
        film.seen()

    def values():
        return {each.key: each.value for each in statuses[-1].status[0].values}

    line = f'{followed.track_id} TRACKING'
    film.robot.wait_for(lambda: statuses and values()['tracks'] == line, 'the state')
    assert float(values()['median track step, ms']) > 0
    film.until(ReferredObject.LOST, rgb=film.black())
    film.robot.wait_for(lambda: any('Lost "' in each.msg for each in logs), 'the log line')
    lines = [each.msg for each in logs if f'"{CUBE}"' in each.msg and each.level > Log.DEBUG]
    assert not [each for each in lines if 'Tracking' in each]
    assert len(lines) <= 3  # found, unsure, lost
