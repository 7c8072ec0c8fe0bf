"""Surfaces in 3D against plain loops, against bodies of known pose, and against the simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from iterprime_ros.errors import InvalidCalibrationError, InvalidDepthError, InvalidImageError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import surface
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION
from iterprime_ros.sim.view import view_of

CAMERA = Pinhole(fx=300.0, fy=305.0, cx=161.3, cy=118.2, width=320, height=240)
TABLE = 1.1  # metres


def metres(millimetres):
    """Depth (H, W) float32 of uint16 as cameras send it, nan where nothing was measured."""
    return np.where(millimetres > 0, millimetres.astype(np.float32) / 1000, np.nan)


def rays(camera):
    """Directions (H, W, 3) in the optical frame whose z is 1."""
    column, row = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    return np.stack(
        [(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, np.ones(column.shape)],
        axis=-1,
    )


def see_box(camera, centre, rotation, half):
    """Depth (H, W) at which rays enter a box, nan where they miss."""
    direction = rays(camera) @ rotation
    eye = -np.asarray(centre) @ rotation
    with np.errstate(divide='ignore'):
        planes = np.stack([(-half - eye) / direction, (half - eye) / direction])
    enter, leave = planes.min(axis=0).max(axis=-1), planes.max(axis=0).min(axis=-1)
    return np.where((enter < leave) & (enter > 0), enter, np.nan)


def see_disc(camera, centre, normal, radius):
    """Depth (H, W) of a flat disc, nan where rays miss it."""
    direction = rays(camera)
    depth = np.dot(centre, normal) / (direction @ normal)
    hit = np.linalg.norm(direction * depth[..., None] - centre, axis=-1) <= radius
    return np.where(hit & (depth > 0), depth, np.nan)


def colours(camera, seed=0):
    shape = (camera.height, camera.width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def corrupt(rng, depth, noise=0.002, outliers=0.03, holes=0.05):
    """16UC1 as a poor camera would send it."""
    poor = depth + rng.normal(0, noise, depth.shape)
    wrong = rng.random(depth.shape) < outliers
    poor[wrong] = rng.uniform(0.2, 2.5, wrong.sum())
    millimetres = np.round(1000 * poor).astype(np.uint16)
    millimetres[rng.random(depth.shape) < holes] = 0
    return millimetres


def plain_points(depth, mask, camera):
    """Pixel by pixel, for depth of the image's own size."""
    return np.array(
        [
            (
                (x - camera.cx) * depth[y, x] / camera.fx,
                (y - camera.cy) * depth[y, x] / camera.fy,
                depth[y, x],
            )
            for y, x in np.argwhere(mask)
            if depth[y, x] > 0
        ]
    )


def plain_extents(points):
    """Sorted extents along the principal axes, between the percentiles that a box is made of."""
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    along = np.sort(points @ axes.T, axis=0)
    low, high = (np.quantile(along, share, axis=0) for share in (0.005, 0.995))
    return np.sort(high - low)[::-1]


def check_frame(found):
    """What holds for every box."""
    axes = Rotation.from_quat(found.box.orientation).as_matrix()
    assert np.all(np.isfinite(np.concatenate([found.centroid, found.box.position, found.box.size])))
    assert np.linalg.norm(found.box.orientation) == pytest.approx(1)
    assert found.box.orientation[3] >= 0
    assert found.box.size[0] >= found.box.size[1] >= found.box.size[2] >= 0
    assert axes[:, 2] @ found.box.position <= 1e-9
    x = axes[:, 0]
    assert x[np.abs(x[:2]).argmax()] >= -1e-9
    assert np.linalg.det(axes) == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 2**31),
    st.floats(0.1, 20),
    st.floats(0, 0.9),
)
def test_points_are_those_of_plain_loops(width, height, seed, distance, holes):
    rng = np.random.default_rng(seed)
    camera = Pinhole(20.0, 21.0, width / 3, height / 4, width, height)
    mask = rng.random((height, width)) < 0.7
    depth = np.full((height, width), distance, np.float32)
    depth[rng.random((height, width)) < holes] = rng.choice([0, -1, np.nan, np.inf])
    depth[~mask] = np.nan  # else what is alone in a mask may be what the mask runs onto
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = plain_points(np.nan_to_num(depth, posinf=0), mask, camera)
    if not len(expected):
        with pytest.raises(InvalidDepthError):
            surface(depth, mask, rgb, camera)
        return
    found = surface(depth, mask, rgb, camera)
    assert found.point_count == len(found.points) == len(found.colours) == len(expected)
    assert found.points.dtype == np.float32
    np.testing.assert_allclose(found.points, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.centroid, expected.mean(axis=0), rtol=1e-5, atol=1e-6)
    seen = mask & np.isfinite(depth) & (depth > 0)
    np.testing.assert_array_equal(found.colours, rgb[seen])
    check_frame(found)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_even_rubbish_gives_a_sound_box(width, height, seed):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(-1, 5, (height, width)).astype(np.float32)
    mask = np.ones((height, width), dtype=bool)
    depth[rng.integers(height), rng.integers(width)] = 1
    rgb = np.zeros((height, width, 3), np.uint8)
    found = surface(depth, mask, rgb, Pinhole(50.0, 50.0, 2.0, 2.0, width, height))
    assert 1 <= found.point_count <= (depth > 0).sum()
    check_frame(found)


