"""What speaks against a pick, and the grasps of MoveIt."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from helpers import moveit_messages
from helpers.picking_robot import COLUMNS, ROWS, SIZE, allowing_answer
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.pick_safety import reason_not_to_close, reason_not_to_pick

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'
NOW = 1000.0
STATUSES = (
    ReferredObject.UNKNOWN,
    ReferredObject.NOT_FOUND,
    ReferredObject.AMBIGUOUS,
    ReferredObject.INVALID,
    ReferredObject.ERROR,
    ReferredObject.FOUND_SEVERAL,
)


def a_grasp(**fields):
    [grasp] = allowing_answer(Time()).grasps
    for name, value in fields.items():
        setattr(grasp, name, value)
    return grasp


def found(**fields):
    """An answer that allows a pick, with some fields otherwise."""
    return allowing_answer(Time(sec=999, nanosec=500_000_000), **fields)


def stamped(seconds):
    whole = int(seconds)
    return Header(stamp=Time(sec=whole, nanosec=int((seconds - whole) * 1e9)))


@pytest.mark.parametrize('verb', ['', 'pick', 'grab', 'hand', 'bring'])
def test_an_order_to_pick_what_was_found_is_carried_out(verb):
    assert reason_not_to_pick(found(action_verb=verb), NOW) == ''


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize('count', [0, 1, 2])
def test_nothing_moves_unless_one_object_was_found(status, count):
    answer = found(status=status, instance_count=count, text='Two mugs fit.')
    assert reason_not_to_pick(answer, NOW) == 'Two mugs fit.'
    assert reason_not_to_pick(found(status=status, text=''), NOW)


@pytest.mark.parametrize(
    ('fields', 'reason'),
    [
        ({'instance_count': 2}, 'Found "the mug".'),
        ({'track_state': ReferredObject.UNSURE}, 'The object that is followed is unsure.'),
        ({'track_state': ReferredObject.LOST}, 'The object that is followed is lost.'),
        ({'action_verb': 'look'}, '"look" is no order to pick something up.'),
        ({'action_verb': 'push'}, '"push" is no order to pick something up.'),
        ({'header': Header()}, 'The image has no stamp, so nobody knows how old it is.'),
        ({'header': stamped(991)}, 'The image is 9.0 s old, more than 5 s.'),
        (
            {'header': stamped(1003)},
            'The image is from 3.0 s in the future: check the clocks.',
        ),
        ({'grasps': [], 'grasps_text': 'Too wide.'}, 'Too wide.'),
        ({'grasps': [], 'text': 'Found it.'}, 'There is no grasp without depth: Found it.'),
        ({'grasps': [a_grasp(width=math.nan)]}, 'The grasp is not a number.'),
    ],
)
def test_each_thing_alone_speaks_against_a_pick(fields, reason):
    assert reason_not_to_pick(found(**fields), NOW) == reason


@given(
    status=st.sampled_from([ReferredObject.FOUND, *STATUSES]),
    count=st.integers(0, 3),
    state=st.integers(0, 3),
    verb=st.sampled_from(['', 'pick', 'look']),
    age=st.floats(-5, 20),
    has_grasp=st.booleans(),
)
def test_a_pick_is_allowed_only_where_nothing_speaks_against_it(
    status, count, state, verb, age, has_grasp
):
    answer = found(
        status=status,
        instance_count=count,
        track_state=state,
        action_verb=verb,
        header=stamped(NOW - age),
        grasps=[a_grasp()] if has_grasp else [],
    )
    allowed = (
        (status, count) == (ReferredObject.FOUND, 1)
        and state in (ReferredObject.NOT_TRACKED, ReferredObject.TRACKING)
        and verb != 'look'
        and -0.5 <= age <= 5
        and has_grasp
    )
    if min(abs(age - 5), abs(age + 0.5)) > 1e-6:
        assert (reason_not_to_pick(answer, NOW) == '') == allowed


def depth_image(table, thing, seconds=999.45):
    """The depth of a thing at the mask of `found` on a table, in metres."""
    depth = np.full(SIZE, table, np.float32)
    depth[ROWS, COLUMNS] = thing
    return to_image(depth, '32FC1', stamped(seconds))


def test_a_gripper_closes_on_what_is_still_there():
    before = depth_image(0.8, 0.7)
    assert reason_not_to_close(found(), before, depth_image(0.8, 0.7)) == ''
    assert (
        reason_not_to_close(found(), before, depth_image(0.8, 0.5)) == ''
    )  # the gripper before it
    gone = reason_not_to_close(found(), before, depth_image(0.8, 0.8))
    assert gone == 'The object has moved.'


def test_a_gripper_does_not_close_where_nobody_knows():
    depth = depth_image(0.8, 0.7)
    assert "the answer's image" in reason_not_to_close(found(), None, depth)
    later = depth_image(0.8, 0.7, seconds=1000.1)
    assert "the answer's image" in reason_not_to_close(found(), later, depth)
    assert 'of this moment' in reason_not_to_close(found(), depth, None)
    colour = to_image(np.zeros((*SIZE, 3), np.uint8), 'rgb8', Header())
    assert 'cannot be read' in reason_not_to_close(found(), depth, colour)
    small = to_image(np.ones((4, 4), np.float32), '32FC1', Header())
    assert reason_not_to_close(found(), depth, small)
    assert isinstance(small, Image)


@pytest.fixture
def example(monkeypatch):
    moveit_messages.install(monkeypatch)
    spec = importlib.util.spec_from_file_location('moveit_grasp', EXAMPLES / 'moveit_grasp.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_grasp_becomes_one_of_moveit(example):
    turn = Rotation.from_rotvec([0.3, 2.5, -0.4])
    position = np.array([0.1, -0.05, 0.6])
    pose = Pose(
        position=Point(**dict(zip('xyz', position.tolist(), strict=True))),
        orientation=Quaternion(**dict(zip('xyzw', turn.as_quat().tolist(), strict=True))),
    )
    header = Header(frame_id='camera')
    grasp = example.moveit_grasp(header, a_grasp(pose=pose), 'the mug 0')
    wrist = grasp.grasp_pose.pose
    fingertips = position - turn.apply([0, 0, example.WRIST_TO_FINGERTIPS])
    assert [wrist.position.x, wrist.position.y, wrist.position.z] == pytest.approx(fingertips)
    assert wrist.orientation == pose.orientation
    assert grasp.grasp_pose.header.frame_id == 'camera'
    [point] = grasp.pre_grasp_posture.points
    assert sum(point.positions) == pytest.approx(0.05 + example.CLEARANCE)
    assert grasp.grasp_posture.points[0].positions == [0.0, 0.0]
    assert grasp.grasp_quality == pytest.approx(0.8)
    for motion, z in ((grasp.pre_grasp_approach, 1), (grasp.post_grasp_retreat, -1)):
        assert motion.direction.header.frame_id == example.WRIST
        assert motion.direction.vector.z == z
        assert 0 < motion.min_distance <= motion.desired_distance
