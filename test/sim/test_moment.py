"""Worlds in motion: their scenes, and how they are drawn."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.sim_worlds import GRIPPER
from iterprime_ros.sim.moment import Moment, Pose, moved, pose_of
from iterprime_ros.sim.reach import rest_pose
from iterprime_ros.sim.scene import World, sample_scene


def moment_of(scene, **poses):
    """Return the moment at which a scene begins; poses: of objects, by `id1`, `id2`, ..."""
    objects = tuple(poses.get(f'id{item.id}', pose_of(item)) for item in scene.objects)
    return Moment(objects, rest_pose(scene.camera, GRIPPER), GRIPPER.max_opening, GRIPPER)


def test_a_scene_that_has_not_moved_is_the_same():
    scene = sample_scene(3)
    assert moved(scene, moment_of(scene)) == scene


def test_an_object_has_its_place_and_yaw():
    scene = sample_scene(3)
    item = scene.objects[1]
    target = replace(item, position=(0.1, -0.12), yaw=0.7, base_height=0.15)
    after = moved(scene, moment_of(scene, id2=pose_of(target))).objects
    assert after[0] is scene.objects[0]
    assert after[1].position == pytest.approx(target.position)
    assert after[1].yaw == pytest.approx(target.yaw)
    assert after[1].base_height == pytest.approx(target.base_height)


def test_a_tipped_object_has_its_centre_where_it_is():
    scene = sample_scene(3)
    item = scene.objects[0]
    about_x = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    pose = Pose(np.array([0.05, 0.02, 0.1]), about_x)
    after = moved(scene, moment_of(scene, id1=pose)).objects[0]
    expected = pose.to_world(np.array([0, 0, item.shape.height / 2]))
    assert after.centre == pytest.approx(expected)


def test_what_stood_on_a_moved_object_stands_on_nothing():
    scene = next(
        scene
        for scene in (sample_scene(seed, World.STACKED) for seed in range(20))
        if any(item.support for item in scene.objects)
    )
    upper = next(item for item in scene.objects if item.support)
    lower = scene.objects[upper.support - 1]
    away = pose_of(replace(lower, position=(lower.position[0] + 0.1, lower.position[1])))
    after = moved(scene, moment_of(scene, **{f'id{lower.id}': away})).objects
    assert after[upper.id - 1].support is None


@pytest.mark.parametrize('seed', [3, 7])
def test_the_picture_of_a_world_at_rest_is_that_of_its_scene(small_renderer, seed):
    scene = sample_scene(seed)
    still = small_renderer.render(scene)
    alive = small_renderer.render(scene, moment_of(scene))
    assert np.array_equal(alive.ids, still.ids)
    assert np.array_equal(alive.whole_areas, still.whole_areas)
    assert np.abs(alive.depth - still.depth).max() < 1e-4
    again = small_renderer.render(scene)
    assert np.array_equal(again.rgb, still.rgb)


def test_a_moved_object_is_drawn_where_it_is(small_renderer):
    scene = sample_scene(3)
    item = scene.objects[0]
    target = replace(item, position=(item.position[0], item.position[1] + 0.02), base_height=0.06)
    picture = small_renderer.render(scene, moment_of(scene, id1=pose_of(target)))
    objects = (target, *scene.objects[1:])
    expected = small_renderer.render(replace(scene, objects=objects))
    assert np.mean(picture.ids != expected.ids) < 0.002
    assert picture.scene.objects[0].centre == pytest.approx(target.centre)


def test_the_gripper_hides_what_is_behind_it(small_renderer):
    scene = sample_scene(3)
    camera, item = scene.camera, scene.objects[0]
    between = item.centre + 0.2 * (np.array(camera.eye) - item.centre)
    still = small_renderer.render(scene)
    moment = replace(moment_of(scene), wrist=Pose(between, np.diag([1.0, -1.0, -1.0])), opening=0.0)
    picture = small_renderer.render(scene, moment)
    assert picture.seen_areas[0] < 0.8 * still.seen_areas[0]
    assert picture.whole_areas[0] == pytest.approx(still.whole_areas[0], abs=2)
    hidden = (still.ids == 1) & (picture.ids != 1)
    assert np.all(picture.depth[hidden] < still.depth[hidden])