@pytest.mark.parametrize('pixels', [[(9, 9)], [(9, 9), (9, 10)], [(9, 9), (40, 9), (200, 300)]])
def test_few_points_make_a_box(pixels):
    mask = np.zeros((240, 320), dtype=bool)
    mask[tuple(np.transpose(pixels))] = True
    found = surface(np.full(mask.shape, 0.7, np.float32), mask, colours(CAMERA), CAMERA)
    assert found.point_count == len(pixels)
    assert found.box.size[2] == pytest.approx(0, abs=1e-9)
    check_frame(found)


@pytest.mark.parametrize(
    ('turn', 'noise'),
    [((0.3, -0.2, 0.4), 0), ((0.3, -0.2, 0.4), 0.002), ((-0.5, 0.3, -0.7), 0.002)],
)
def test_the_pose_of_a_thin_box_is_found(turn, noise):
    rng = np.random.default_rng(5)
    rotation = Rotation.from_euler('xyz', turn).as_matrix()
    centre, half = np.array([0.04, -0.03, 0.7]), np.array([0.12, 0.07, 0.001])
    true = see_box(CAMERA, centre, rotation, half)
    mask = ndimage.binary_dilation(np.isfinite(true), np.ones((3, 3)), 1)
    depth = np.where(np.isfinite(true), true, TABLE)
    sent = corrupt(rng, depth, noise) if noise else np.round(1000 * depth).astype(np.uint16)
    found = surface(metres(sent), mask, colours(CAMERA), CAMERA)
    np.testing.assert_allclose(found.box.position, centre, atol=0.004)
    seen = plain_points(true, np.isfinite(true), CAMERA)
    np.testing.assert_allclose(found.centroid, seen.mean(axis=0), atol=0.002)
    np.testing.assert_allclose(found.box.size[:2], 2 * half[:2], rtol=0.04)
    assert found.box.size[2] < 0.006
    axes = Rotation.from_quat(found.box.orientation).as_matrix()
    # The box's z looks away from the camera in its own frame; x is to the right here.
    assert np.all(np.abs((axes * rotation).sum(axis=0)) > np.cos(np.radians(3)))
    check_frame(found)


def test_a_standing_thing_has_its_long_axis_down():
    true = see_box(CAMERA, np.array([0, 0, 0.6]), np.eye(3), np.array([0.02, 0.1, 0.02]))
    mask = np.isfinite(true)
    found = surface(np.nan_to_num(true).astype(np.float32), mask, colours(CAMERA), CAMERA)
    axes = Rotation.from_quat(found.box.orientation).as_matrix()
    np.testing.assert_allclose(axes[:, 0], [0, 1, 0], atol=0.02)
    np.testing.assert_allclose(axes[:, 2], [0, 0, -1], atol=0.02)
    check_frame(found)


