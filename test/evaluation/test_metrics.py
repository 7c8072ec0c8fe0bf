"""The measures against loops over pixels and scenes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.evaluation.metrics import (
    Outcome,
    best_possible,
    bootstrapped,
    estimates,
    miou,
    oiou,
    overlap,
    precision,
    refused,
)

BASE = Outcome(
    scene=0,
    stratum='attributes',
    kind='mug',
    manner='attributes',
    command='the mug',
    status='found',
    probability=0.9,
    intersection=0,
    union=1,
    is_present=True,
    is_refused=False,
)
AREAS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (pair[0], 1 + sum(pair))),
    min_size=1,
    max_size=20,
)


def outcomes(areas):
    return [
        replace(BASE, scene=k, intersection=shared, union=union)
        for k, (shared, union) in enumerate(areas)
    ]


@given(AREAS)
def test_measures_are_their_definitions(areas):
    some = outcomes(areas)
    ious = [shared / union for shared, union in areas]
    assert miou(some) == pytest.approx(sum(ious) / len(ious))
    total = [sum(column) for column in zip(*areas, strict=True)]
    assert oiou(some) == pytest.approx(total[0] / total[1])
    for threshold in (0.5, 0.7, 0.9):
        right = sum(iou > threshold for iou in ious)
        assert precision(some, threshold) == pytest.approx(right / len(ious))


@given(AREAS)
def test_an_interval_holds_the_measure_of_what_was_seen(areas):
    found = bootstrapped(miou, outcomes(areas))
    ious = [shared / union for shared, union in areas]
    assert min(ious) - 1e-9 <= found.low <= found.high <= max(ious) + 1e-9
    assert bootstrapped(miou, outcomes(areas)) == found


def test_an_interval_narrows_with_the_square_root_of_the_scenes():
    rng = np.random.default_rng(0)

    def width(count):
        found = bootstrapped(miou, outcomes([(int(rng.random() < 0.5), 1) for _ in range(count)]))
        return found.high - found.low

    few, many = width(100), width(1600)
    assert few == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.25)
    assert many == pytest.approx(few / 4, rel=0.25)


def test_scenes_are_drawn_whole():
    """Ten questions on one scene say no more than one."""
    single = outcomes([(k % 2, 1) for k in range(40)])
    tenfold = [outcome for outcome in single for _ in range(10)]
    one, ten = bootstrapped(miou, single), bootstrapped(miou, tenfold)
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))


def test_refusals_are_told_apart():
    some = [
        replace(BASE, is_refused=True),
        replace(BASE, intersection=1),
        replace(BASE, is_present=False, union=0, is_refused=True),
        replace(BASE, is_present=False, union=0, is_refused=True),
        replace(BASE, is_present=False, union=0, is_refused=False),
    ]
    found = estimates(some)
    assert found['refused wrongly'].value == pytest.approx(0.5)
    assert found['refused rightly'].value == pytest.approx(2 / 3)
    assert found['mIoU'].value == pytest.approx(0.5)
    assert refused(some) == pytest.approx(3 / 5)


def test_the_best_candidate_is_only_told_where_it_was_looked_at():
    assert 'best possible mIoU' not in estimates([BASE])
    assert math.isnan(best_possible([BASE]))
    assert estimates([replace(BASE, best_iou=0.7)])['best possible mIoU'].value == 0.7


@given(st.integers(0, 2**12 - 1), st.integers(0, 2**12 - 1))
def test_overlap_counts_pixels(first, second):
    masks = [np.array([(bits >> k) & 1 for k in range(12)], bool) for bits in (first, second)]
    shared, union = (bin(bits).count('1') for bits in (first & second, first | second))
    assert overlap(*(mask.reshape(3, 4) for mask in masks)) == (shared, union)
    assert overlap(masks[0], None) == (0, 0)
