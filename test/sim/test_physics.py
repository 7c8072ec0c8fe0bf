"""Worlds at rest, and a gripper that moves, opens and closes in them."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from helpers.sim_worlds import GRIPPER, distances, world_of
from iterprime_ros.sim.gripper import GRIP_FORCE, boxes_of
from iterprime_ros.sim.moment import Pose
from iterprime_ros.sim.physics import TIMESTEP
from iterprime_ros.sim.scene import World, sample_scene

DOWN = np.diag([1.0, -1.0, -1.0])


def steps(seconds):
    return round(seconds / TIMESTEP)


@pytest.mark.parametrize('kind', [World.PLAIN, World.CLUTTER, World.STACKED])
@pytest.mark.parametrize('seed', [3, 4, 5])
def test_what_is_pictured_is_at_rest(kind, seed):
    world = world_of(sample_scene(seed, kind))
    world.model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    world.step(steps(1.0))
    assert max(distances(world)) < 0.002


def test_what_is_not_touched_stays_where_it_is():
    world = world_of(sample_scene(3))
    world.step(steps(0.5))
    assert max(distances(world)) < 1e-4


def test_the_gripper_goes_where_it_is_told():
    world = world_of(sample_scene(3), Pose(np.array([0, 0, 0.5]), DOWN))
    turn = np.array([[0, 1.0, 0], [1, 0, 0], [0, 0, -1]])
    goal = Pose(np.array([0.1, -0.05, 0.45]), turn)
    for share in np.linspace(0, 1, steps(0.5)):
        # On the way the axes are not at right angles; MuJoCo takes the nearest turn.
        world.set_target(Pose(np.array([0, 0, 0.5]) * (1 - share) + goal.position * share, DOWN))
        world.step()
    world.set_target(goal)
    world.set_opening(0.03)
    world.step(steps(0.5))
    assert world.wrist.position == pytest.approx(goal.position, abs=1e-3)
    assert world.wrist.rotation == pytest.approx(turn, abs=1e-2)
    assert world.opening == pytest.approx(0.03, abs=1e-3)


def test_boxes_are_those_of_the_model():
    world = world_of(sample_scene(3), Pose(np.array([0, 0, 0.5]), DOWN))
    world.set_opening(0.04)
    world.step(steps(0.5))
    boxes = boxes_of(GRIPPER, world.opening)
    for name, (centre, half) in zip(('palm', 'left', 'right'), boxes, strict=True):
        geom = world.model.geom(name).id
        assert world.data.geom_xpos[geom] == pytest.approx(world.wrist.to_world(centre), abs=1e-4)
        assert world.model.geom_size[geom] == pytest.approx(half)


def test_fingers_press_with_limited_force():
    scene = sample_scene(3)
    cube = next(item for item in sample_scene(2100000).objects if item.kind == 'cube')
    cube = replace(cube, id=1, position=(0.0, 0.0), yaw=np.pi / 2)
    world = world_of(replace(scene, objects=(cube,)), Pose(np.array([0, 0, 0.02]), DOWN))
    assert world.held() == 0
    world.grip()
    world.step(steps(0.6))
    assert world.held() == 1
    assert world.touched == (1,)
    forces = [0.0, 0.0]
    force = np.zeros(6)
    pads = [world.model.geom(name).id for name in ('left', 'right')]
    for k, pair in enumerate(world.data.contact.geom):
        for side, pad in enumerate(pads):
            if pad in pair:
                mujoco.mj_contactForce(world.model, world.data, k, force)
                forces[side] += force[0]
    assert forces == pytest.approx([GRIP_FORCE] * 2, rel=0.05)
    assert world.push() <= 1.5 * GRIP_FORCE
    world.forget_touches()
    assert world.touched == ()


def test_nothing_ties_an_object_to_the_gripper():
    world = world_of(sample_scene(3))
    bodies = {world.model.body(name).id for name in ('wrist_target', 'wrist')}
    for k in range(world.model.neq):
        is_weld = world.model.eq_type[k] == mujoco.mjtEq.mjEQ_WELD
        tied = {int(world.model.eq_obj1id[k]), int(world.model.eq_obj2id[k])}
        assert tied == bodies if is_weld else world.model.eq_type[k] == mujoco.mjtEq.mjEQ_JOINT


def test_a_frozen_gripper_stays():
    world = world_of(sample_scene(3), Pose(np.array([0, 0, 0.5]), DOWN))
    for share in np.linspace(0, 1, steps(0.2)):
        world.set_target(Pose(np.array([0.1 * share, 0, 0.5]), DOWN))
        world.step()
    world.freeze()
    world.step(steps(0.1))
    stopped = world.wrist.position
    world.step(steps(0.5))
    assert world.wrist.position == pytest.approx(stopped, abs=1e-3)
