"""What is in the image, and how much of it, without a renderer."""

import numpy as np
import pytest

from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.framing import (
    estimated_view,
    is_gone_for_a_while,
    is_in_image,
    share_in_image,
)
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of


@pytest.mark.parametrize('seed', range(6))
def test_the_estimated_view_is_nearly_that_of_the_picture(seed, small_renderer):
    scene = sample_scene(seed)
    estimated, drawn = estimated_view(scene), view_of(small_renderer.render(scene))
    assert np.array_equal(estimated.gaps, drawn.gaps)
    for one, other in zip(estimated.objects, drawn.objects, strict=True):
        assert (one.id, one.kind, one.colour, one.size) == (
            other.id,
            other.kind,
            other.colour,
            other.size,
        )
        assert one.column == pytest.approx(other.column)
        assert (one.depth, one.right, one.away) == (other.depth, other.right, other.away)
        assert one.visible_fraction == pytest.approx(other.visible_fraction, abs=0.15)
        assert one.image_fraction == pytest.approx(other.image_fraction, abs=0.006)


def test_the_share_in_the_image_is_that_of_the_pixels(small_renderer):
    """The reference is a picture of the target alone, in a clip in which the camera turns away."""
    seeds = (seed for seed in range(20) if turns(sample_clip(seed, Motion.LEAVE)))
    clip = sample_clip(next(seeds), Motion.LEAVE)
    areas, shares = [], []
    for scene in clip.scenes[::4]:
        item = scene.objects[clip.target - 1]
        areas.append(small_renderer.render(scene).whole_areas[clip.target - 1])
        shares.append(share_in_image(item, scene.camera))
        if is_in_image([item], scene.camera, 0.0):
            assert shares[-1] == 1
    assert {0.0, 1.0} < set(shares)
    for area, share in zip(areas, shares, strict=True):
        assert (area > 0) <= (share > 0)
        if share > 0.5:
            assert area > 0.25 * areas[0]


def turns(clip):
    return clip.scenes[0].camera != clip.scenes[-1].camera


def test_nothing_behind_the_camera_is_in_the_image():
    scene = sample_scene(2)
    eye = np.array(scene.camera.eye)
    away = CameraPose(scene.camera.eye, tuple(2 * eye - scene.camera.target), scene.camera.fovy)
    for item in scene.objects:
        assert share_in_image(item, scene.camera) == 1
        assert share_in_image(item, away) == 0
        assert not is_in_image([item], away)


@pytest.mark.parametrize(
    ('shares', 'is_gone'),
    [
        ([1.0] * 5 + [0.0] * 15 + [1.0] * 5, True),
        ([1.0] * 5 + [0.0] * 10 + [1.0] * 5, False),
        ([1.0] * 5 + [0.0] * 30 + [1.0] * 5, False),
        ([1.0] * 5 + [0.05] * 15 + [0.0] * 15 + [1.0], False),
        ([1.0] * 9, False),
    ],
)
def test_gone_is_10_to_30_frames(shares, is_gone):
    assert is_gone_for_a_while(shares) == is_gone
