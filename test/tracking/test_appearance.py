"""Colours are counted as one by one, and tell objects apart."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.tracking.appearance import COLOUR_SIDE, appearance, colour_bins

few = settings(max_examples=30, deadline=None)
COLOUR = st.tuples(*[st.integers(0, 255)] * 3)
WHOLE = np.ones((8, 8), dtype=bool)


def plain(colour):
    """An even image."""
    return np.full((8, 8, 3), colour, np.uint8)


def look(image, mask=WHOLE):
    return appearance(colour_bins(image), mask)


@few
@given(st.integers(0, 2**32 - 1))
def test_pixels_have_one_number_where_their_colours_share_a_cell(seed):
    image = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(int)
    cells = [tuple(each // (32, 12, 12)) for each in lab]
    bins = colour_bins(image).ravel().tolist()
    for cell, number in zip(cells, bins, strict=True):
        assert [each == cell for each in cells] == [each == number for each in bins]


@few
@given(COLOUR)
def test_a_colour_is_like_itself_and_its_own(colour):
    same = look(plain(colour))
    assert same.shares.sum() == pytest.approx(1)
    assert same.similarity(same) == pytest.approx(1)
    assert same.own(colour_bins(plain(colour))).all()


def test_the_colours_of_objects_differ_and_light_differs_less():
    red, dark_red, blue = (
        look(plain(each)) for each in ((200, 30, 20), (160, 24, 16), (20, 40, 200))
    )
    assert red.similarity(blue) < 0.01
    assert not red.own(colour_bins(plain((20, 40, 200)))).any()
    assert red.similarity(dark_red) > red.similarity(blue) + 0.2


def test_only_what_is_under_the_mask_counts():
    image = plain((200, 30, 20))
    image[:, 4:] = 20, 40, 200
    left = np.zeros((16, 16), dtype=bool)
    left[:, :8] = True
    assert look(image, left).similarity(look(plain((200, 30, 20)))) == pytest.approx(1)
    assert look(image, ~left).similarity(look(plain((20, 40, 200)))) == pytest.approx(1)
    assert look(image, np.zeros_like(left)) is None


def test_colours_are_mixed_by_their_shares():
    red, blue = look(plain((200, 30, 20))), look(plain((20, 40, 200)))
    mixed = red.mixed(blue, 0.25)
    assert mixed.shares == pytest.approx(0.75 * red.shares + 0.25 * blue.shares)


def test_a_large_image_is_counted_reduced():
    assert colour_bins(np.zeros((500, 1000, 3), np.uint8)).shape == (160, COLOUR_SIDE)
