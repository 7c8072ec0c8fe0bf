"""3D positions, or the one sentence that says why there is none."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.runtime.frame_synchronizer import CameraFrame
from iterprime_ros.ros.runtime.localization import visible_surface

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


def located(is_rectified=False, **fields):
    given = {'depth': depth_of(1.0), 'camera_info': info_with(), 'expects_depth': True, **fields}
    frame = CameraFrame(Image(header=Header(frame_id='optical')), 0.0, **given)
    return visible_surface(frame, RGB, MASK, 0.02, is_rectified)


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
