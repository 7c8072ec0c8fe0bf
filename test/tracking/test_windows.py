"""A window is what a plainly padded image shows there."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.tracking.windows import Window, padded_window, window_around

H, W = 12, 16
PAD = 20
few = settings(max_examples=60, deadline=None)
IMAGE = np.random.default_rng(0).integers(0, 255, (H, W, 3)).astype(np.uint8)
MASK = np.random.default_rng(1).random((H, W)) < 0.5


@st.composite
def windows(draw):
    left, top = draw(st.integers(-8, W - 1)), draw(st.integers(-8, H - 1))
    width = draw(st.integers(max(1, 1 - left), 12))
    height = draw(st.integers(max(1, 1 - top), 12))
    return Window(left, top, width, height, (H, W))


@few
@given(windows())
def test_cutting_and_pasting_equal_the_plain_way(window):
    rows = slice(PAD + window.top, PAD + window.top + window.height)
    columns = slice(PAD + window.left, PAD + window.left + window.width)
    image = np.pad(IMAGE, ((PAD, PAD), (PAD, PAD), (0, 0)), mode='edge')
    mask = np.pad(MASK, PAD)
    assert np.array_equal(window.cut(IMAGE), image[rows, columns])
    cut = window.cut_mask(MASK)
    assert np.array_equal(cut, mask[rows, columns])
    inside = np.zeros_like(mask)
    inside[rows, columns] = True
    assert np.array_equal(window.paste_mask(cut), (mask & inside)[PAD:-PAD, PAD:-PAD])


@few
@given(st.integers(0, 60), st.integers(0, 40), st.integers(1, 64), st.integers(1, 48))
def test_a_window_has_the_object_in_its_middle_and_the_shape_of_the_frame(x, y, width, height):
    mask = np.zeros((48, 64), dtype=bool)
    mask[y : y + height, x : x + width] = True
    window = window_around(mask)
    assert window.cut_mask(mask).sum() == mask.sum()
    rows, columns = np.nonzero(mask)
    middle = window.left + window.width / 2, window.top + window.height / 2
    assert abs(middle[0] - (columns.min() + columns.max() + 1) / 2) <= 1
    assert abs(middle[1] - (rows.min() + rows.max() + 1) / 2) <= 1
    assert abs(window.width * 48 - window.height * 64) <= 64
    assert 24 <= window.height <= 48


def test_a_padded_window_shows_the_whole_frame():
    window = padded_window((H, W), 0.25)
    assert (window.width, window.height) == (W + 8, H + 6)
    assert np.array_equal(window.cut(IMAGE)[3:-3, 4:-4], IMAGE)
    assert np.array_equal(window.paste_mask(window.cut_mask(MASK)), MASK)
