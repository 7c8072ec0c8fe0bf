"""The pointing game against its definition in loops."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.evaluation.ablation_heatmaps import Pointed, heatmap_row, on_target

ROWS, COLUMNS, CELL = 3, 4, 4


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.2, 0.6]))
def test_a_heatmap_points_to_the_patches_of_a_target(seed, share):
    rng = np.random.default_rng(seed)
    heatmap = rng.random((ROWS, COLUMNS)).astype(np.float32)
    target = rng.random((ROWS * CELL, COLUMNS * CELL)) < rng.random()
    inside = 0.0
    belongs = np.zeros((ROWS, COLUMNS), bool)
    for row in range(ROWS):
        for column in range(COLUMNS):
            cell = target[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
            if cell.mean() > share:
                belongs[row, column] = True
                inside += float(heatmap[row, column])
    if not belongs.any():
        return  # a target without a patch gets its best one
    hit, energy = on_target(torch.from_numpy(heatmap), torch.from_numpy(target), share)
    assert hit == belongs.flat[int(heatmap.argmax())]
    assert energy == pytest.approx(inside / float(heatmap.sum()), abs=1e-6)


def test_a_heatmap_of_nothing_has_no_energy():
    target = torch.ones(ROWS * CELL, COLUMNS * CELL, dtype=torch.bool)
    assert on_target(torch.zeros(ROWS, COLUMNS), target, 0.2) == (True, 0.0)


def test_the_gain_is_paired():
    ours = [Pointed('a', True, True, 0.5), Pointed('b', True, False, 0.3)]
    theirs = [Pointed('a', True, False, 0.4), Pointed('b', True, False, 0.2)]
    row = heatmap_row('mine', ours, theirs)
    assert row['attributes: pointing game'].startswith('0.500')
    assert row['attributes: gain of energy'] == '0.100 (0.100 to 0.100)'
    assert not any(name.startswith('place') for name in row)