@pytest.mark.parametrize('tilt', [0, 60, 80])
def test_a_plate_stays_whole_however_flat_it_is_seen(tilt):
    normal = np.array([0, np.sin(np.radians(tilt)), -np.cos(np.radians(tilt))])
    true = see_disc(CAMERA, np.array([0, 0, 0.5]), normal, 0.1)
    mask = np.isfinite(true)
    poor = corrupt(np.random.default_rng(0), np.where(mask, true, TABLE), outliers=0, holes=0)
    found = surface(metres(poor), mask, colours(CAMERA), CAMERA)
    assert found.point_count > 0.97 * mask.sum()
    np.testing.assert_allclose(found.box.size[:2], 0.2, rtol=0.1)


def test_a_rod_along_the_viewing_direction_stays_long():
    rotation = Rotation.from_euler('x', 70, degrees=True).as_matrix()
    half = np.array([0.015, 0.15, 0.015])
    true = see_box(CAMERA, np.array([0.01, 0.02, 0.6]), rotation.T, half)
    mask = np.isfinite(true)
    poor = corrupt(np.random.default_rng(0), np.where(mask, true, TABLE))
    found = surface(metres(poor), mask, colours(CAMERA), CAMERA)
    seen = plain_extents(plain_points(true, mask, CAMERA))
    assert seen[0] > 0.25
    assert found.box.size[0] == pytest.approx(seen[0], rel=0.05)
    check_frame(found)


def test_what_a_mask_holds_of_the_background_is_left_out():
    true = see_box(CAMERA, np.array([0, 0, 0.6]), np.eye(3), np.array([0.08, 0.05, 0.01]))
    own = np.isfinite(true)
    mask = ndimage.binary_dilation(own, np.ones((3, 3)), 1)
    mask[10:25, 10:25] = True  # a part elsewhere, on the table
    depth = np.where(own, true, TABLE).astype(np.float32)
    found = surface(depth, mask, colours(CAMERA), CAMERA)
    assert found.point_count == own.sum()
    assert found.points[:, 2].max() < 0.62


def lying(half):
    """Depth (H, W) of a box on a table seen from 50 degrees above, and the box's own pixels."""
    rotation = Rotation.from_euler('xz', (140, 25), degrees=True).as_matrix()
    normal, table = rotation[:, 2], np.array([0.02, 0.01, 0.6])
    box = see_box(CAMERA, table + half[2] * normal, rotation, half)
    under = see_disc(CAMERA, table, normal, 2.0)
    return np.fmin(box, under), np.isfinite(box)


@pytest.mark.parametrize('half', [(0.07, 0.01, 0.01), (0.07, 0.015, 0.01)])
def test_a_bar_does_not_grow_by_the_table_that_a_mask_runs_onto(half):
    depth, own = lying(np.array(half))
    poor = metres(corrupt(np.random.default_rng(0), depth))
    mask = ndimage.binary_dilation(own, np.ones((3, 3)), 1)
    found = surface(poor, mask, colours(CAMERA), CAMERA)
    true = plain_extents(plain_points(depth, own, CAMERA))
    np.testing.assert_allclose(found.box.size[:2], true[:2], rtol=0.07)
    check_frame(found)


def test_a_sheet_on_a_table_stays_whole():
    depth, own = lying(np.array([0.1, 0.07, 0.0001]))
    poor = corrupt(np.random.default_rng(0), depth, outliers=0, holes=0)
    found = surface(metres(poor), own, colours(CAMERA), CAMERA)
    assert found.point_count > 0.97 * own.sum()
    np.testing.assert_allclose(found.box.size[:2], [0.2, 0.14], rtol=0.03)


@pytest.mark.parametrize('scale', [0.5, 2, 3])
def test_depth_of_another_resolution_gives_the_same_surface(scale):
    few = Pinhole(
        CAMERA.fx * scale,
        CAMERA.fy * scale,
        (CAMERA.cx + 0.5) * scale - 0.5,
        (CAMERA.cy + 0.5) * scale - 0.5,
        round(320 * scale),
        round(240 * scale),
    )
    centre, rotation = np.array([0.1, 0.05, 0.6]), Rotation.from_euler('xz', (0.5, 0.4)).as_matrix()
    seen = [
        see_box(camera, centre, rotation, np.array([0.09, 0.06, 0.01])) for camera in (CAMERA, few)
    ]
    mask, rgb = np.isfinite(seen[0]), colours(CAMERA)
    same, other = (
        surface(np.nan_to_num(depth, nan=TABLE).astype(np.float32), mask, rgb, CAMERA)
        for depth in seen
    )
    pixel = 0.6 / CAMERA.fx
    np.testing.assert_allclose(other.centroid, same.centroid, atol=pixel)
    np.testing.assert_allclose(other.box.size[:2], same.box.size[:2], atol=3 * pixel)
    # Colours are those of the pixels that the points project to, or of one beside it.
    column, row = (
        np.round(other.points[:, k] / other.points[:, 2] * focal + middle).astype(int)
        for k, focal, middle in ((0, CAMERA.fx, CAMERA.cx), (1, CAMERA.fy, CAMERA.cy))
    )
    near = np.stack([rgb[row + down, column + right] for down in (0, 1) for right in (0, 1)])
    assert np.all((near == other.colours).all(axis=-1).any(axis=0))


