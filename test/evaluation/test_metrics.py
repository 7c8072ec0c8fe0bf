"""The metrics against loops over pixels and images."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.evaluation.metrics import (
    METRICS,
    bootstrap,
    estimates,
    miou,
    oiou,
    oracle_miou,
    overlap,
    precision,
    rejection_rate,
)

AREAS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (pair[0], 1 + sum(pair))),
    min_size=1,
    max_size=20,
)


def outcomes(areas):
    return [
        replace(BASE, image_id=str(k), intersection=shared, union=union)
        for k, (shared, union) in enumerate(areas)
    ]


@given(AREAS)
def test_metrics_are_their_definitions(areas):
    some = outcomes(areas)
    ious = [shared / union for shared, union in areas]
    assert miou(some) == pytest.approx(sum(ious) / len(ious))
    total = [sum(column) for column in zip(*areas, strict=True)]
    assert oiou(some) == pytest.approx(total[0] / total[1])
    for threshold in (0.5, 0.7, 0.9):
        right = sum(iou > threshold for iou in ious)
        assert precision(some, threshold) == pytest.approx(right / len(ious))
        assert METRICS[f'P@{threshold}'].function(some) == precision(some, threshold)


@given(AREAS)
def test_an_interval_lies_between_the_lowest_and_the_highest_iou(areas):
    estimate = bootstrap(miou, outcomes(areas))
    ious = [shared / union for shared, union in areas]
    assert min(ious) - 1e-9 <= estimate.low <= estimate.high <= max(ious) + 1e-9
    assert bootstrap(miou, outcomes(areas)) == estimate


def test_an_interval_narrows_with_the_square_root_of_the_number_of_images():
    rng = np.random.default_rng(0)

    def width(count):
        estimate = bootstrap(miou, outcomes([(int(rng.random() < 0.5), 1) for _ in range(count)]))
        return estimate.high - estimate.low

    few, many = width(100), width(1600)
    assert few == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.25)
    assert many == pytest.approx(few / 4, rel=0.25)


def test_intervals_resample_by_image():
    """Ten equal questions about one image narrow nothing."""
    single = outcomes([(k % 2, 1) for k in range(40)])
    tenfold = [outcome for outcome in single for _ in range(10)]
    one, ten = bootstrap(miou, single), bootstrap(miou, tenfold)
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))


def test_false_and_correct_rejections_differ():
    some = [
        replace(BASE, is_rejected=True),
        replace(BASE, intersection=1),
        replace(BASE, has_target=False, union=0, is_rejected=True),
        replace(BASE, has_target=False, union=0, is_rejected=True),
        replace(BASE, has_target=False, union=0, is_rejected=False),
    ]
    found = estimates(some)
    assert found['false rejections'].value == pytest.approx(0.5)
    assert found['correct rejections'].value == pytest.approx(2 / 3)
    assert found['mIoU'].value == pytest.approx(0.5)
    assert rejection_rate(some) == pytest.approx(3 / 5)


def test_the_oracle_is_measured_only_where_it_was_computed():
    assert 'oracle mIoU' not in estimates([BASE])
    assert math.isnan(oracle_miou([BASE]))
    assert estimates([replace(BASE, oracle_iou=0.7)])['oracle mIoU'].value == 0.7


def test_columns_have_a_fixed_order():
    some = [replace(BASE, oracle_iou=0.7), replace(BASE, has_target=False)]
    assert list(estimates(some)) == [
        *('P@0.5', 'mIoU', 'oIoU', 'P@0.7', 'P@0.9'),
        *('false rejections', 'correct rejections', 'oracle mIoU'),
    ]


@given(st.integers(0, 2**12 - 1), st.integers(0, 2**12 - 1))
def test_overlap_counts_pixels(first, second):
    masks = [np.array([(bits >> k) & 1 for k in range(12)], bool) for bits in (first, second)]
    shared, union = (bin(bits).count('1') for bits in (first & second, first | second))
    assert overlap(*(mask.reshape(3, 4) for mask in masks)) == (shared, union)
    assert overlap(masks[0], None) == (0, 0)
