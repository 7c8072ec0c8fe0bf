"""Masks in their boxes equal the plain way over all pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from iterprime_ros.tracking.mask_geometry import (
    box_of,
    centre_of,
    innermost,
    is_same_object,
    moved,
    moved_points,
    reduced_image,
    resized_mask,
)

SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
MASKS = arrays.arrays(bool, SHAPES)
SOME = MASKS.filter(np.any)
few = settings(max_examples=60, deadline=None)


@few
@given(MASKS)
def test_a_box_holds_all_pixels_and_no_more(mask):
    left, top, width, height = box_of(mask)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        assert (width, height) == (0, 0)
        return
    assert (left, top) == (columns.min(), rows.min())
    assert (left + width - 1, top + height - 1) == (columns.max(), rows.max())


@few
@given(SOME)
def test_a_centre_is_the_mean_of_the_pixels(mask):
    rows, columns = np.nonzero(mask)
    assert centre_of(mask) == pytest.approx([columns.mean(), rows.mean()])


@few
@given(SOME)
def test_the_innermost_pixel_is_as_far_from_the_edge_as_any(mask):
    x, y = innermost(mask)
    distances = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 3)
    assert distances[y + 1, x + 1] == distances.max()


def homographies():
    small = st.floats(-0.4, 0.4)
    return st.builds(
        lambda a, b, c, d, x, y, p: np.array([[1 + a, b, x], [c, 1 + d, y], [p / 200, 0, 1]]),
        *[small] * 4,
        *[st.floats(-9, 9)] * 2,
        small,
    )


@few
@given(SOME, homographies())
def test_a_moved_mask_is_the_whole_image_warped(mask, motion):
    rows, columns = mask.shape
    plain = cv2.warpPerspective(mask.astype(np.uint8) * 255, motion, (columns, rows)) > 127
    # A pixel that is half covered may fall to either side.
    assert (moved(mask, motion) != plain).sum() <= 0.02 * mask.size + 1


def test_a_mask_that_leaves_the_image_is_empty():
    mask = np.ones((5, 7), dtype=bool)
    assert not moved(mask, np.array([[1.0, 0, 7], [0, 1, 0], [0, 0, 1]])).any()
    assert moved(mask, np.array([[1.0, 0, 6], [0, 1, 0], [0, 0, 1]])).sum() == 5
    assert not moved(np.zeros((5, 7), dtype=bool), np.eye(3)).any()
    assert not moved(mask, np.diag([1.0, 1, 0])).any()


@few
@given(homographies())
def test_points_move_as_homogeneous_coordinates(motion):
    points = np.array([[0.0, 0], [3, 5], [-2, 7]])
    plain = cv2.perspectiveTransform(points[:, None], motion)[:, 0]
    assert moved_points(points, motion) == pytest.approx(plain)


@few
@given(SOME, st.integers(1, 5))
def test_a_mask_at_a_fraction_of_its_size_takes_every_nth_pixel(mask, step):
    large = np.kron(mask, np.ones((step, step), dtype=bool))
    assert np.array_equal(resized_mask(large, mask.shape), mask)
    assert np.array_equal(resized_mask(mask, mask.shape), mask)
    assert np.array_equal(resized_mask(mask, large.shape), large)


def test_an_image_is_reduced_to_its_longer_side_and_never_enlarged():
    image = np.zeros((300, 1000, 3), np.uint8)
    assert reduced_image(image, 320).shape == (96, 320, 3)
    assert reduced_image(image[:, :200], 320) is not None
    assert reduced_image(image[:, :200, 0], 320).shape == (300, 200)
    assert reduced_image(np.zeros((2, 5000), np.uint8), 100).shape == (1, 100)


def test_masks_show_the_same_object_by_the_share_of_the_smaller():
    large, small = np.zeros((10, 10), dtype=bool), np.zeros((10, 10), dtype=bool)
    large[:, :5], small[0, 3:7] = True, True
    assert is_same_object(large, small, 0.49)
    assert not is_same_object(large, small, 0.5)
    assert not is_same_object(large, np.zeros_like(large), 0.0)