@pytest.mark.parametrize(
    'change',
    [
        {'fx': 0.0, 'fy': 0.0, 'cx': 0.0, 'cy': 0.0},
        {'fy': -1.0},
        {'cx': np.nan},
        {'fx': np.inf},
        {'width': 0},
    ],
)
def test_a_camera_info_that_is_no_camera_is_refused(change):
    with pytest.raises(InvalidCalibrationError, match=r'^The camera_info [^\n]*\.$'):
        Pinhole(**({'fx': 1.0, 'fy': 1.0, 'cx': 1.0, 'cy': 1.0, 'width': 4, 'height': 3} | change))


@pytest.mark.parametrize(
    ('change', 'error', 'says'),
    [
        ({'mask': np.zeros((240, 320), bool)}, InvalidDepthError, 'empty'),
        ({'mask': np.ones((240, 319), bool)}, InvalidImageError, 'mask'),
        ({'mask': np.ones((240, 320), np.uint8)}, InvalidImageError, 'mask'),
        ({'rgb': np.zeros((240, 320), np.uint8)}, InvalidImageError, 'image'),
        ({'depth': np.full((240, 320), np.nan, np.float32)}, InvalidDepthError, 'no measurement'),
        ({'depth': np.ones((240, 240), np.float32)}, InvalidDepthError, 'register'),
        ({'depth': np.ones((0, 320), np.float32)}, InvalidDepthError, 'at least'),
        ({'pinhole': Pinhole(60.0, 60.0, 32.0, 24.0, 64, 48)}, InvalidCalibrationError, '64 x 48'),
    ],
)
def test_wrong_input_is_one_typed_error(change, error, says):
    right = {
        'depth': np.ones((240, 320), np.float32),
        'mask': np.ones((240, 320), bool),
        'rgb': colours(CAMERA),
        'pinhole': CAMERA,
    }
    with pytest.raises(error, match=rf'^[A-Z][^\n]*{says}[^\n]*\.$'):
        surface(**(right | change))


@pytest.fixture(scope='module')
def objects():
    """Camera, colours, true depth and true mask of what can be referred to in 25 scenes."""
    found = []
    with Renderer(640, 480) as renderer:
        for seed in CALIBRATION[:25]:
            picture = renderer.render(sample_scene(seed))
            found += [
                (picture.pinhole, picture.rgb, picture.depth, picture.ids == item.id)
                for item in view_of(picture).objects
                if item.is_referable
            ]
    return found


@pytest.mark.parametrize('bleed', [(0, 0), (1, 2)])
def test_objects_on_the_simulated_table_are_measured(objects, bleed, record_property):
    rng = np.random.default_rng(0)
    distances, ratios = [], []
    for camera, rgb, depth, own in objects:
        pixels = int(rng.integers(bleed[0], bleed[1] + 1))
        mask = ndimage.binary_dilation(own, np.ones((3, 3)), pixels) if pixels else own
        found = surface(metres(corrupt(rng, depth)), mask, rgb, camera)
        truth = plain_points(depth, own, camera)
        distances.append(np.linalg.norm(found.centroid - truth.mean(axis=0)))
        ratios.append(found.box.size / plain_extents(truth))
        check_frame(found)
    near = np.mean(np.array(distances) < 0.01)
    alike = np.mean(np.all(np.abs(np.array(ratios) - 1) < 0.15, axis=1))
    record_property('centroid within 10 mm', near)
    record_property('extents within 15 %', alike)
    assert near >= 0.97
    assert alike >= 0.93
