"""Images and depth are joined before inference, and refused where they do not fit each other.

The model of `obedient` answers "measure" with the depth that it was given.
"""

import io
import struct
from copy import deepcopy

import numpy as np
import PIL.Image
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

from helpers.robots import (
    accepted_goal,
    action_client,
    asked,
    depth_image,
    header,
    outcome_of,
    rgb_image,
    running,
)
from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import from_image, to_camera_info, to_image
from iterprime_ros.ros.convert.referred_object import full_mask, instance_masks

TRIES = 20  # best effort may lose any message


@pytest.fixture
def messages(picture):
    """Image, depth and calibration of one picture."""
    return rgb_image(picture), depth_image(picture), to_camera_info(picture.pinhole, header())


def listening(robot):
    robot.wait_for(
        lambda: all(
            each.get_subscription_count()
            for each in (robot.images, robot.depths, robot.infos, robot.commands)
        ),
        'the node to listen',
    )


def stamped(second, *messages):
    for message in messages:
        message.header.stamp = Time(sec=second)


def test_a_slow_model_keeps_the_depth_of_its_image(obedient, robot, messages, tmp_path):
    """A second of depth images comes while the model works."""
    image, depth, info = messages
    client = action_client(robot)
    listening(robot)
    for number in range(TRIES):
        gate = tmp_path / str(number)
        rounds = []
        goal = Segment.Goal(command=f'wait for {gate}', feedback_heatmap=True)
        handle = accepted_goal(robot, client, goal, rounds.append)
        for second in range(1000 * number + 1, 1000 * number + 1000):
            stamped(second, image, depth, info)
            for publisher, message in (
                (robot.infos, info), (robot.depths, depth), (robot.images, image)
            ):  # fmt: skip
                publisher.publish(message)
            if robot.comes(lambda r=rounds: r, 0.2):
                break
        for later in range(30):
            stamped(1000 * number + 2000 + later, depth)
            robot.depths.publish(depth)
            robot.comes(lambda: False, 0.01)
        gate.touch()
        _, answer = outcome_of(robot, handle)
        assert answer.status == ReferredObject.FOUND
        if answer.point_count:
            return
    pytest.fail(f'No answer had a 3D position; the last: {answer.text}')


def given_to(picture):
    """What a model says that was given the depth and the calibration of a picture."""
    depth = np.nanmedian(picture.depth)
    return f'Given depth {depth:.3f} at {picture.depth.shape}, fx {picture.pinhole.fx:.1f}.'


@pytest.mark.usefixtures('obedient')
def test_the_model_is_given_depth_and_calibration(robot, messages, picture):
    given = given_to(picture)
    answer = robot.ask_until(lambda answer: given in answer.text, 'measure', *messages)
    assert answer.point_count > 0
    assert robot.ask('measure', messages[0]).text.startswith('Given no depth.')


@pytest.mark.usefixtures('obedient')
def test_an_image_at_half_its_size_has_its_depth_and_half_the_focal_length(
    robot, messages, picture
):
    depth = np.nanmedian(picture.depth)
    given = f'Given depth {depth:.3f} at (240, 320), fx {picture.pinhole.fx / 2:.1f}. Memory ran'
    command = 'need half the memory and measure'
    answer = robot.ask_until(lambda answer: given in answer.text, command, *messages)
    assert (answer.image_width, answer.image_height) == (320, 240)
    assert answer.point_count > 0


@pytest.mark.usefixtures('obedient')
def test_depth_that_does_not_belong_to_the_image_leaves_the_image_and_a_sentence(robot, messages):
    image, depth, info = messages
    cut = to_image(from_image(depth)[:, :160], '32FC1', header())
    other, wrong = deepcopy(info), deepcopy(info)
    other.width //= 2
    wrong.k = [0.0] * 9
    for given, calibration, words in (
        (cut, info, 'Given no depth. The depth image has 160 x 240 pixels'),
        (depth, other, 'Given no depth. The camera_info is of 160 x 240 pixels'),
        (depth, wrong, 'Given no depth. The camera_info has fx 0'),
    ):
        answer = robot.ask_until(
            lambda answer, w=words: w in answer.text, 'measure', image, given, calibration
        )
        assert (answer.status, answer.point_count) == (ReferredObject.FOUND, 0)


@pytest.mark.usefixtures('obedient')
def test_a_goal_with_its_own_image_has_no_depth(robot, messages):
    robot.ask_until(lambda answer: answer.point_count, 'measure', *messages)
    _, answer = asked(robot, Segment.Goal(command='measure', image=messages[0]))
    assert (answer.text, answer.point_count) == ('Given no depth.', 0)


