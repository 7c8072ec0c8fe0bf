"""Convex parts, compared by rays with the meshes that are drawn."""

import mujoco
import numpy as np
import pytest

from helpers.plain_model import cast_ray, plain_model
from helpers.sim_worlds import one_object, world_of
from iterprime_ros.sim.moment import Pose
from iterprime_ros.sim.objects import KINDS


def first_hit(world, origin, direction):
    """Return the point (3,) where a ray meets an object or the table of a world."""
    hit = np.zeros(1, np.int32)
    distance = mujoco.mj_ray(world.model, world.data, origin, direction, None, 1, -1, hit, None)
    return origin + distance * direction


@pytest.mark.parametrize('size', ['small', 'large'])
@pytest.mark.parametrize('kind', KINDS)
def test_parts_have_the_surface_that_is_drawn(kind, size):
    scene = one_object(kind, size)
    away = Pose(np.array([0, 0, 3.0]), np.diag([1.0, -1.0, -1.0]))
    world, (model, data) = world_of(scene, away), plain_model(scene)
    rng = np.random.default_rng(1)
    reach = np.abs(scene.objects[0].hull[:, :2]).max()
    height = scene.objects[0].shape.height
    gaps = []
    for _ in range(400):
        # From above and aslant, at where the object is.
        aim = np.array([*rng.uniform(-reach, reach, 2), rng.uniform(0, height)])
        direction = np.array([*rng.normal(0, 0.4, 2), -1.0])
        direction /= np.linalg.norm(direction)
        origin = aim - 0.4 * direction
        index, drawn = cast_ray(model, data, origin, direction)
        solid = first_hit(world, origin, direction)
        if index == 0 or solid[2] > 1e-3:
            gaps.append(np.linalg.norm(drawn - solid))
    assert len(gaps) > 60
    assert np.median(gaps) < 0.001
    # A ray that grazes an edge meets one surface and passes the other.
    assert np.mean(np.array(gaps) > 0.004) < 0.04


@pytest.mark.parametrize('kind', KINDS)
def test_objects_have_the_mass_of_such_things(kind):
    for size in ('small', 'large'):
        world = world_of(one_object(kind, size))
        mass = world.model.body('object1').mass[0]
        assert 0.01 < mass < 0.6
