"""Whether an object moved, with noise, a gripper in front of it, and where it really did."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.geometry.registration import mask_in_depth
from iterprime_ros.geometry.scene_change import object_moved
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION

SHAPE = (48, 64)
MASK = np.zeros(SHAPE, bool)
MASK[10:30, 20:40] = True


def noisy(depth, rng, share=0.005):
    return (depth * (1 + share * rng.standard_normal(depth.shape))).astype(np.float32)


@pytest.fixture(scope='module')
def renderer():
    with Renderer(640, 480) as renderer:
        yield renderer


def test_objects_that_stay_did_not_move_and_those_that_move_did(renderer):
    rng = np.random.default_rng(0)
    moved, count = {0.0: 0, 0.01: 0, 0.03: 0, 0.1: 0}, 0
    for seed in CALIBRATION[920:924]:
        scene = sample_scene(seed)
        before = renderer.render(scene)
        for item in scene.objects[:3]:
            mask = before.ids == item.id
            if np.count_nonzero(mask) < 800:
                continue
            count += 1
            for way in moved:
                angle = rng.uniform(0, 2 * np.pi)
                x, y = item.position + way * np.array([np.cos(angle), np.sin(angle)])
                other = replace(item, position=(float(x), float(y)))
                objects = tuple(other if each is item else each for each in scene.objects)
                now = renderer.render(replace(scene, objects=objects))
                moved[way] += object_moved(mask, noisy(before.depth, rng), noisy(now.depth, rng))
    assert count >= 9
    assert moved[0.0] == 0
    assert moved[0.01] >= 0.6 * count
    assert moved[0.03] >= count - 1
    assert moved[0.1] == count


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_what_comes_nearer_or_is_unknown_tells_nothing(seed, share):
    rng = np.random.default_rng(seed)
    before = rng.uniform(0.6, 0.7, SHAPE).astype(np.float32)
    now = before.copy()
    rows = rng.integers(0, 48, 2)
    now[rows.min() : rows.max() + 1] *= 1 - 0.8 * share
    now[rng.random(SHAPE) < 0.3 * share] = rng.choice([np.nan, 0.0, -1.0, np.inf])
    assert not object_moved(MASK, before, now)
    assert not object_moved(MASK, np.where(rng.random(SHAPE) < share, np.nan, before), now)


def test_a_gripper_in_front_does_not_hide_that_the_object_is_gone():
    before = np.full(SHAPE, 0.6, np.float32)
    now = np.full(SHAPE, 0.7, np.float32)  # the table behind it
    now[:, 25:35] = 0.4
    assert object_moved(MASK, before, now)
    now[:, ~np.isin(np.arange(64), [25])] = 0.4
    assert not object_moved(MASK, before, np.full(SHAPE, 0.4, np.float32))  # nobody can know


def test_depth_of_another_resolution_than_the_mask():
    mask = np.repeat(np.repeat(MASK, 2, axis=0), 2, axis=1)
    assert np.array_equal(mask_in_depth(mask, SHAPE), MASK)
    before = np.full(SHAPE, 0.6, np.float32)
    assert object_moved(mask, before, np.where(MASK, 0.7, 0.6).astype(np.float32))
    assert not object_moved(mask, before, np.where(MASK, 0.6, 0.7).astype(np.float32))


def test_an_empty_mask_and_depth_of_two_sizes():
    before = np.full(SHAPE, 0.6, np.float32)
    assert not object_moved(np.zeros(SHAPE, bool), before, 2 * before)
    with pytest.raises(InvalidDepthError, match='compare images of one camera'):
        object_moved(MASK, before, before[::2, ::2])
