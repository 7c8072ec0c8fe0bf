"""Where the objects of a scene and the gripper are at one moment."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.objects import SceneObject
from iterprime_ros.sim.scene import Scene

_STILL = 1e-3  # m and, as a number, of the axes: an object that moved less is where it was


@dataclass(frozen=True)
class Pose:
    """A pose in the world frame.

    position: (3,) float64, in metres.
    rotation: (3, 3) float64, columns are the axes.
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]

    def to_world(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (..., 3) of this frame in the world frame."""
        return self.position + points @ self.rotation.T


@dataclass(frozen=True)
class Moment:
    """A world in motion, seen at one time.

    objects: of each object of the scene, the pose of its base.
    wrist: the pose of the gripper, with the axes of a grasp.
    opening: distance between the fingers, in metres.
    gripper: the sizes of the gripper.
    """

    objects: tuple[Pose, ...]
    wrist: Pose
    opening: float
    gripper: ParallelGripper


def pose_of(item: SceneObject) -> Pose:
    """Return the pose of an object of a scene."""
    cos, sin = np.cos(item.yaw), np.sin(item.yaw)
    position = np.array([*item.position, item.base_height])
    return Pose(position, np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]))


def moved(scene: Scene, moment: Moment) -> Scene:
    """Return the scene with its objects where they are at a moment.

    An object that is tipped has its centre there, and stands upright.
    """
    objects = [_moved(item, pose) for item, pose in zip(scene.objects, moment.objects, strict=True)]
    gone = {new.id for item, new in zip(scene.objects, objects, strict=True) if item is not new}
    return replace(
        scene,
        objects=tuple(
            replace(item, support=None) if item.support in gone else item for item in objects
        ),
    )


def _moved(item: SceneObject, pose: Pose) -> SceneObject:
    before = pose_of(item)
    turn = np.abs(before.rotation - pose.rotation).max()
    if max(turn, np.linalg.norm(before.position - pose.position)) < _STILL:
        return item
    half = item.shape.height / 2
    x, y, z = pose.to_world(np.array([0, 0, half])).tolist()
    yaw = float(np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0]))
    return replace(item, position=(x, y), yaw=yaw, base_height=z - half, support=None)
