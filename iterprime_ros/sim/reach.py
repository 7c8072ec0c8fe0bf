"""Where the gripper of the simulator can go: grasps in the world frame, checked before it moves."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.gripper import CORNERS, boxes_of
from iterprime_ros.sim.moment import Pose

SAFE_HEIGHT = 0.30  # m, of the fingertips over the table: above all that stands on it
_REACH = 0.6  # m, from the middle of the table
_TABLE_TOLERANCE = 0.006  # m, that a grasp may be inside the table: the wrist gives way
_ASPECT = 16 / 9  # width over height of images that show nothing of a gripper at rest


def in_world(grasp: Grasp, camera: CameraPose) -> Grasp:
    """Return a grasp in the camera's optical frame as one in the world frame."""
    position = np.array(camera.eye) + camera.rotation @ grasp.position
    return replace(grasp, position=position, rotation=camera.rotation @ grasp.rotation)


def reason_not_to_reach(grasp: Grasp, gripper: ParallelGripper) -> str:
    """Return why the gripper cannot get to a grasp in the world frame; empty if it can."""
    if not (np.isfinite(grasp.position).all() and np.isfinite(grasp.rotation).all()):
        return 'The grasp has numbers that are not finite.'
    is_rotation = np.allclose(grasp.rotation.T @ grasp.rotation, np.eye(3), atol=1e-3)
    if not is_rotation or np.linalg.det(grasp.rotation) < 0:
        return 'The orientation of the grasp is no rotation.'
    if not 0 < grasp.width <= gripper.max_opening:
        return (
            f'The grasp is {grasp.width * 1e3:.0f} mm wide; the gripper opens '
            f'{gripper.max_opening * 1e3:.0f} mm.'
        )
    distance = float(np.linalg.norm(grasp.position[:2]))
    if distance > _REACH or grasp.position[2] > SAFE_HEIGHT:
        return (
            f'The grasp is out of reach: {distance:.2f} m from the middle of the table and '
            f'{grasp.position[2]:.2f} m above it.'
        )
    lowest = _corners(
        Pose(grasp.position, grasp.rotation), gripper, gripper.opening_for(grasp.width)
    )
    depth = -float(lowest[:, 2].min())
    if depth > _TABLE_TOLERANCE:
        return f'The gripper would be {depth * 1e3:.0f} mm inside the table.'
    return ''


def rest_pose(camera: CameraPose, gripper: ParallelGripper) -> Pose:
    """Return a pose of the open gripper over the table or beside it that the camera cannot see.

    It points down, to the right of what the camera sees.
    """
    right = camera.rotation[:, 0]
    rotation = np.stack([np.cross(-right, [0.0, 0.0, 1.0]), right, [0.0, 0.0, -1.0]], axis=1)
    rotation[:, 0] = np.cross(rotation[:, 1], rotation[:, 2])
    slope = _ASPECT * np.tan(np.radians(camera.fovy) / 2)
    position = np.array([*camera.target[:2], SAFE_HEIGHT])
    while True:
        pose = Pose(position, rotation)
        seen = camera.to_optical(_corners(pose, gripper, gripper.max_opening))
        if np.all(seen[:, 0] > 1.05 * slope * np.maximum(seen[:, 2], 0)):
            return pose
        position = position + 0.02 * right


def _corners(pose: Pose, gripper: ParallelGripper, opening: float) -> NDArray[np.float64]:
    """Return the corners (24, 3) of the boxes of a gripper in the world frame."""
    corners = [centre + half * CORNERS for centre, half in boxes_of(gripper, opening)]
    return pose.to_world(np.concatenate(corners))
