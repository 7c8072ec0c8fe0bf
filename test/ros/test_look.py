"""The node look beside a real node segment: what it saves of the topics, over DDS."""

import numpy as np
import pytest

from helpers.recordings import Recording
from helpers.robots import (
    PATIENCE,
    accepted_goal,
    action_client,
    depth_image,
    ended_well,
    header,
    outcome_of,
    rgb_image,
)
from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.answers import answer_of, box_of, grasp_of
from iterprime_ros.ros.convert.images import to_camera_info
from iterprime_ros.ros.convert.referred_object import full_mask

OWN = {'/rosout', '/parameter_events'}  # what every node publishes


@pytest.fixture
def look(start_node, tmp_path, robot):
    """The node, which saves all; what it has saved once it was interrupted, by `.saved()`."""

    class Look:
        def __init__(self):
            self.file = tmp_path / 'node.rrd'
            self.process = start_node('look', file=self.file)
            robot.wait_for(lambda: 'look' in robot.get_node_names(), 'the node look')
            robot.wait_for(lambda: robot.images.get_subscription_count(), 'it to listen')

        def saved(self):
            ended_well(self.process)
            return Recording(self.file, 'stamp')

    return Look()


def nanoseconds(times):
    return {each.value if hasattr(each, 'value') else int(each) for each in times}


def at(rows, second):
    """Return the values at a stamp of whole seconds."""
    found = {nanoseconds([time]).pop(): value for time, value in rows.items()}
    return found[second * 1_000_000_000]


def test_it_saves_what_the_node_answers(look, obedient, robot, picture):
    messages = rgb_image(picture), depth_image(picture), to_camera_info(picture.pinhole, header())
    robot.wait_for(lambda: robot.count_subscribers('segment/points'), 'the node look')
    answer = robot.ask_until(
        lambda each: each.point_count and each.grasps, 'pick up the blue cube', *messages
    )
    second = answer.header.stamp.sec
    robot.comes(lambda: False, 3)  # what else it publishes about this image
    names = robot.get_publisher_names_and_types_by_node('look', '/')
    assert {name for name, _ in names} <= OWN
    saved = look.saved()
    assert saved.timelines >= {'stamp'}
    blob = at(saved.rows('world/camera/image', 'EncodedImage:blob'), second)
    assert bytes(blob[0])[:3] == b'\xff\xd8\xff'
    classes = at(saved.rows('world/camera/answer/mask', 'SegmentationImage:buffer'), second)
    mask = np.array(classes[0], np.uint8).reshape(picture.rgb.shape[:2])
    np.testing.assert_array_equal(mask > 0, full_mask(answer))
    assert at(saved.scalars('plots/chance/best'), second) == pytest.approx(answer.chance)
    (centre,) = at(saved.rows('world/objects/0/box', 'Boxes3D:centers'), second)
    np.testing.assert_allclose(centre, box_of(answer).position, rtol=1e-6)
    labels = at(saved.rows('world/objects/0/grasps', 'LineStrips3D:labels'), second)
    assert labels == [f'grasp {grasp_of(each).quality:.2f}' for each in answer.grasps]
    assert len(at(saved.rows('world/objects/0/points', 'Points3D:positions'), second)) == (
        answer.point_count
    )
    assert at(saved.rows('heatmaps/answer', 'EncodedImage:blob'), second)
    (line,) = at(saved.rows('history', 'TextLog:text'), second)
    assert line == f'"pick up the blue cube": {answer.text}'
    spent = at(saved.scalars('plots/latency/inference'), second)
    assert spent == pytest.approx(
        1e3 * answer.inference_time.sec + 1e-6 * answer.inference_time.nanosec
    )
    assert saved.rows('world/scene', 'Points3D:positions')


def test_rounds_of_a_goal_are_saved(look, obedient, robot, picture, tmp_path):
    gate = tmp_path / 'gate'
    client = action_client(robot)
    feedback = 'segment/segment/_action/feedback'
    robot.wait_for(lambda: robot.count_subscribers(feedback) > 1, 'the node look')
    goal = Segment.Goal(command=f'wait for {gate}', image=rgb_image(picture), feedback_heatmap=True)
    goal.image.header.stamp.sec = 7
    rounds = []
    handle = accepted_goal(robot, client, goal, rounds.append)
    robot.wait_for(lambda: len(rounds) > 20, 'feedback')
    gate.touch()
    outcome_of(robot, handle)
    (title,) = at(look.saved().rows('heatmaps/round_0/title', 'Boxes2D:labels'), 7)
    assert title == 'round 0: match 0.50'


def test_an_image_that_cannot_be_read_is_one_warning(look, robot, picture):
    image = rgb_image(picture)
    image.encoding = 'none'
    for _ in range(5):
        robot.show(robot.frame(image))
        robot.comes(lambda: False, 0.2)
    saved = look.saved()
    assert 'world/camera/image' not in saved.entities


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'file': 'answers.png'}, '.rrd'),
        ({'file': '/proc/none/answers.rrd'}, 'Cannot write'),
        ({'memory_limit': 'much'}, 'did not start'),
        ({'web_port': '70000'}, 'web_port'),
    ],
)
def test_what_cannot_work_ends_with_a_sentence(start_node, parameters, reason):
    process = start_node('look', **parameters)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, output
    assert reason in output
    assert 'Traceback' not in output


def test_an_error_has_no_candidates():
    message = ReferredObject(status=ReferredObject.ERROR, text='No image came.')
    answer = answer_of(message)
    assert answer.candidates == ()
    assert not answer.mask.size
    assert answer.text == 'No image came.'
