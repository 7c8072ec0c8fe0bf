"""Scenes are reproducible, physically possible and in view."""

import hashlib
from itertools import combinations

import mujoco
import numpy as np
import pytest
import shapely

from iterprime_ros.sim.placement import base_radius, seat_of
from iterprime_ros.sim.scene import COLOURS, KINDS, MAX_OBJECTS, SIZES, World, sample_scene
from iterprime_ros.sim.shapes import Primitive
from iterprime_ros.sim.stage import Stage
from iterprime_ros.sim.textures import TABLE_TEXTURES, UNSEEN_TEXTURES, table_texture
from iterprime_ros.sim.visibility import visible_fractions

SEEDS = range(60)


@pytest.fixture(scope='module')
def stage():
    return Stage(16, 16)


def test_a_seed_gives_one_scene():
    first, again, other = sample_scene(5), sample_scene(5), sample_scene(6)
    assert [item.position for item in first.objects] == [item.position for item in again.objects]
    assert (first.surroundings, first.camera) == (again.surroundings, again.camera)
    assert first.camera != other.camera


@pytest.mark.parametrize(
    ('world', 'digest'),
    [
        (World.PLAIN, '360a037e359abaab'),
        (World.CLUTTER, 'a29b058866f9aaf6'),
        (World.STACKED, 'af0a7a00e5cfb4e0'),
        (World.UNSEEN, 'a99b33869c482153'),
    ],
)
def test_scenes_of_seeds_do_not_change(world, digest):
    """Published results name scenes by seed."""
    scenes = repr(
        [
            (item.kind, item.colour, item.size, np.round(item.position, 4).tolist())
            for seed in (0, 1, 2**31 - 1)
            for item in sample_scene(seed, world).objects
        ]
    )
    assert hashlib.sha256(scenes.encode()).hexdigest()[:16] == digest


def test_negative_seeds_are_rejected():
    with pytest.raises(ValueError, match='non-negative'):
        sample_scene(-1)


def test_scenes_have_all_kinds_colours_and_sizes():
    items = [item for seed in SEEDS for item in sample_scene(seed).objects]
    assert {item.kind for item in items} == set(KINDS)
    assert {item.colour for item in items} == set(COLOURS)
    assert {item.size for item in items} == set(SIZES)


@pytest.mark.parametrize('world', World)
def test_scenes_have_as_many_objects_as_their_world_says(world):
    counts = {len(sample_scene(seed, world).objects) for seed in SEEDS}
    least, most = world.counts
    assert least == min(counts)
    assert most - 1 <= max(counts) <= most <= MAX_OBJECTS


def test_large_objects_are_larger():
    heights = {size: [] for size in SIZES}
    for seed in SEEDS:
        for item in sample_scene(seed).objects:
            if item.kind == 'cube':
                heights[item.size].append(item.shape.height)
    assert max(heights['small']) < min(heights['large'])


@pytest.mark.parametrize('world', World)
def test_objects_do_not_touch_what_they_do_not_stand_on(stage, world):
    """The reference is MuJoCo's distance between geoms (for meshes: between convex hulls)."""
    clearance = 0.004 if world is World.CLUTTER else 0.008
    for seed in SEEDS:
        scene = sample_scene(seed, world)
        stage.set_scene(scene)
        for i, j in combinations(range(len(scene.objects)), 2):
            if i + 1 in stack_of(scene, j + 1) or j + 1 in stack_of(scene, i + 1):
                continue
            distance = mujoco.mj_geomDistance(
                stage.model, stage.data, stage.object_geoms[i], stage.object_geoms[j], 0.05, None
            )
            assert distance > clearance / 2, (seed, i + 1, j + 1)
            assert scene.gaps[i, j] > clearance - 1e-9
            assert scene.gaps[i, j] <= distance + 1e-3 or distance == 0.05


def stack_of(scene, number):
    """Return the ids of an object and of all that it stands on."""
    item = scene.objects[number - 1]
    return {number} if item.support is None else {number} | stack_of(scene, item.support)


@pytest.mark.parametrize('world', World)
def test_objects_stand_where_they_say(stage, world):
    for seed in SEEDS:
        scene = sample_scene(seed, world)
        stage.set_scene(scene)
        for k, item in enumerate(scene.objects):
            body = stage.model.geom_bodyid[stage.object_geoms[k]]
            position = stage.data.xpos[body]
            assert position == pytest.approx([*item.position, item.base_height])
            assert np.all(np.abs(item.hull[:, :2]) < scene.surroundings.table_half)
            assert (item.support is None) == (item.base_height == 0)