@pytest.mark.usefixtures('obedient')
def test_several_objects_are_listed_and_have_no_common_position(robot, messages):
    shown = {
        name: robot.collect(kind, f'segment/{name}', 10)
        for name, kind in (('mask', Image), ('pose', PoseStamped), ('markers', MarkerArray))
    }
    robot.ask_until(lambda answer: answer.point_count, 'measure', *messages)
    robot.wait_for(lambda: shown['pose'], 'the pose of one object')
    several = robot.ask_until(
        lambda answer: 'No depth' not in answer.text, 'mark several', *messages
    )
    assert (several.status, several.instance_count) == (ReferredObject.FOUND_SEVERAL, 2)
    assert (several.text, several.ranked_by) == ('Found 2.', 'chance')
    assert [each.chance for each in several.candidates] == [0.75, 0.5, 0.25]
    first, second = instance_masks(several)
    assert not (first & second).any()
    assert np.array_equal(full_mask(several), first | second)
    position = several.centroid, several.box.position, several.box.orientation
    assert all(np.isnan(each.x) for each in position)
    assert np.isnan([several.chance, several.heatmap_mean, several.predicted_iou]).all()
    assert several.point_count == 0
    same = several.header.stamp
    robot.wait_for(lambda: any(each.header.stamp == same for each in shown['mask']), 'the union')
    union = next(each for each in shown['mask'] if each.header.stamp == same)
    assert np.array_equal(from_image(union) > 0, first | second)
    robot.wait_for(
        lambda: any(each.markers[0].header.stamp == same for each in shown['markers']),
        'the end of the markers',
    )
    gone = next(each for each in shown['markers'] if each.markers[0].header.stamp == same)
    assert [each.action for each in gone.markers] == [Marker.DELETEALL]
    assert all(each.header.stamp != same for each in shown['pose'])


def test_a_fast_model_waits_for_depth_that_comes_later(start_process, robot, messages):
    image, depth, info = messages
    with running(start_process, depth_wait=5.0):
        listening(robot)
        for second in range(1, TRIES):
            before = len(robot.results)
            robot.commands.publish(String(data='the blue cube'))
            robot.comes(lambda: False, 0.1)
            stamped(second, image, depth, info)
            robot.infos.publish(info)
            robot.images.publish(image)
            robot.comes(lambda: False, 0.3)
            assert len(robot.results) == before or not robot.results[-1].point_count
            robot.depths.publish(depth)
            robot.wait_for(lambda n=before: len(robot.results) > n, 'the answer')
            if robot.results[-1].point_count:
                return
        pytest.fail(f'No answer had a 3D position; the last: {robot.results[-1].text}')


def test_depth_decides_which_object_is_closest_and_plural_commands_mean_all(
    start_process, robot, messages, picture
):
    """The same picture with its distances turned round has another closest mug."""
    image, depth, info = messages
    turned = to_image(picture.depth.max() + picture.depth.min() - picture.depth, '32FC1', header())
    mugs = {
        item.colour: picture.ids == item.id for item in picture.scene.objects if item.kind == 'mug'
    }
    with running(start_process):
        closest = []
        for given in (depth, turned):
            answer = robot.ask_until(
                lambda answer: answer.point_count, 'the closest mug', image, given, info
            )
            assert answer.status in (ReferredObject.FOUND, ReferredObject.AMBIGUOUS), answer.text
            assert 0 <= answer.chance <= 1
            mask = full_mask(answer)
            closest.append(max(mugs, key=lambda colour, m=mask: (mugs[colour] & m).sum()))
        assert closest[0] == 'black'
        assert closest[1] in ('blue', 'orange')
        several = robot.ask('all the mugs', image, depth, info)
    assert (several.status, several.instance_count) == (ReferredObject.FOUND_SEVERAL, 3)
    assert len(several.candidates) >= 3
    for mug in mugs.values():
        ious = [(mug & mask).sum() / (mug | mask).sum() for mask in instance_masks(several)]
        assert max(ious) > 0.5


def test_depth_of_another_frame_and_a_bad_calibration_cost_only_the_position(
    start_process, robot, messages
):
    image, depth, info = messages
    unregistered, tiny, unknown = deepcopy(depth), deepcopy(info), deepcopy(info)
    unregistered.header.frame_id = 'camera_depth_optical_frame'
    tiny.k[0] = 1e-308
    unknown.distortion_model, unknown.d = 'fancy', [0.1]
    with running(start_process):
        for given, calibration, words in (
            (unregistered, info, 'Depth is in frame "camera_depth_optical_frame" and the image in'),
            (depth, tiny, 'fx 1e-308'),
            (depth, unknown, 'The distortion model "fancy" of the camera_info is unknown'),
        ):
            answer = robot.ask_until(
                lambda answer, w=words: w in answer.text, 'the blue cube', image, given, calibration
            )
            assert answer.status == ReferredObject.FOUND
            assert answer.mask.width > 0
            assert answer.point_count == 0
            assert 'Error' not in answer.text
        found = robot.ask_until(
            lambda answer: answer.point_count, 'the blue cube', image, depth, info
        )
        assert found.status == ReferredObject.FOUND


def test_compressed_depth_comes_with_compressed_images(start_process, robot, picture):
    file = io.BytesIO()
    PIL.Image.fromarray(picture.rgb).save(file, 'PNG')
    image = CompressedImage(header=header(), format='rgb8; png compressed rgb8')
    image.data = file.getvalue()
    file = io.BytesIO()
    millimetres = np.round(1000 * picture.depth).astype(np.uint16)
    PIL.Image.fromarray(millimetres).save(file, 'PNG')
    depth = CompressedImage(header=header(), format='16UC1; compressedDepth png')
    depth.data = struct.pack('<iff', 0, 0.0, 0.0) + file.getvalue()
    info = to_camera_info(picture.pinhole, header())
    robot.depths = robot.create_publisher(CompressedImage, 'depth/compressedDepth', 10)
    with running(start_process, image_transport='compressed'):
        found = robot.ask_until(
            lambda answer: answer.point_count, 'the blue cube', image, depth, info
        )
    seen = np.median(picture.depth[picture.ids == picture.scene.objects[5].id])
    assert found.centroid.z == pytest.approx(seen, abs=0.01)
