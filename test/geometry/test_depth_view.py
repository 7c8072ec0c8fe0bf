"""What is seen in a direction, against the whole image, and with the distortion of a lens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.geometry.depth_view import DepthView, distance_behind
from iterprime_ros.geometry.distortion import Distortion
from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.geometry.table_frame import TableFrame

CAMERA = Pinhole(100.0, 110.0, 39.0, 31.0, 80, 60)
PLACES = st.tuples(st.integers(0, 59), st.integers(0, 79))


def scene(seed):
    """A rough depth image with unknown pixels, and a rectangle that is the object."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.4, 1.2, (60, 80)).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = rng.choice([np.nan, 0.0, -1.0, np.inf])
    depth[30, 40] = 0.8
    on_object = np.zeros(depth.shape, bool)
    on_object[25:35, 33:50] = True
    return depth, on_object


@settings(max_examples=40)
@given(st.integers(0, 1000), st.lists(PLACES, min_size=1, max_size=20), st.floats(0.2, 2.0))
def test_what_is_seen_is_the_pixel_of_the_whole_image(seed, places, z):
    depth, on_object = scene(seed)
    view = DepthView.round_object(depth, on_object, CAMERA, 10.0, 1e-6)
    rows, columns = np.array(places).T
    points = back_project(rows, columns, np.full(len(rows), z), CAMERA)
    depths, is_object = view.seen_at(points)
    known = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    assert np.array_equal(depths, known[rows, columns], equal_nan=True)
    assert np.array_equal(is_object, on_object[rows, columns])
    in_front = back_project(np.array([-3]), np.array([200]), np.ones(1), CAMERA)
    assert np.isnan(view.seen_at(in_front)[0]).all()


def test_points_are_where_the_pixels_are():
    depth, on_object = scene(3)
    view = DepthView.round_object(depth, on_object, CAMERA, 10.0, 1e-6)
    points, is_object = view.points(1e-6)
    rows, columns = np.nonzero(np.isfinite(depth) & (depth > 0))
    expected = back_project(rows, columns, depth[rows, columns], CAMERA)
    assert points == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert np.array_equal(is_object, on_object[rows, columns])


def test_a_view_is_cut_out_and_thinned():
    depth = np.full((60, 80), 0.5, np.float32)
    _, on_object = scene(0)
    view = DepthView.round_object(depth, on_object, CAMERA, 0.05, 0.012)  # a pixel is 5 mm
    assert view.depth.shape == (16, 20)  # of 10 x 17 pixels and 11 round them, every second
    points, _ = view.points(0.012)
    far = np.array([[0.0, 0.0, 0.5], [0.03, 0.01, 0.5]])
    assert np.array_equal(view.seen_at(far)[0], [0.5, 0.5])
    assert np.abs(np.diff(np.unique(points[:, 0].round(5)))).min() == pytest.approx(0.01, abs=1e-4)


@pytest.mark.parametrize(
    'distortion',
    [
        Distortion('plumb_bob', (-0.25, 0.08, 0.001, -0.001, 0.0)),
        Distortion('equidistant', (0.05, 0.01, 0.0, 0.0)),
    ],
)
def test_distortion_is_taken_out(distortion):
    """A step in depth along a straight line in space, as a distorting lens shows it."""
    camera = Pinhole(300.0, 300.0, 159.5, 119.5, 320, 240, distortion)
    rows, columns = np.indices((240, 320)).reshape(2, -1)
    rays = back_project(rows, columns, np.ones(len(rows)), camera)[:, :2]
    depth = np.where(rays[:, 0] > 0.2, 0.6, 0.9).reshape(240, 320).astype(np.float32)
    on_object = depth < 0.7
    view = DepthView.round_object(depth, on_object, camera, 1.0, 1e-6)
    heights = np.linspace(-0.2, 0.2, 9)
    for side, expected in ((0.19, 0.9), (0.21, 0.6)):
        points = np.stack([np.full(9, side), heights, np.ones(9)], axis=1)
        depths, is_object = view.seen_at(points)
        assert depths == pytest.approx(np.full(9, expected))
        assert (is_object == (expected < 0.7)).all()


def test_how_far_points_are_behind_what_is_seen():
    depth = np.full((60, 80), 0.5, np.float32)
    _, on_object = scene(0)
    view = DepthView.round_object(depth, on_object, CAMERA, 10.0, 1e-6)
    frame = TableFrame.below(np.array([0.0, 0.0, 0.5]), np.array([0.0, 1.0, 0.0]), 0.1)
    optical = np.array([[0.0, 0.0, 0.4], [0.0, 0.0, 0.7], [0.2, 0.0, 0.5], [9.0, 0.0, 0.5]])
    behind, is_object = distance_behind(frame.from_optical(optical), view, frame)
    assert behind == pytest.approx([-0.1, 0.2, 0.0, np.nan], abs=1e-6, nan_ok=True)
    assert is_object.tolist() == [True, True, False, False]
