"""Picks of objects whose true shapes are known, and what keeps a pick from its end."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.sim_worlds import GRIPPER, distances, one_object, world_of
from helpers.true_grasps import from_above, true_grasp
from iterprime_ros.sim.moment import pose_of
from iterprime_ros.sim.objects import KINDS
from iterprime_ros.sim.picking import MIN_HEIGHT, STEPS_PER_TICK, Picker, Stage, pick
from iterprime_ros.sim.scene import sample_scene

FULL = [Stage.APPROACHING, Stage.CLOSING, Stage.LIFTING, Stage.HOLDING]


def is_at_rest(world, rest):
    return np.allclose(world.wrist.position, rest.position, atol=2e-3) and np.isclose(
        world.opening, GRIPPER.max_opening, atol=2e-3
    )


@pytest.mark.parametrize('size', ['small', 'large'])
@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_is_lifted_and_held(kind, size):
    scene = one_object(kind, size)
    world = world_of(scene)
    stages = []
    result = pick(world, true_grasp(scene.objects[0]), stages.append)
    assert result.success, result.text
    assert result.object_id == 1
    assert result.touched == (1,)
    assert result.height > MIN_HEIGHT
    assert result.slip < 0.015
    assert stages == FULL


def test_it_is_friction_that_holds():
    scene = one_object('cube', 'small')
    world = world_of(scene)
    world.model.geom_friction[:, 0] = 0.001
    result = pick(world, true_grasp(scene.objects[0]))
    assert not result.success
    assert result.touched == (1,)
    assert distances(world)[0] < 0.1


def test_other_objects_stay_where_they_are():
    scene = sample_scene(3)
    target = scene.objects[0]
    world = world_of(scene)
    result = pick(world, true_grasp(target))
    assert result.object_id == target.id
    assert max(distances(world)[1:]) < 1e-3


def test_fingers_that_close_on_nothing_go_back():
    world = world_of(sample_scene(3))
    rest = world.wrist
    stages = []
    result = pick(world, from_above(np.array([0, 0, 0.25]), 0.0, 0.3, 0.05), stages.append)
    assert not result.success
    assert result.text == 'The fingers closed on nothing.'
    assert stages == [Stage.APPROACHING, Stage.CLOSING, Stage.RETREATING]
    assert is_at_rest(world, rest)
    assert max(distances(world)) < 1e-3


def test_a_gripper_that_meets_something_goes_back():
    scene = one_object('cube', 'large')
    world = world_of(scene)
    rest = world.wrist
    # A finger comes down on the middle of the cube.
    beside = np.array([0.03, 0, 0])
    result = pick(world, from_above(beside, 0.01, 0.0, 0.05))
    assert not result.success
    assert result.text == 'The gripper met something on its way to the object.'
    assert is_at_rest(world, rest)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 330))
def test_a_cancelled_pick_puts_down_and_goes_back(tick):
    scene = one_object('cylinder', 'small')
    world = world_of(scene)
    rest, ticks = world.wrist, itertools.count()
    result = pick(world, true_grasp(scene.objects[0]), is_cancelled=lambda: next(ticks) >= tick)
    if result.success:
        assert next(ticks) <= tick
        return
    assert result.text == 'Cancelled.'
    assert is_at_rest(world, rest)
    before, after = pose_of(scene.objects[0]), world.objects[0]
    assert after.position == pytest.approx(before.position, abs=0.01)
    assert after.rotation[2, 2] > 0.98


def test_the_next_pick_first_puts_down_what_is_held():
    scene = sample_scene(3)
    first, second = scene.objects[:2]
    world = world_of(scene)
    picker = Picker(world)
    assert carried_out(picker, world, first).object_id == first.id
    assert carried_out(picker, world, second).object_id == second.id
    assert distances(world)[0] < 0.01


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 320))
def test_after_a_stop_the_next_pick_begins_where_it_is(tick):
    scene = one_object('cylinder', 'small')
    world = world_of(scene)
    picker = Picker(world)
    motion = picking(picker, scene.objects[0])
    for _ in itertools.islice(motion, tick):
        world.step(STEPS_PER_TICK)
    motion.close()
    world.freeze()
    world.step(5 * STEPS_PER_TICK)
    held_up = world.objects[0].position
    world.step(50 * STEPS_PER_TICK)
    assert world.objects[0].position == pytest.approx(held_up, abs=2e-3)
    result = carried_out(picker, world, scene.objects[0])
    assert result.success, result.text


def picking(picker, item):
    return picker.picking(true_grasp(item), lambda _: None, lambda: False, None)


def carried_out(picker, world, item):
    """Pick an object; return the result."""
    motion = picking(picker, item)
    while True:
        try:
            next(motion)
        except StopIteration as end:
            return end.value
        world.step(STEPS_PER_TICK)


@pytest.mark.parametrize(
    ('answers', 'success', 'text'),
    [
        ([None] * 50 + [True], True, 'Lifted'),
        ([None] * 50 + [False], False, 'It was not confirmed'),
        ([None] * 1000, False, 'Nobody confirmed within 5 s'),
    ],
)
def test_it_waits_for_a_confirmation_before_it_closes(answers, success, text):
    scene = one_object('cylinder', 'small')
    world = world_of(scene)
    stages, remaining = [], iter(answers)
    result = pick(
        world, true_grasp(scene.objects[0]), stages.append, confirm=lambda: next(remaining)
    )
    assert result.success is success
    assert result.text.startswith(text)
    assert stages[:2] == [Stage.APPROACHING, Stage.WAITING]
    assert (Stage.CLOSING in stages) is success
