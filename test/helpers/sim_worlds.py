"""Worlds of the simulated gripper, for tests."""

from dataclasses import replace

import numpy as np

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.moment import pose_of
from iterprime_ros.sim.objects import KINDS, SceneObject, sample_shape
from iterprime_ros.sim.physics import PhysicsWorld
from iterprime_ros.sim.reach import rest_pose
from iterprime_ros.sim.scene import sample_scene

GRIPPER = ParallelGripper()


def one_object(kind, size, seed=0):
    """Return a scene of nothing but an object of a kind and a size, at the origin."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    shape, index = sample_shape(rng, kind, size)
    item = SceneObject(1, kind, 'red', size, (0.8, 0.1, 0.1), shape, index, (0.0, 0.0), 0.4)
    return replace(sample_scene(0), objects=(item,))


def world_of(scene, wrist=None):
    """Return the world of a scene; wrist: where the gripper is, at rest by default."""
    return PhysicsWorld(scene, GRIPPER, wrist or rest_pose(scene.camera, GRIPPER))


def distances(world):
    """Return how far each object is from where the scene has it, in metres."""
    before = [pose_of(item).position for item in world.scene.objects]
    return [np.linalg.norm(a.position - b) for a, b in zip(world.objects, before, strict=True)]
