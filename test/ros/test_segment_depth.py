"""Images and depth are joined before inference, and refused where they do not fit each other."""

import io
import struct
from copy import deepcopy

import numpy as np
import PIL.Image
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from helpers.robots import (
    accepted_goal,
    action_client,
    depth_image,
    header,
    outcome_of,
    rgb_image,
    running,
)
from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_camera_info

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
