"""Pictures show what they are given."""

import numpy as np
import pytest

from iterprime_ros.render import overlay


@pytest.fixture
def rgb():
    return np.full((40, 60, 3), 120, np.uint8)


def test_an_overlay_marks_the_mask_and_dims_the_rest(rgb):
    mask = np.zeros((40, 60), bool)
    mask[10:20, 10:30] = True
    picture = overlay(rgb, mask).astype(int)
    assert (picture[~mask] < 120).all()
    assert (picture[mask][:, 1] > picture[mask][:, 0] + 50).all()
    assert np.array_equal(overlay(rgb, np.zeros_like(mask)), rgb)
