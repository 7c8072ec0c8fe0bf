"""Peaks and the choice of a mask agree with the plain reading of their rules."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import peak_points, select

STEPS = 256  # multiples of 1 / 256 sum without rounding, so that equal means are equal


def flood(cells):
    """The 4-connected components of a set of (y, x), each a set."""
    left, components = set(cells), []
    while left:
        component, border = set(), [min(left)]
        while border:
            y, x = border.pop()
            if (y, x) in left:
                left.remove((y, x))
                component.add((y, x))
                border += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        components.append(component)
    return components


def cells_of(grid):
    return {tuple(cell) for cell in np.argwhere(np.asarray(grid)).tolist()}


def plain_peaks(heatmap, limit):
    highest = max(max(row) for row in heatmap)
    peaks = [
        (y, x) for y, row in enumerate(heatmap) for x, value in enumerate(row) if value >= highest
    ]
    if len(peaks) <= limit:
        return [(x, y) for y, x in peaks]
    centres = []
    for plateau in sorted(flood(peaks), key=lambda cells: (-len(cells), min(cells)))[:limit]:
        # Distances to the mean, times the number of cells, are whole numbers.
        count = len(plateau)
        row_sum, column_sum = (sum(cell[axis] for cell in plateau) for axis in (0, 1))
        nearest = min(
            plateau,
            key=lambda cell: (
                (count * cell[0] - row_sum) ** 2 + (count * cell[1] - column_sum) ** 2,
                cell,
            ),
        )
        centres.append((nearest[1], nearest[0]))
    return centres


def plain_selection(heatmap, masks, max_components):
    highest = max(max(row) for row in heatmap)
    means, components, holds, kept = [], [], [], []
    for k, mask in enumerate(masks):
        cells = cells_of(mask)
        values = [heatmap[y][x] for y, x in cells]
        holds.append(highest in values)
        means.append(np.float32(sum(values) / len(values)) if holds[-1] else np.float32('nan'))
        components.append(len(flood(cells)) if holds[-1] else -1)
        seen_before = any(np.array_equal(mask, masks[j]) for j in range(k))
        if holds[-1] and components[-1] <= max_components and not seen_before:
            kept.append(k)
    return sorted(kept, key=lambda k: (-means[k], k)), means, components, holds


@st.composite
def heatmaps(draw, largest=9, values=STEPS):
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    steps = draw(st.lists(st.integers(0, values), min_size=height * width, max_size=height * width))
    return np.array(steps, np.float32).reshape(height, width) / values


@st.composite
def questions(draw):
    """A heatmap and masks of its size: random, empty, full, repeated, and a checkerboard."""
    heatmap = draw(heatmaps(values=draw(st.sampled_from((1, 4, STEPS)))))
    masks = []
    for kind in draw(st.lists(st.sampled_from('rrrefdc'), max_size=7)):
        if kind == 'd' and masks:
            masks.append(masks[draw(st.integers(0, len(masks) - 1))])
            continue
        seed, share = draw(st.integers(0, 2**16)), draw(st.sampled_from((0.1, 0.5, 0.9)))
        masks.append(
            {
                'e': np.zeros(heatmap.shape, bool),
                'f': np.ones(heatmap.shape, bool),
                'c': np.indices(heatmap.shape).sum(0) % 2 == 0,
            }.get(kind, np.random.default_rng(seed).random(heatmap.shape) < share)
        )
    return heatmap, np.array(masks, bool).reshape(-1, *heatmap.shape)


def proposals(masks):
    masks = torch.as_tensor(np.array(masks, bool))
    return Proposals(masks, torch.ones(len(masks)))


@settings(max_examples=200, deadline=None)
@given(heatmaps(values=2), st.integers(1, 12))
def test_peaks_are_the_maxima_or_the_middles_of_the_largest_plateaus(heatmap, limit):
    points = peak_points(torch.from_numpy(heatmap), limit)
    assert points.dtype == torch.int64
    assert [tuple(point) for point in points.tolist()] == plain_peaks(heatmap.tolist(), limit)


@settings(max_examples=300, deadline=None)
@given(questions(), st.integers(1, 12))
def test_selection_is_what_the_plain_rules_say(question, max_components):
    heatmap, masks = question
    found = select(torch.from_numpy(heatmap), proposals(masks), max_components)
    order, means, components, holds = plain_selection(heatmap.tolist(), masks, max_components)
    assert found.order.tolist() == order
    assert found.heatmap_mean.tolist() == pytest.approx(list(map(float, means)), 0, 0, nan_ok=True)
    assert found.components.tolist() == components
    assert found.contains_peak.tolist() == holds
    types = (found.order, found.heatmap_mean, found.components, found.contains_peak)
    assert [t.dtype for t in types] == [torch.int64, torch.float32, torch.int64, torch.bool]


@pytest.mark.parametrize('value', [0.1, 1 / 3, 0.7, 1.0])
def test_masks_of_one_value_tie_whatever_their_sizes(value):
    """A third of a million float32 additions of 0.1 would stray in the third digit."""
    heatmap = torch.full((480, 640), value)
    masks = np.zeros((4, 480, 640), bool)
    for k, size in enumerate((479, 3, 100, 17)):
        masks[k, :size, : size + 5] = True
    found = select(heatmap, proposals(masks))
    assert found.heatmap_mean.tolist() == [heatmap[0, 0].item()] * 4
    assert found.order.tolist() == [0, 1, 2, 3]


def test_a_large_map_has_the_exact_means():
    rng = np.random.default_rng(0)
    heatmap = rng.random((480, 640), np.float32)
    masks = rng.random((5, 480, 640)) < np.array([0.01, 0.2, 0.5, 0.9, 1.0])[:, None, None]
    masks |= heatmap == heatmap.max()
    found = select(torch.from_numpy(heatmap), proposals(masks))
    exact = [np.float32(np.longdouble(heatmap[mask]).mean()) for mask in masks]
    assert found.heatmap_mean.tolist() == [float(mean) for mean in exact]


def test_thirteen_specks_are_too_many_and_twelve_are_not():
    heatmap = torch.zeros(1, 40)
    heatmap[0, 0] = 1
    masks = np.zeros((2, 1, 40), bool)
    masks[0, 0, 0:26:2] = True
    masks[1, 0, 0:24:2] = True
    found = select(heatmap, proposals(masks))
    assert found.components.tolist() == [13, 12]
    assert found.order.tolist() == [1]


def test_corners_do_not_connect():
    heatmap = torch.ones(2, 2)
    masks = np.array([[[1, 0], [0, 1]], [[1, 1], [0, 1]]], bool)
    assert select(heatmap, proposals(masks)).components.tolist() == [2, 1]


def test_nothing_is_chosen_from_nothing():
    found = select(torch.ones(3, 4), proposals(np.zeros((0, 3, 4), bool)))
    assert found.order.shape == found.components.shape == (0,)


def test_the_middle_of_a_ring_is_on_the_ring():
    heatmap = torch.zeros(5, 7)
    heatmap[1:4, 2:5] = 1
    heatmap[2, 3] = 0.5
    assert peak_points(heatmap, 3).tolist() == [[3, 1]]


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_heatmap_without_a_peak_is_refused(value):
    heatmap = torch.zeros(3, 4)
    heatmap[1, 2] = value
    with pytest.raises(ValueError, match='not finite'):
        peak_points(heatmap, 1)
    with pytest.raises(ValueError, match='not finite'):
        select(heatmap, proposals(np.ones((1, 3, 4), bool)))


def test_shapes_that_do_not_fit_are_refused():
    masks = proposals(np.ones((1, 3, 4), bool))
    with pytest.raises(ValueError, match=r'\(4, 3\) pixels and the masks \(3, 4\)'):
        select(torch.zeros(4, 3), masks)
    for shape in ((0, 4), (1, 3, 4)):
        with pytest.raises(ValueError, match='with a pixel'):
            select(torch.zeros(shape), masks)
    with pytest.raises(ValueError, match='at least one peak'):
        peak_points(torch.zeros(3, 4), 0)


@given(st.integers(0, 2**32 - 1))
def test_overlap_ranks_by_a_weighted_iou(seed):
    rng = np.random.default_rng(seed)
    heatmap = rng.random((6, 7)).astype(np.float32)
    masks = rng.random((5, 6, 7)) < rng.random((5, 1, 1))
    masks[:, 0, 0] = True
    proposals = Proposals(torch.from_numpy(masks), torch.ones(5))
    chosen = select(torch.from_numpy(heatmap), proposals, 99, 'overlap')

    def overlap(mask):
        inside = [float(heatmap[cell]) for cell in np.ndindex(heatmap.shape) if mask[cell]]
        return sum(inside) / (len(inside) + float(heatmap.sum()) - sum(inside))

    ranks = [overlap(masks[k]) for k in chosen.order.tolist()]
    assert ranks == sorted(ranks, reverse=True) or np.allclose(ranks, sorted(ranks)[::-1])
    assert ranks[0] == pytest.approx(max(map(overlap, masks)))
    assert chosen.heatmap_overlap.tolist() == pytest.approx(list(map(overlap, masks)))


def test_of_masks_inside_each_other_overlap_takes_the_one_that_stands_out():
    heatmap = torch.zeros(9, 9)
    heatmap[2:7, 2:7] = 0.8
    heatmap[4, 4] = 1
    small, right, large = (torch.zeros(9, 9, dtype=torch.bool) for _ in range(3))
    small[4, 4] = right[2:7, 2:7] = large[:8, :8] = True
    proposals = Proposals(torch.stack([small, right, large]), torch.ones(3))
    assert select(heatmap, proposals).order[0] == 0
    assert select(heatmap, proposals, rank='overlap').order[0] == 1


def test_overlap_takes_a_mask_beside_the_peak_and_the_mean_does_not():
    heatmap = torch.zeros(9, 9)
    heatmap[2:7, 2:7] = 0.8
    heatmap[4, 1] = 1  # beside the object, as at its edge
    beside = torch.zeros(1, 9, 9, dtype=torch.bool)
    beside[0, 2:7, 2:7] = True
    proposals = Proposals(beside, torch.ones(1))
    assert select(heatmap, proposals).order.tolist() == []
    assert select(heatmap, proposals, rank='overlap').order.tolist() == [0]
