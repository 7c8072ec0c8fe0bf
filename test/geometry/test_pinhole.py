"""The pinhole camera and its lens, against OpenCV's own projection."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.errors import InvalidCalibrationError
from iterprime_ros.geometry.distortion import Distortion
from iterprime_ros.geometry.pinhole import Pinhole, back_project

LENSES = [
    Distortion('plumb_bob', (-0.3, 0.1, 0.001, -0.002, 0.0)),
    Distortion('rational_polynomial', (0.4, -0.2, 0.0005, 0.001, 0.05, 0.7, -0.1, 0.02)),
    Distortion('equidistant', (-0.02, 0.01, -0.005, 0.001)),
]


def camera_with(lens):
    return Pinhole(500.0, 505.0, 322.0, 238.0, 640, 480, lens)


@pytest.mark.parametrize('lens', LENSES, ids=lambda lens: lens.model)
def test_points_are_where_the_lens_saw_them(lens):
    camera = camera_with(lens)
    rng = np.random.default_rng(0)
    points = np.stack(
        [rng.uniform(-0.5, 0.5, 200), rng.uniform(-0.4, 0.4, 200), rng.uniform(0.8, 2, 200)], axis=1
    )
    unturned, still = np.zeros(3), np.zeros(3)
    coefficients = np.array(lens.coefficients)
    if lens.model == 'equidistant':
        pixels, _ = cv2.fisheye.projectPoints(
            points[:, None], unturned, still, camera.matrix, coefficients
        )
    else:
        pixels, _ = cv2.projectPoints(points, unturned, still, camera.matrix, coefficients)
    columns, rows = pixels.reshape(-1, 2).T
    found = back_project(rows, columns, points[:, 2], camera)
    np.testing.assert_allclose(found, points, atol=1e-6)
    plain = back_project(rows, columns, points[:, 2], camera_with(None))
    assert np.abs(plain - points).max() > 0.008  # what ignoring the lens would cost


@pytest.mark.parametrize('lens', LENSES, ids=lambda lens: lens.model)
def test_the_size_of_the_depth_image_changes_nothing(lens):
    camera = camera_with(lens)
    half = camera.resized(320, 240)
    rows, columns, z = np.array([100.5]), np.array([30.5]), np.array([1.5])
    small = back_project((rows + 0.5) / 2 - 0.5, (columns + 0.5) / 2 - 0.5, z, half)
    np.testing.assert_allclose(small, back_project(rows, columns, z, camera), atol=1e-9)


def test_no_points_stay_no_points():
    empty = np.zeros(0)
    assert back_project(empty, empty, empty, camera_with(LENSES[0])).shape == (0, 3)


@pytest.mark.parametrize(
    ('model', 'coefficients', 'words'),
    [
        ('fancy', (0.1,), 'distortion model "fancy" .* is unknown: rectify'),
        ('plumb_bob', (0.1,), 'has 1 distortion coefficients, and plumb_bob needs 4 or 5'),
        ('equidistant', (0.1,) * 5, 'needs 4 finite ones'),
        ('plumb_bob', (float('nan'),) * 5, 'finite'),
    ],
)
def test_a_lens_that_is_not_known_is_one_sentence(model, coefficients, words):
    with pytest.raises(InvalidCalibrationError, match=words):
        Distortion(model, coefficients)


@settings(deadline=None)
@given(
    st.sampled_from(['fx', 'fy', 'cx', 'cy']),
    st.sampled_from([-5000.0, 1e9, float('nan'), float('inf'), -float('inf')]),
)
def test_a_calibration_outside_sane_bounds_is_named(name, value):
    numbers = {'fx': 500.0, 'fy': 505.0, 'cx': 322.0, 'cy': 238.0, name: value}
    with pytest.raises(InvalidCalibrationError, match=r'^The camera_info has .* is no camera'):
        Pinhole(**numbers, width=640, height=480)
    with pytest.raises(InvalidCalibrationError, match='has fx 1e-308'):
        Pinhole(1e-308, 505.0, 322.0, 238.0, 640, 480)
