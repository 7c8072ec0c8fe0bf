"""Grasps of the node's answers, over DDS: with depth, of the node's own gripper, or none."""

import numpy as np
import pytest
from rcl_interfaces.msg import ParameterType
from scipy.spatial.transform import Rotation
from visualization_msgs.msg import Marker, MarkerArray

from helpers.robots import depth_image, header, rgb_image, running, set_parameter
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_camera_info


@pytest.fixture
def frame(picture):
    return rgb_image(picture), depth_image(picture), to_camera_info(picture.pinhole, header())


def is_grasped(answer):
    return answer.point_count > 0 and len(answer.grasps) > 0


def test_answers_have_grasps_and_rviz_shows_them(start_process, robot, picture, frame):
    shown = robot.collect(MarkerArray, 'segment/markers', 10)
    with running(start_process):
        answer = robot.ask_until(is_grasped, 'pick up the leftmost mug', *frame)
        assert answer.status == ReferredObject.FOUND
        assert len(answer.grasps) <= 5
        down = -picture.scene.camera.rotation.T @ [0, 0, 1.0]
        centre = np.array([answer.centroid.x, answer.centroid.y, answer.centroid.z])
        for grasp in answer.grasps:
            at, turn = grasp.pose.position, grasp.pose.orientation
            approach = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()[:, 2]
            assert approach == pytest.approx(down, abs=0.02)
            assert np.linalg.norm([at.x, at.y, at.z] - centre) < 0.12
            assert 0 < grasp.width <= 0.1
            assert 0 < grasp.quality <= 1
        robot.wait_for(
            lambda: any(each.ns == 'grasps' for array in shown for each in array.markers),
            'the lines of the grasps',
        )
        lines = [each for array in shown for each in array.markers if each.ns == 'grasps'][-1]
        assert lines.type == Marker.LINE_LIST
        assert lines.header.frame_id == answer.header.frame_id

        narrow = {'type': ParameterType.PARAMETER_DOUBLE, 'double_value': 0.012}
        assert set_parameter(robot, 'gripper_max_opening', **narrow).successful
        refused = robot.ask_until(
            lambda answer: answer.grasps_text, 'pick up the leftmost mug', *frame
        )
        assert refused.status == ReferredObject.FOUND
        assert list(refused.grasps) == []
        none = {'type': ParameterType.PARAMETER_INTEGER, 'integer_value': 0}
        assert set_parameter(robot, 'max_grasps', **none).successful
        silent = robot.ask_until(
            lambda answer: answer.point_count, 'pick up the leftmost mug', *frame
        )
        assert list(silent.grasps) == []
        assert silent.grasps_text == ''
        wrong = {'type': ParameterType.PARAMETER_DOUBLE, 'double_value': -1.0}
        assert not set_parameter(robot, 'gripper_finger_depth', **wrong).successful


@pytest.mark.usefixtures('obedient')
def test_without_depth_there_is_no_grasp(robot, frame):
    answer = robot.ask('measure', frame[0])
    assert list(answer.grasps) == []
    assert answer.grasps_text == ''


def test_a_track_has_grasps_with_its_first_answer_only(start_process, robot, frame):
    with running(start_process, mode='track'):
        robot.ask('pick up the leftmost mug', *frame)

        def is_carried():
            robot.show(robot.frame(*frame))
            last = robot.results[-1]
            return last.track_age > 0 and last.point_count > 0

        robot.wait_for(is_carried, 'an image of the track with its depth')
        assert list(robot.results[-1].grasps) == []
        assert robot.results[-1].grasps_text.startswith('A track has grasps with its first answer')
