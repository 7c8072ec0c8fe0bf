"""Depth and 3D positions, or the one sentence that says why there is none."""

import numpy as np
import pytest
from rclpy.logging import get_logger
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.messages.frame_synchronizer import CameraFrame
from iterprime_ros.messages.registered_depth import RegisteredDepth, registered_depth, thinned
from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.runtime.localization import Localizer

CAMERA = Pinhole(60.0, 60.0, 31.5, 23.5, 64, 48)
RGB = np.zeros((48, 64, 3), np.uint8)
MASK = np.zeros((48, 64), bool)
MASK[10:30, 20:40] = True


def depth_of(metres, frame_id='optical'):
    pixels = np.full((48, 64), metres, np.float32)
    return to_image(pixels, '32FC1', Header(frame_id=frame_id))


def info_with(**fields):
    info = to_camera_info(CAMERA, Header())
    for name, value in fields.items():
        setattr(info, name, value)
    return info


def frame_with(**fields):
    given = {'depth': depth_of(1.0), 'camera_info': info_with(), 'expects_depth': True, **fields}
    return CameraFrame(Image(header=Header(frame_id='optical')), 0.0, **given)


def located(is_rectified=False, **fields):
    localizer = Localizer(lambda: {'depth_tolerance': 0.02}, is_rectified, get_logger('test'))
    depth, why_not = localizer.depth_of(frame_with(**fields), MASK.shape)
    return (None, why_not) if depth is None else localizer.surface_of(depth, RGB, MASK)


def test_a_surface_is_where_its_depth_says():
    surface, note = located()
    assert note == ''
    assert surface.centroid == pytest.approx([-2 / 60, -4 / 60, 1.0], abs=1e-3)


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'depth': None, 'expects_depth': False}, ''),
        ({'depth': None}, 'No depth image with a stamp within 0.02 s of the image'),
        ({'camera_info': None}, 'no camera_info'),
        ({'depth': depth_of(1.0, 'depth_optical')}, 'remap depth to the registered topic'),
        ({'depth': depth_of(np.nan)}, 'no measurement on the object'),
        ({'camera_info': CameraInfo()}, 'is no camera'),
        ({'camera_info': info_with(width=32)}, 'of 32 x 48 pixels and the image has 64 x 48'),
        ({'depth': Image(header=Header(frame_id='optical'))}, 'Depth of encoding "" cannot be'),
        ({'depth': 'nonsense'}, "(AttributeError: 'str' object has no attribute 'header')"),
        ({'camera_info': info_with(distortion_model='fancy', d=[0.1])}, '"fancy"'),
    ],
)
def test_why_there_is_no_position_is_one_sentence(fields, words):
    surface, note = located(**fields)
    assert surface is None
    assert words in note
    assert '\n' not in note
    assert note == '' or note.endswith('.')


def test_distortion_moves_points_and_a_rectified_image_has_none():
    bent = info_with(d=[-0.3, 0.1, 0.0, 0.0, 0.0])
    plain, _ = located()
    undistorted, _ = located(camera_info=bent)
    rectified, _ = located(is_rectified=True, camera_info=bent)
    assert np.abs(undistorted.points - plain.points).max() > 0.005
    assert np.array_equal(rectified.points, plain.points)


def test_depth_of_another_resolution_belongs_to_the_image_and_of_another_shape_does_not():
    half, wide = (
        to_image(np.ones(shape, np.float32), '32FC1', Header(frame_id='optical'))
        for shape in ((24, 32), (24, 64))
    )
    depth, note = registered_depth(frame_with(depth=half), MASK.shape, 0.02, False)
    assert (depth.metres.shape, depth.pinhole, note) == ((24, 32), CAMERA, '')
    depth, note = registered_depth(frame_with(depth=wide), MASK.shape, 0.02, False)
    assert depth is None
    assert 'register it to the image' in note


@pytest.mark.parametrize(
    ('size', 'covered', 'step'),
    [
        ((480, 640), 2500, 1),
        ((480, 640), 2600, 2),
        ((480, 640), 25_000, 4),
        ((480, 640), 480 * 640, 16),
        ((240, 320), 2600, 1),  # a quarter of the depth pixels
        ((90, 120), 480 * 640, 3),
        ((481, 641), 480 * 640, 1),  # no common divisor
    ],
)
def test_depth_is_thinned_to_what_is_enough_and_keeps_its_place(size, covered, step):
    """Each depth that is kept is projected to where it was before."""
    pinhole = Pinhole(580.0, 570.0, 320.0, 239.0, 640, 480)
    mask = np.zeros(480 * 640, bool)
    mask[:covered] = True
    metres = np.random.default_rng(0).uniform(0.5, 2.0, size).astype(np.float32)
    few = thinned(RegisteredDepth(metres, pinhole), mask.reshape(480, 640))
    assert few.metres.shape == (size[0] // step, size[1] // step)

    def points(depth):
        rows, columns = np.indices(depth.metres.shape).reshape(2, -1)
        camera = depth.pinhole.resized(*depth.metres.shape[::-1])
        return back_project(rows, columns, depth.metres.ravel(), camera)

    whole = points(RegisteredDepth(metres, pinhole)).reshape(*size, 3)
    kept = whole[step // 2 :: step, step // 2 :: step].reshape(-1, 3)
    assert points(few) == pytest.approx(kept, abs=1e-5)
