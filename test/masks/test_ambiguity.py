"""Rivals: masks of other objects at peaks that are about as high."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.masks.ambiguity import is_other_object, rival_points


def plain_rivals(patches, winner, margin):
    """Peaks (x, y) by loops over patches, row by row."""
    rows, columns = patches.shape
    height, width = winner.shape
    found = []
    for row in range(rows):
        for column in range(columns):
            around = patches[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            y = int((row + 0.5) * height / rows)
            x = int((column + 0.5) * width / columns)
            is_peak = patches[row, column] >= around.max()
            is_high = patches[row, column] >= np.float32(1 - margin) * patches.max()
            if is_peak and is_high and not winner[y, x]:
                found.append([x, y])
    return found


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.25, 0.5, 1.0]), st.integers(1, 9))
def test_rivals_are_the_other_peaks_that_are_high_enough(seed, margin, limit):
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 5, (4, 6)).astype(np.float32) / 4
    winner = np.zeros((40, 50), bool)
    winner[rng.integers(40) :, rng.integers(50) :] = True
    found = rival_points(torch.from_numpy(patches), torch.from_numpy(winner), margin, limit)
    assert found.dtype == torch.int64
    assert found.tolist() == plain_rivals(patches, winner, margin)[:limit]


def test_without_a_margin_there_is_no_rival():
    nothing = torch.zeros(8, 8, dtype=torch.bool)
    assert rival_points(torch.ones(2, 2), nothing, 0.0, 8).shape == (0, 2)
    assert len(rival_points(torch.ones(2, 2), nothing, 0.5, 8)) == 4


@pytest.mark.parametrize(
    ('rows', 'is_other'), [((0, 4), False), ((0, 9), False), ((4, 8), True), ((8, 9), True)]
)
def test_a_part_and_a_whole_are_the_same_object(rows, is_other):
    winner, mask = (torch.zeros(9, 9, dtype=torch.bool) for _ in range(2))
    winner[:4] = True
    mask[slice(*rows)] = True
    assert is_other_object(mask, winner) is is_other
