"""Pictures, checked against geometry that is computed without a renderer."""

import colorsys
import subprocess
import sys

import numpy as np
import pytest

from helpers.plain_model import cast_ray, plain_model
from iterprime_ros.geometry.pinhole import back_project
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import COLOURS, Scene, SceneObject, Surroundings, sample_scene
from iterprime_ros.sim.shapes import Primitive

PLAIN = Surroundings(
    table_half=(0.6, 0.5),
    texture=0,
    texture_repeat=1,
    table_tint=(0.8, 0.8, 0.8),
    floor_rgb=(0.5, 0.5, 0.5),
    wall_rgb=(0.5, 0.5, 0.5),
    light_position=(0.3, -0.3, 1.5),
    light_diffuse=0.5,
    ambient=0.5,
    headlight=0.2,
)
POSE = CameraPose((0.1, -0.5, 0.4), (0.0, 0.0, 0.0), 45.0)
BALL = Primitive('ball', (0.04, 0.04, 0.04))
BOX = Primitive('cube', (0.03, 0.035, 0.025))


def placed(number, shape, colour, position, yaw=0.0):
    return SceneObject(
        number, shape.kind, colour, 'large', COLOURS[colour], shape, None, position, yaw
    )


def scene_of(*objects):
    return Scene(0, objects, PLAIN, POSE)


def rays(pinhole, pose):
    """Return world directions (H, W, 3) whose optical z is 1, so that their scale is depth."""
    row, column = np.indices((pinhole.height, pinhole.width)).reshape(2, -1)
    optical = back_project(row, column, np.ones(row.shape), pinhole)
    return (optical @ pose.rotation.T).reshape(pinhole.height, pinhole.width, 3)


def ball_depth(direction, eye, centre, radius):
    """Return the depth at which rays enter a ball, inf if they miss it."""
    to_eye = np.subtract(eye, centre)
    a = (direction**2).sum(-1)
    b = (direction * to_eye).sum(-1)
    inside = b**2 - a * (to_eye @ to_eye - radius**2)
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)


