"""Grasps of objects of the simulator: held under physics, free of collisions, or why not."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.sim_worlds import GRIPPER, one_object, world_of
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import surface
from iterprime_ros.sim.gripper import boxes_of
from iterprime_ros.sim.objects import KINDS, SceneObject
from iterprime_ros.sim.picking import pick
from iterprime_ros.sim.reach import in_world
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import CALIBRATION
from iterprime_ros.sim.shapes import Primitive
from iterprime_ros.spatial.grasping import MAX_GRASPS, grasps_of

BLOCK = (0.02, 0.035, 0.025)  # m, half of each side


@pytest.fixture(scope='module')
def renderer():
    with Renderer(640, 480) as renderer:
        yield renderer


def grasps_in(picture, number=1, **options):
    return grasps_of(picture.ids == number, picture.depth, picture.pinhole, GRIPPER, **options)


def picked(picture, grasps):
    """What becomes of the best grasp under physics."""
    return pick(world_of(picture.scene), in_world(grasps.grasps[0], picture.scene.camera))


def block(number, half, position, yaw=0.0):
    shape = Primitive('cube', half)
    return SceneObject(
        number, 'cube', 'red', 'large', (0.8, 0.1, 0.1), shape, None, position, yaw
    )  # fmt: skip


def blocks(*items):
    scene = one_object('cube', 'large')
    return replace(scene, objects=tuple(block(k + 1, *item) for k, item in enumerate(items)))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('size', ['small', 'large'])
def test_every_kind_is_lifted(renderer, kind, size):
    picture = renderer.render(one_object(kind, size, seed=1))
    grasps = grasps_in(picture)
    assert grasps.reason == ''
    result = picked(picture, grasps)
    assert (result.success, result.object_id) == (True, 1), result.text


def test_an_object_partly_behind_another_is_lifted(renderer):
    scene = one_object('cylinder', 'large')
    item = scene.objects[0]
    towards = np.array(scene.camera.eye[:2]) / np.linalg.norm(scene.camera.eye[:2])
    aside = np.array([-towards[1], towards[0]])
    x, y = 0.07 * towards + 0.012 * aside
    other = block(2, (0.025, 0.025, 0.035), (float(x), float(y)), 0.4)
    picture = renderer.render(replace(scene, objects=(item, other)))
    assert picture.seen_areas[0] < 0.8 * picture.whole_areas[0]
    result = picked(picture, grasps_in(picture))
    assert (result.success, result.object_id) == (True, 1), result.text


@pytest.mark.parametrize('kind', ['cube', 'ball', 'capsule', 'mug'])
def test_noise_of_a_depth_camera_is_borne(renderer, kind):
    picture = renderer.render(one_object(kind, 'large', seed=2))
    noise = 1 + 0.003 * np.random.default_rng(0).normal(size=picture.depth.shape)
    noisy = replace(picture, depth=(picture.depth * noise).astype(np.float32))
    result = picked(picture, grasps_in(noisy))
    assert result.success, result.text


def collisions(picture, number, grasp):
    """How many depth points, of anything, are where the gripper goes: box by box, plainly."""
    rows, columns = np.indices(picture.depth.shape)
    camera = picture.pinhole
    rays = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy], axis=-1)
    z = picture.depth[..., None]
    points = np.concatenate([rays * z, z], axis=-1).reshape(-1, 3)
    in_gripper = (points - grasp.position) @ grasp.rotation
    count = 0
    for centre, half in boxes_of(GRIPPER, GRIPPER.opening_for(grasp.width)):
        off = np.abs(in_gripper - centre)
        beside = (off[:, :2] < half[:2] - 0.0005).all(axis=1)
        # It comes from above: what is over its lower end was in its way.
        count += np.count_nonzero(beside & (in_gripper[:, 2] < centre[2] + half[2] - 0.0005))
    is_other = (picture.ids.ravel() != number) & (picture.ids.ravel() > 0)
    between = np.abs(in_gripper[:, 1]) < grasp.width / 2
    between &= np.abs(in_gripper[:, 0]) < GRIPPER.finger_width / 2
    return count + np.count_nonzero(is_other & between & (in_gripper[:, 2] < -0.002))


@pytest.mark.parametrize('world', [World.PLAIN, World.CLUTTER, World.STACKED])
def test_grasps_are_in_order_and_no_depth_point_is_in_their_way(renderer, world):
    checked = 0
    for seed in CALIBRATION[930:933]:
        picture = renderer.render(sample_scene(seed, world))
        down = -picture.scene.camera.rotation.T @ [0.0, 0.0, 1.0]
        for number in range(1, len(picture.scene.objects) + 1):
            if np.count_nonzero(picture.ids == number) < 1200:
                continue
            found = grasps_in(picture, number)
            assert bool(found.grasps) != bool(found.reason)
            assert len(found.grasps) <= MAX_GRASPS
            qualities = [grasp.quality for grasp in found.grasps]
            assert qualities == sorted(qualities, reverse=True)
            for grasp in found.grasps:
                checked += 1
                assert 0 < grasp.quality <= 1
                assert 0 < grasp.width <= GRIPPER.max_opening
                assert grasp.rotation.T @ grasp.rotation == pytest.approx(np.eye(3), abs=1e-9)
                assert np.linalg.det(grasp.rotation) == pytest.approx(1)
                assert grasp.rotation[:, 2] == pytest.approx(down, abs=0.01)
                assert collisions(picture, number, grasp) == 0
    assert checked > 20


@settings(max_examples=12, deadline=None)
@given(st.floats(-np.pi, np.pi), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_a_block_is_lifted_wherever_it_stands(renderer, yaw, x, y):
    picture = renderer.render(blocks((BLOCK, (x, y), yaw)))
    grasps = grasps_in(picture)
    grasp = in_world(grasps.grasps[0], picture.scene.camera)
    assert grasp.position[:2] == pytest.approx([x, y], abs=0.01)
    result = picked(picture, grasps)
    assert (result.success, result.object_id) == (True, 1), result.text


def test_blocks_are_held_by_two_of_their_sides(renderer):
    rng, turns = np.random.default_rng(0), []
    for yaw in rng.uniform(-np.pi, np.pi, 40):
        picture = renderer.render(blocks((BLOCK, rng.uniform(-0.1, 0.1, 2), yaw)))
        grasp = in_world(grasps_in(picture).grasps[0], picture.scene.camera)
        closing = np.arctan2(grasp.rotation[1, 1], grasp.rotation[0, 1])
        turn = np.degrees(closing - yaw) % 90
        turns.append(min(turn, 90 - turn))
    assert np.percentile(turns, 90) < 6  # closing axes are 11.25 degrees apart
    assert max(turns) < 8


def test_fingers_go_where_no_neighbour_is(renderer):
    """Two blocks 1 cm beside a cube, along its x axis: only closing along y is free."""
    cube = ((0.02, 0.02, 0.025), (0.0, 0.0), 0.3)
    beside = 0.055 * np.array([np.cos(0.3), np.sin(0.3)])
    picture = renderer.render(
        blocks(
            cube,
            ((0.025, 0.025, 0.03), tuple(beside.tolist()), 0.3),
            ((0.025, 0.025, 0.03), tuple((-beside).tolist()), 0.3),
        )
    )
    grasps = grasps_in(picture)
    closing = in_world(grasps.grasps[0], picture.scene.camera).rotation[:, 1]
    assert abs(closing @ [-np.sin(0.3), np.cos(0.3), 0]) > np.cos(np.radians(15))
    result = picked(picture, grasps)
    assert result.success
    assert result.touched == (1,)


def test_reasons(renderer):
    wide = renderer.render(blocks(((0.065, 0.065, 0.03), (0.0, 0.0), 0.2)))
    reason = 'It is too wide: 1[34] cm, and the fingers open by 10[.]0 cm[.]'
    assert re.fullmatch(reason, grasps_in(wide).reason)
    sheet = renderer.render(blocks(((0.04, 0.03, 0.0015), (0.0, 0.0), 0.2)))
    assert grasps_in(sheet).reason == 'It is too flat to hold: 3 mm high.'
    far = 0.062
    walls = [
        ((0.03, 0.09, 0.05), (far, 0.0), 0.0),
        ((0.03, 0.09, 0.05), (-far, 0.0), 0.0),
        ((0.03, 0.03, 0.05), (0.0, far), 0.0),
        ((0.03, 0.03, 0.05), (0.0, -far), 0.0),
    ]
    pit = renderer.render(blocks(((0.025, 0.025, 0.045), (0.0, 0.0), 0.0), *walls))
    assert grasps_in(pit).reason == (
        'Other things beside the object, or on it, leave no room for the gripper.'
    )


def test_without_depth_points_or_a_plane_there_is_a_reason(renderer):
    picture = renderer.render(one_object('cube', 'large'))
    mask = picture.ids == 1
    nothing = np.where(mask, np.float32(np.nan), picture.depth)
    assert grasps_of(mask, nothing, picture.pinhole).reason == (
        'The depth image has no measurement on the object.'
    )
    assert grasps_of(np.zeros_like(mask), picture.depth, picture.pinhole).grasps == ()
    rows, columns = np.argwhere(mask).mean(axis=0).astype(int)
    small = np.zeros_like(mask)
    small[rows : rows + 3, columns : columns + 3] = True
    few = np.where(mask & ~small, np.float32(np.nan), picture.depth)
    assert grasps_of(small, few, picture.pinhole).reason == 'Only 9 depth points are on the object.'
    alone = np.where(mask, picture.depth, np.float32(0))
    assert grasps_of(mask, alone, picture.pinhole).reason == (
        'The depth image shows no plane that the object stands on.'
    )


def test_points_that_are_known_already_and_fewer_grasps_change_nothing(renderer):
    picture = renderer.render(one_object('capsule', 'large'))
    mask = picture.ids == 1
    known = surface(picture.depth, mask, picture.rgb, picture.pinhole).points
    found, again = grasps_in(picture), grasps_in(picture, points=known, most=1)
    assert len(again.grasps) == 1
    assert again.grasps[0].position == pytest.approx(found.grasps[0].position, abs=2e-3)
    assert again.grasps[0].width == pytest.approx(found.grasps[0].width, abs=2e-3)


def level(grasp, picture):
    """Where a grasp is on the table; fingertips of several heights hold an upright body as well."""
    return in_world(grasp, picture.scene.camera).position[:2]


def test_depth_of_half_the_resolution_and_a_view_beside_the_middle(renderer):
    picture = renderer.render(one_object('cylinder', 'large'))
    mask, grasp = picture.ids == 1, grasps_in(picture).grasps[0]
    half = grasps_of(mask, picture.depth[1::2, 1::2], picture.pinhole).grasps[0]
    assert half.width == pytest.approx(grasp.width, abs=0.004)
    assert level(half, picture) == pytest.approx(level(grasp, picture), abs=0.006)
    cut = np.s_[60:, 100:]
    p = picture.pinhole
    moved = Pinhole(p.fx, p.fy, p.cx - 100, p.cy - 60, p.width - 100, p.height - 60)
    same = grasps_of(mask[cut], picture.depth[cut], moved).grasps[0]
    assert same.width == pytest.approx(grasp.width, abs=0.004)
    assert level(same, picture) == pytest.approx(level(grasp, picture), abs=0.006)