def test_stacked_objects_rest_on_what_supports_them():
    supports = set()
    for seed in SEEDS:
        scene = sample_scene(seed, World.STACKED)
        stacked = [item for item in scene.objects if item.support]
        assert stacked
        assert len({item.support for item in stacked}) == len(stacked)
        for item in stacked:
            below = scene.objects[item.support - 1]
            supports.add(below.kind)
            seat = seat_of(below)
            assert item.base_height == pytest.approx(below.base_height + seat.height)
            offset = np.hypot(*np.subtract(item.position, below.position))
            if below.kind == 'plate':
                inside = shapely.Point(below.position).buffer(seat.radius + 1e-5, quad_segs=64)
                assert inside.contains(item.footprint)
            else:
                # The centre of mass is above the seat, which carries most of the base.
                assert offset < 0.26 * seat.radius
                assert base_radius(item) < (2 if item.kind == 'plate' else 1.31) * seat.radius
            assert top_beside_axis(below) == pytest.approx(seat.height, abs=1e-6)
    assert supports == {'cube', 'cylinder', 'plate'}


def top_beside_axis(item):
    """Return the height of the highest point of a shape on a vertical line near its axis."""
    if isinstance(item.shape, Primitive):
        return item.shape.height
    corners = item.shape.vertices[item.shape.faces]
    line = np.array([3e-3, 1e-3])
    first, edges = corners[:, 0], corners[:, 1:] - corners[:, :1]
    heights = []
    for corner, (along, across) in zip(first, edges, strict=True):
        matrix = np.stack([along[:2], across[:2]], axis=1)
        if abs(np.linalg.det(matrix)) > 1e-12:
            u, v = np.linalg.solve(matrix, line - corner[:2])
            if min(u, v, 1 - u - v) >= 0:
                heights.append(corner[2] + u * along[2] + v * across[2])
    return max(heights)


def test_every_object_in_clutter_and_stacks_is_partly_visible(small_renderer):
    """The estimate is compared with the pixels that are drawn."""
    errors, fractions = [], []
    for world in (World.CLUTTER, World.STACKED):
        for seed in range(20):
            picture = small_renderer.render(sample_scene(seed, world))
            drawn = picture.seen_areas / np.maximum(picture.whole_areas, 1)
            estimated = visible_fractions(picture.scene.objects, picture.scene.camera)
            errors += (estimated - drawn).tolist()
            fractions += drawn.tolist()
    assert min(fractions) > 0.15
    assert np.mean(np.array(fractions) < 0.9) > 0.1
    assert np.mean(np.abs(errors)) < 0.06


def test_the_unseen_world_shares_no_texture_and_no_light_with_the_others():
    unseen = [sample_scene(seed, World.UNSEEN).surroundings for seed in SEEDS]
    others = [
        sample_scene(seed, world).surroundings
        for seed in SEEDS
        for world in set(World) - {World.UNSEEN}
    ]
    assert {each.texture for each in others} == set(range(TABLE_TEXTURES))
    assert min(each.texture for each in unseen) >= TABLE_TEXTURES
    assert max(each.texture for each in unseen) < TABLE_TEXTURES + UNSEEN_TEXTURES
    assert {each.light_rgb for each in others} == {(1.0, 1.0, 1.0)}
    assert (1.0, 1.0, 1.0) not in {each.light_rgb for each in unseen}
    beside = min(abs(each.light_position[0]) for each in unseen)
    behind = min(each.light_position[1] for each in unseen)
    assert max(abs(each.light_position[0]) for each in others) < beside
    assert max(each.light_position[1] for each in others) < behind


def test_textures_differ_and_repeat_without_a_seam():
    textures = [table_texture(k) for k in range(TABLE_TEXTURES + UNSEEN_TEXTURES)]
    assert len({texture.tobytes() for texture in textures}) == len(textures)
    for texture in textures:
        assert texture.shape == (128, 128, 3)
        values = texture.astype(float)
        steps = np.abs(np.diff(values, axis=0)).mean((1, 2))
        seam = np.abs(values[0] - values[-1]).mean()
        assert seam < 3 * steps.max()