def box_depth(direction, eye, centre, half, yaw):
    """Return the depth at which rays enter a box rotated by yaw, inf if they miss it."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    direction, origin = direction @ turn.T, turn @ np.subtract(eye, centre)
    with np.errstate(divide='ignore'):
        near, far = (-half - origin) / direction, (half - origin) / direction
    enter, leave = np.minimum(near, far).max(-1), np.maximum(near, far).min(-1)
    return np.where(enter < leave, enter, np.inf)


def table_depth(direction, eye):
    return np.where(direction[..., 2] < 0, -eye[2] / direction[..., 2], np.inf)


@pytest.fixture(scope='module')
def pictured(small_renderer):
    scene = scene_of(
        placed(1, BALL, 'red', (-0.1, 0.0)),
        placed(2, BOX, 'blue', (0.08, 0.03), 0.6),
        placed(3, BALL, 'green', (-0.11, 0.1)),
    )
    picture = small_renderer.render(scene)
    direction = rays(picture.pinhole, POSE)
    depths = np.stack(
        [
            table_depth(direction, POSE.eye),
            ball_depth(direction, POSE.eye, (-0.1, 0.0, 0.04), 0.04),
            box_depth(direction, POSE.eye, (0.08, 0.03, 0.025), np.array(BOX.half), 0.6),
            ball_depth(direction, POSE.eye, (-0.11, 0.1, 0.04), 0.04),
        ]
    )
    return picture, depths


def test_dtypes_and_shapes(pictured):
    picture, _ = pictured
    assert picture.rgb.shape == (120, 160, 3)
    assert (picture.rgb.dtype, picture.depth.dtype, picture.ids.dtype) == (
        np.uint8,
        np.float32,
        np.int32,
    )
    assert picture.depth.shape == picture.ids.shape == (120, 160)


def test_masks_agree_with_geometry(pictured):
    picture, depths = pictured
    expected = depths.argmin(0)
    wrong = picture.ids != expected
    # Only the edge of an object may differ, since MuJoCo draws a ball as a polyhedron.
    near_edge = np.zeros_like(wrong)
    for axis in (0, 1):
        for shift in (-1, 1):
            near_edge |= np.roll(expected, shift, axis) != expected
    assert not np.any(wrong & ~near_edge)
    for number in (1, 2, 3):
        intersection = ((picture.ids == number) & (expected == number)).sum()
        union = ((picture.ids == number) | (expected == number)).sum()
        assert intersection / union > 0.95


def test_depth_is_metres_along_the_optical_axis(pictured):
    picture, depths = pictured
    nearest = depths.min(0)
    agreed = picture.ids == depths.argmin(0)
    # At grazing angles the facets of the polyhedron change the depth.
    error = np.abs(picture.depth - nearest)[agreed & (picture.depth < 0.9)]
    assert np.quantile(error, 0.98) < 0.001
    assert error.max() < 0.01


def test_whole_areas_are_those_of_single_objects(pictured, small_renderer):
    picture, _ = pictured
    assert picture.seen_areas[2] < 0.8 * picture.whole_areas[2]  # behind the red ball
    for item, whole in zip(picture.scene.objects, picture.whole_areas, strict=True):
        alone = small_renderer.render(
            scene_of(placed(1, item.shape, 'red', item.position, item.yaw))
        )
        assert whole == alone.seen_areas[0]


@pytest.mark.parametrize('seed', range(8))
def test_whole_areas_in_crowded_scenes(small_renderer, seed):
    scene = sample_scene(seed)
    picture = small_renderer.render(scene)
    for k, item in enumerate(scene.objects):
        alone = Scene(seed, (item,), scene.surroundings, scene.camera)
        assert picture.whole_areas[k] == small_renderer.render(alone).seen_areas[0]


def test_objects_look_like_their_colour_name(small_renderer):
    """The nearest colour name by hue and lightness is correct, except under unusual light."""
    hues = {name: colorsys.rgb_to_hls(*rgb) for name, rgb in COLOURS.items()}
    correct = total = 0
    for seed in range(40):
        picture = small_renderer.render(sample_scene(seed))
        for item in picture.scene.objects:
            pixels = picture.rgb[picture.ids == item.id]
            if len(pixels) < 80:
                continue
            hue, _, saturation = colorsys.rgb_to_hls(*(np.median(pixels, axis=0) / 255))
            if max(np.median(pixels, axis=0)) < 60:
                named = 'black'
            elif saturation < 0.25:
                named = 'white'
            else:
                named = min(
                    (name for name in hues if name not in ('black', 'white')),
                    key=lambda name: abs((hues[name][0] - hue + 0.5) % 1 - 0.5),
                )
            correct += named == item.colour
            total += 1
    assert total > 120
    assert correct / total > 0.93


def test_depth_agrees_with_rays_cast_by_mujoco(small_renderer):
    """mj_ray does not use the rasteriser, and its model is compiled for one scene."""
    rng = np.random.default_rng(0)
    compared = 0
    for seed in range(12):
        scene = sample_scene(seed)
        picture = small_renderer.render(scene)
        model, data = plain_model(scene)
        direction = rays(picture.pinhole, scene.camera)
        rows, columns = np.nonzero(picture.ids)
        for k in rng.choice(len(rows), 80, replace=False):
            row, column = rows[k], columns[k]
            window = picture.ids[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            if np.ptp(window):
                continue  # on an edge both answers are correct
            ray = direction[row, column]
            number, point = cast_ray(model, data, scene.camera.eye, ray)
            assert number + 1 == picture.ids[row, column]
            depth = scene.camera.to_optical(point)[2]
            # Where one part of an object occludes another, both depths are correct.
            around = picture.depth[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            assert around.min() - 0.002 < depth < around.max() + 0.002
            compared += 1
    assert compared > 500


DIGEST = """
import hashlib
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
with Renderer(96, 64) as renderer:
    for seed in SEEDS:
        picture = renderer.render(sample_scene(seed))
both = picture.rgb.tobytes() + picture.depth.tobytes() + picture.ids.tobytes()
print(hashlib.sha256(both).hexdigest())
"""


def test_a_seed_gives_the_same_pixels_in_any_process_after_any_scene():
    digests = {
        subprocess.run(
            [sys.executable, '-c', DIGEST.replace('SEEDS', seeds)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seeds in ('[9]', '[2, 4, 7, 9]')
    }
    assert len(digests) == 1


def test_renderers_can_be_closed_and_opened_again(small_renderer):
    with Renderer(32, 24) as renderer:
        tiny = renderer.render(sample_scene(3))
    assert tiny.rgb.shape == (24, 32, 3)
    assert small_renderer.render(sample_scene(3)).ids.any()


@pytest.mark.parametrize('size', [(0, 10), (10, -1)])
def test_sizes_below_one_are_rejected(size):
    with pytest.raises(ValueError, match='pixels'):
        Renderer(*size)
