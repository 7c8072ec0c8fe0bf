"""Which grasps the gripper can get to, and where it rests."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.sim_worlds import GRIPPER, one_object
from helpers.true_grasps import from_above, true_grasp
from iterprime_ros.sim.gripper import CORNERS, boxes_of
from iterprime_ros.sim.objects import KINDS
from iterprime_ros.sim.reach import in_world, reason_not_to_reach, rest_pose
from iterprime_ros.sim.scene import sample_scene

GOOD = from_above(np.array([0.1, 0.05, 0.0]), 0.02, 0.3, 0.05)


@pytest.mark.parametrize('kind', KINDS)
def test_objects_on_the_table_are_within_reach(kind):
    item = one_object(kind, 'large').objects[0]
    assert reason_not_to_reach(true_grasp(item), GRIPPER) == ''


@pytest.mark.parametrize(
    ('grasp', 'reason'),
    [
        (replace(GOOD, position=np.array([np.nan, 0, 0])), 'not finite'),
        (replace(GOOD, rotation=2 * np.eye(3)), 'no rotation'),
        (replace(GOOD, rotation=np.diag([1.0, 1, -1])), 'no rotation'),
        (replace(GOOD, width=0.11), 'The grasp is 110 mm wide; the gripper opens 100 mm.'),
        (replace(GOOD, width=0.0), 'The grasp is 0 mm wide'),
        (replace(GOOD, position=np.array([0.5, 0.5, 0.02])), 'out of reach: 0.71 m'),
        (replace(GOOD, position=np.array([0, 0, 0.4])), '0.40 m above it'),
        (replace(GOOD, position=np.array([0, 0, -0.05])), '50 mm inside the table'),
        (replace(GOOD, rotation=np.diag([1.0, 1, 1])), 'inside the table'),
    ],
)
def test_a_grasp_out_of_reach_has_a_reason(grasp, reason):
    assert reason in reason_not_to_reach(grasp, GRIPPER)


def test_a_grasp_in_the_optical_frame_is_turned_into_the_world():
    camera = sample_scene(3).camera
    optical = replace(
        GOOD,
        position=camera.to_optical(GOOD.position),
        rotation=camera.rotation.T @ GOOD.rotation,
    )
    world = in_world(optical, camera)
    assert world.position == pytest.approx(GOOD.position)
    assert world.rotation == pytest.approx(GOOD.rotation)
    assert world.width == GOOD.width


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1, 16 / 9))
def test_the_camera_does_not_see_a_gripper_at_rest(seed, aspect):
    camera = sample_scene(seed).camera
    pose = rest_pose(camera, GRIPPER)
    assert np.linalg.det(pose.rotation) == pytest.approx(1)
    assert pose.rotation[:, 2] == pytest.approx([0, 0, -1])
    slope = np.tan(np.radians(camera.fovy) / 2)
    for centre, half in boxes_of(GRIPPER, GRIPPER.max_opening):
        x, y, z = camera.to_optical(pose.to_world(centre + half * CORNERS)).T
        assert not np.any((z > 0) & (np.abs(x) < aspect * slope * z) & (np.abs(y) < slope * z))
