"""What mirrors and balls add to the visible side, against the true bodies of the simulator."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from helpers.sim_worlds import one_object
from iterprime_ros.geometry.ball_completion import balls
from iterprime_ros.geometry.depth_view import DepthView, distance_behind
from iterprime_ros.geometry.mirror_completion import mirrored
from iterprime_ros.geometry.table_frame import TableFrame
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION
from iterprime_ros.sim.shapes import Primitive


@pytest.fixture(scope='module')
def renderer():
    with Renderer(640, 480) as renderer:
        yield renderer


class Seen:
    """An object of a picture: its visible points in the table frame, and the true one."""

    def __init__(self, picture, number=1):
        self.camera = picture.scene.camera
        self.item = picture.scene.objects[number - 1]
        self.view = DepthView.round_object(
            picture.depth, picture.ids == number, picture.pinhole, 0.2, 0.0015
        )
        normal = -self.camera.rotation.T @ [0.0, 0.0, 1.0]
        distance = -normal @ self.camera.to_optical(np.zeros(3))
        points, is_object = self.view.points(0.0015)
        points = points[is_object].astype(np.float64)
        self.frame = TableFrame.below(points.mean(axis=0), normal, abs(distance))
        self.points = self.frame.from_optical(points)

    def in_world(self, points):
        return np.array(self.camera.eye) + self.frame.to_optical(points) @ self.camera.rotation.T

    def outside(self, points):
        """How far points are outside the object's footprint, in metres."""
        places = shapely.points(self.in_world(points)[:, :2])
        return shapely.distance(self.item.footprint, places)

    def uncovered(self, points):
        """How far the outline of the footprint is from the nearest of the points, in metres."""
        outline = np.asarray(shapely.segmentize(self.item.footprint.exterior, 0.005).coords)
        places = self.in_world(points)[:, :2]
        return np.linalg.norm(outline[:, None] - places, axis=2).min(axis=1)


@pytest.mark.parametrize('kind', ['cube', 'cylinder', 'ball', 'capsule', 'bottle', 'mug', 'plate'])
@pytest.mark.parametrize('elevation', [0.55, 1.05])
def test_a_mirror_shows_the_far_side_and_nothing_beyond(renderer, kind, elevation):
    scene = one_object(kind, 'large', seed=3)
    eye = (0.1, -0.6 * np.cos(elevation), 0.03 + 0.6 * np.sin(elevation))
    seen = Seen(renderer.render(replace(scene, camera=CameraPose(eye, (0.0, 0.0, 0.03), 45.0))))
    images, _ = mirrored(seen.points, seen.view, seen.frame, 0.0)
    # The handle of a mug may have an image, too.
    assert np.percentile(seen.outside(images), 80 if kind == 'mug' else 95) < 0.002
    before, after = (
        seen.uncovered(points).max()
        for points in (seen.points, np.concatenate([seen.points, images]))
    )
    # The lowest part of a far side stays unknown if the near side hides its own lowest part.
    assert after < (0.008 if kind in ('cube', 'cylinder', 'plate') else 0.016)
    assert after < before + 1e-9


@pytest.mark.parametrize('azimuth', range(12, 180, 12))
def test_both_hidden_faces_of_a_box_are_shown_where_both_others_are_seen(renderer, azimuth):
    scene = one_object('cube', 'large')
    shape = Primitive('cube', (0.02, 0.035, 0.025))
    box = replace(scene.objects[0], shape=shape, yaw=0.0)
    towards = np.radians(azimuth)
    eye = (0.5 * np.cos(towards), 0.5 * np.sin(towards), 0.4)
    camera = CameraPose(eye, (0.0, 0.0, 0.02), 45.0)
    seen = Seen(renderer.render(replace(scene, objects=(box,), camera=camera)))
    images, _ = mirrored(seen.points, seen.view, seen.frame, 0.0)
    whole = np.concatenate([seen.points, images])
    below_the_top = whole[whole[:, 2] < 0.04]
    assert seen.uncovered(below_the_top).max() < 0.006


def test_over_many_scenes_mirrors_add_what_is_there(renderer):
    wrong = []
    for seed in CALIBRATION[900:906]:
        picture = renderer.render(sample_scene(seed))
        for item in picture.scene.objects:
            if np.count_nonzero(picture.ids == item.id) < 1200:
                continue
            seen = Seen(picture, item.id)
            images, _ = mirrored(seen.points, seen.view, seen.frame, 0.0)
            if len(images):
                wrong.append(np.percentile(seen.outside(images), 90) > 0.005)
    assert len(wrong) > 15
    assert np.mean(wrong) < 0.1


def test_no_image_is_in_front_of_what_is_seen(renderer):
    picture = renderer.render(sample_scene(CALIBRATION[910]))
    for item in picture.scene.objects:
        seen = Seen(picture, item.id)
        given = seen.points, seen.view, seen.frame, 0.0
        for images in (mirrored(*given)[0], balls(*given)):
            behind, _ = distance_behind(images, seen.view, seen.frame)
            assert np.nanmin(behind, initial=0.0) > -0.004


def test_noise_leaves_the_far_side_where_it_is(renderer):
    picture = renderer.render(one_object('cylinder', 'large'))
    noisy = picture.depth * (1 + 0.004 * np.random.default_rng(0).normal(size=picture.depth.shape))
    seen = Seen(replace(picture, depth=noisy.astype(np.float32)))
    images, _ = mirrored(seen.points, seen.view, seen.frame, 0.0025)
    assert len(images)
    assert np.percentile(seen.outside(images), 90) < 0.008


def test_a_banana_seen_from_its_end_is_round(renderer):
    scene = one_object('banana', 'large')
    item = scene.objects[0]
    along = np.array([np.cos(item.yaw), np.sin(item.yaw)])
    eye = (*(-0.5 * along), 0.33)
    seen = Seen(renderer.render(replace(scene, camera=CameraPose(eye, (0.0, 0.0, 0.02), 45.0))))
    filled = balls(seen.points, seen.view, seen.frame, 0.0)
    assert np.percentile(seen.outside(filled), 95) < 0.004
    whole = np.concatenate([seen.points, filled])
    assert seen.uncovered(whole).mean() < 0.8 * seen.uncovered(seen.points).mean() + 0.002
