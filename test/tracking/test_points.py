"""Points follow what moves; their motion is the one that it moved by."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.tracking.mask_geometry import moved_points
from iterprime_ros.tracking.points import (
    FLOW_SIDE,
    Followed,
    camera_motion,
    enlarged,
    follow,
    object_motion,
    points_in,
    reduced_grey,
)

SIZE = 120, 160
few = settings(max_examples=15, deadline=None)


@pytest.fixture(scope='module')
def texture():
    noise = np.random.default_rng(0).uniform(0, 255, SIZE).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def warped(texture, motion):
    shown = cv2.warpPerspective(texture, motion, SIZE[::-1], borderMode=cv2.BORDER_REFLECT)
    return shown.astype(np.uint8)


def similarity(x, y, angle, scale):
    motion = np.vstack([cv2.getRotationMatrix2D((80, 60), angle, scale), (0, 0, 1)])
    motion[:2, 2] += x, y
    return motion


@few
@given(
    st.floats(-12, 12), st.floats(-12, 12), st.floats(-6, 6), st.floats(0.93, 1.07), st.booleans()
)
def test_the_motion_of_points_is_found(texture, x, y, angle, scale, is_camera):
    motion = similarity(x, y, angle, scale)
    before, now = texture.astype(np.uint8), warped(texture, motion)
    inside = np.zeros(SIZE, dtype=bool)
    inside[40:80, 50:110] = True
    followed = follow(before, now, points_in(inside, 100))
    found = (camera_motion if is_camera else object_motion)(followed)
    corners = np.array([[50.0, 40], [110, 40], [50, 80], [110, 80]])
    assert moved_points(corners, found) == pytest.approx(moved_points(corners, motion), abs=0.5)


def test_what_moves_against_the_majority_does_not_count(texture):
    points = points_in(np.ones(SIZE, dtype=bool), 60)
    now = points + np.float32([3, 1])
    now[::4] += 10
    followed = Followed(points, now, np.ones(len(points), dtype=bool))
    shift = np.array([[1, 0, 3], [0, 1, 1], [0, 0, 1]])
    assert object_motion(followed) == pytest.approx(shift, abs=1e-3)
    assert camera_motion(followed) == pytest.approx(shift, abs=1e-3)


@pytest.mark.parametrize('count', [2, 3, 5])
def test_few_points_give_their_median_shift(count):
    points = np.float32([[5, 5], [9, 5], [5, 9], [9, 9], [7, 7]])[:count]
    followed = Followed(points, points + np.float32([2, -1]), np.ones(count, dtype=bool))
    assert object_motion(followed) == pytest.approx(np.array([[1, 0, 2], [0, 1, -1], [0, 0, 1]]))
    assert camera_motion(followed) is None


def test_without_points_there_is_no_motion(texture):
    grey = texture.astype(np.uint8)
    nothing = follow(grey, grey, points_in(np.zeros(SIZE, dtype=bool), 10))
    assert not len(nothing.before)
    assert object_motion(nothing) is None
    assert camera_motion(nothing) is None


def test_an_even_area_is_not_followed():
    even = np.full(SIZE, 90, np.uint8)
    assert not follow(even, even, points_in(np.ones(SIZE, dtype=bool), 50)).good.any()


def test_what_is_covered_is_not_followed(texture):
    before = texture.astype(np.uint8)
    now = before.copy()
    now[30:90, 40:120] = 255 - now[30:90, 40:120][::-1, ::-1]
    inside = np.zeros(SIZE, dtype=bool)
    inside[45:75, 60:100] = True
    assert follow(before, now, points_in(inside, 60)).good.mean() < 0.5


@few
@given(st.integers(1, 400), st.integers(1, 30), st.integers(1, 30))
def test_points_lie_inside_about_as_many_as_asked_for(count, width, height):
    mask = np.zeros(SIZE, dtype=bool)
    mask[10 : 10 + height, 20 : 20 + width] = True
    points = points_in(mask, count).astype(int)
    assert mask[points[:, 1], points[:, 0]].all()
    assert len(points) <= min(mask.sum(), 4 * count + width + height)
    if count >= mask.sum():
        assert len(points) == mask.sum()


@few
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-9, 9), st.floats(1, 4))
def test_an_enlarged_motion_moves_the_same_places(x, y, angle, factor):
    motion = similarity(x, y, angle, 1.0)
    scale = np.array([factor, 2 * factor])
    small = np.array([[3.0, 4], [100, 7]])
    large = (small + 0.5) * scale - 0.5
    expected = (moved_points(small, motion) + 0.5) * scale - 0.5
    assert moved_points(large, enlarged(motion, scale)) == pytest.approx(expected)


def test_a_grey_image_is_no_larger_than_flow_needs():
    assert reduced_grey(np.zeros((480, 640, 3), np.uint8)).shape == (240, FLOW_SIDE)
    assert reduced_grey(np.zeros((30, 20, 3), np.uint8)).shape == (30, 20)


def test_parts_are_the_groups_in_order():
    points = np.arange(12, dtype=np.float32).reshape(6, 2)
    followed = Followed(points, points + 1, np.array([True, False] * 3))
    parts = followed.parts([1, 0, 5])
    assert [len(part.before) for part in parts] == [1, 0, 5]
    assert np.array_equal(np.concatenate([part.now for part in parts]), followed.now)
    assert np.array_equal(np.concatenate([part.good for part in parts]), followed.good)
