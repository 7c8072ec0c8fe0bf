"""The metrics against loops over pixels, images and permutations."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.answer import Status
from iterprime_ros.evaluation.metrics import (
    ALL_INSTANCES,
    CORRECT_AMBIGUOUS,
    CORRECT_REJECTIONS,
    FALSE_AMBIGUOUS,
    FALSE_REJECTIONS,
    GENERALISED,
    MEAN_IOU,
    METRICS,
    ORACLE_MEAN_IOU,
    P_05,
    PRECISIONS,
    THRESHOLDS,
    Asked,
    bootstrap,
    estimates,
    is_complete,
    overlap,
    quality,
)

AREAS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (pair[0], 1 + sum(pair))),
    min_size=1,
    max_size=20,
)
ANSWERS = st.lists(
    st.tuples(st.sampled_from(Asked), st.sampled_from(Status), st.integers(0, 9), st.booleans()),
    min_size=1,
    max_size=30,
)


def outcomes(areas):
    return [
        replace(BASE, image_id=str(k), intersection=shared, union=union)
        for k, (shared, union) in enumerate(areas)
    ]


def answered(answers):
    return [
        replace(
            BASE,
            image_id=str(image),
            asked=asked,
            status=status.value,
            union=int(asked in (Asked.ONE, Asked.SEVERAL)),
            intersection=int(is_right and asked in (Asked.ONE, Asked.SEVERAL)),
            is_complete=is_right and asked is Asked.SEVERAL,
        )
        for asked, status, image, is_right in answers
    ]


@given(AREAS)
def test_ious_are_their_definitions(areas):
    some = outcomes(areas)
    ious = [shared / union for shared, union in areas]
    assert MEAN_IOU(some) == pytest.approx(sum(ious) / len(ious))
    total = [sum(column) for column in zip(*areas, strict=True)]
    assert METRICS['oIoU'](some) == pytest.approx(total[0] / total[1])
    for threshold in THRESHOLDS:
        above = sum(iou > threshold for iou in ious) / len(ious)
        reaching = sum(iou >= threshold for iou in ious) / len(ious)
        assert PRECISIONS[f'P@{threshold} (>)'](some) == pytest.approx(above)
        assert PRECISIONS[f'P@{threshold} (>=)'](some) == pytest.approx(reaching)


def test_the_comparisons_of_an_iou_with_a_threshold_differ_where_they_are_equal():
    for threshold in THRESHOLDS:
        some = outcomes([(round(10 * threshold), 10)])
        assert PRECISIONS[f'P@{threshold} (>)'](some) == 0
        assert PRECISIONS[f'P@{threshold} (>=)'](some) == 1


@given(ANSWERS)
def test_rates_count_the_questions_that_they_are_for(answers):
    def rate(is_right, *asked):
        counted = [is_right(answer) for answer in answers if answer[0] in asked]
        return sum(counted) / len(counted) if counted else math.nan

    def is_rejected(answer):
        return answer[1] in (Status.NOT_FOUND, Status.INVALID)

    def is_ambiguous(answer):
        return answer[1] is Status.AMBIGUOUS

    expected = {
        FALSE_REJECTIONS: rate(is_rejected, Asked.ONE, Asked.SEVERAL),
        CORRECT_REJECTIONS: rate(is_rejected, Asked.NOTHING),
        FALSE_AMBIGUOUS: rate(is_ambiguous, Asked.ONE),
        CORRECT_AMBIGUOUS: rate(is_ambiguous, Asked.UNCLEAR),
        ALL_INSTANCES: rate(lambda answer: answer[3], Asked.SEVERAL),
        P_05: rate(lambda answer: answer[3], Asked.ONE, Asked.SEVERAL),
    }
    some = answered(answers)
    for metric, value in expected.items():
        assert metric(some) == pytest.approx(value, nan_ok=True)


@given(ANSWERS)
def test_quality_is_a_mean_of_what_can_be_measured(answers):
    values = {name: metric(answered(answers)) for name, metric in METRICS.items()}
    found = {name: value for name, value in values.items() if not math.isnan(value)}
    merits = [
        *(found.get(name) for name in ('P@0.5', 'mIoU', 'correct rejections', 'all instances')),
        *(found.get(name) for name in ('correct AMBIGUOUS',)),
        *(1 - found[name] for name in ('false rejections', 'false AMBIGUOUS') if name in found),
    ]
    measured = [merit for merit in merits if merit is not None]
    if measured:
        assert quality(answered(answers)) == pytest.approx(sum(measured) / len(measured))


def test_a_perfect_answer_to_everything_has_quality_1():
    right = {
        Asked.ONE: Status.FOUND,
        Asked.SEVERAL: Status.FOUND_SEVERAL,
        Asked.UNCLEAR: Status.AMBIGUOUS,
        Asked.NOTHING: Status.NOT_FOUND,
    }
    assert quality(answered([(asked, right[asked], 0, True) for asked in Asked])) == 1
    assert quality(answered([(asked, Status.FOUND, 0, False) for asked in Asked])) < 0.3


@settings(max_examples=25, deadline=None)
@given(ANSWERS, st.sampled_from(sorted(METRICS)))
def test_the_bootstrap_equals_one_of_whole_lists(answers, name):
    metric, some = METRICS[name], answered(answers)
    counted = [outcome for outcome in some if outcome.asked in metric.asked]
    if not counted or math.isnan(metric(some)):
        return
    images = [
        [outcome for outcome in counted if outcome.image_id == image]
        for image in dict.fromkeys(outcome.image_id for outcome in counted)
    ]
    drawn = np.random.default_rng(0).integers(len(images), size=(1000, len(images)))
    values = [metric([each for k in row for each in images[k]]) for row in drawn[:20]]
    sums = np.array(
        [
            [sum(map(function, image)) for function in (metric.numerator, metric.denominator)]
            for image in images
        ]
    )
    totals = sums[drawn].sum(axis=1)
    np.testing.assert_allclose(totals[:20, 0] / totals[:20, 1], values)
    low, high = np.percentile(totals[:, 0] / totals[:, 1], [2.5, 97.5])
    estimate = bootstrap(metric, some)
    assert (estimate.low, estimate.high) == pytest.approx((low, high))


@settings(max_examples=25, deadline=None)
@given(AREAS)
def test_an_interval_lies_between_the_lowest_and_the_highest_iou(areas):
    estimate = bootstrap(MEAN_IOU, outcomes(areas))
    ious = [shared / union for shared, union in areas]
    assert min(ious) - 1e-9 <= estimate.low <= estimate.high <= max(ious) + 1e-9
    assert bootstrap(MEAN_IOU, outcomes(areas)) == estimate


def test_an_interval_narrows_with_the_square_root_of_the_number_of_images():
    rng = np.random.default_rng(0)

    def width(count):
        some = outcomes([(int(rng.random() < 0.5), 1) for _ in range(count)])
        estimate = bootstrap(MEAN_IOU, some)
        return estimate.high - estimate.low

    few, many = width(100), width(1600)
    assert few == pytest.approx(2 * 1.96 * 0.5 / 10, rel=0.25)
    assert many == pytest.approx(few / 4, rel=0.25)


def test_intervals_resample_by_image():
    """Ten equal questions about one image narrow nothing."""
    single = outcomes([(k % 2, 1) for k in range(40)])
    tenfold = [outcome for outcome in single for _ in range(10)]
    one, ten = bootstrap(MEAN_IOU, single), bootstrap(MEAN_IOU, tenfold)
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))


def test_the_oracle_is_measured_only_where_it_was_computed():
    assert 'oracle mIoU' not in estimates([BASE])
    assert math.isnan(ORACLE_MEAN_IOU([BASE]))
    assert estimates([replace(BASE, oracle_iou=0.7)])['oracle mIoU'].value == 0.7


def test_columns_have_a_fixed_order():
    some = [replace(BASE, oracle_iou=0.7, asked=asked) for asked in Asked]
    assert list(estimates(some)) == [
        *('P@0.5', 'mIoU', 'oIoU', 'false rejections', 'correct rejections'),
        *('false AMBIGUOUS', 'correct AMBIGUOUS', 'all instances', 'oracle mIoU'),
    ]
    assert list(estimates(some, PRECISIONS)) == list(PRECISIONS)
    assert list(estimates(some, GENERALISED)) == list(GENERALISED)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=20))
def test_estimates_are_those_of_each_metric_alone(answers):
    some = [
        replace(
            BASE,
            image_id=str(image),
            asked=list(Asked)[kind],
            union=10 * (kind < 2),
            intersection=image * (kind < 2),
            status='not found' if image % 3 == 0 else 'found',
            mask_area=image,
        )
        for kind, image in answers
    ]
    metrics = {**METRICS, **PRECISIONS, **GENERALISED}
    found = estimates(some, metrics)
    for name, metric in metrics.items():
        if math.isnan(metric(some)):
            assert name not in found
            continue
        assert found[name].value == pytest.approx(metric(some))
        alone = bootstrap(metric, some)
        assert (found[name].low, found[name].high) == pytest.approx((alone.low, alone.high))


PIXELS = st.integers(0, 2**6 - 1)  # of a mask of 6 pixels; bit k is pixel k
GENERAL_ANSWERS = st.lists(
    st.tuples(st.sampled_from((0, *range(64))), PIXELS, st.booleans()), min_size=1, max_size=20
)


def counted(bits):
    return bits.bit_count()


@given(GENERAL_ANSWERS)
def test_generalised_metrics_are_those_of_pixel_sets(answers):
    """Target 0 is none; an answer says whether it rejects, whatever its mask, as ReLA's does."""
    some, ious, shared, together = [], [], 0, 0
    rejected = {True: [], False: []}  # by whether there is a target
    empty = []
    for k, (target, mask, is_rejected) in enumerate(answers):
        some.append(
            replace(
                BASE,
                image_id=str(k),
                asked=Asked.ONE if target else Asked.NOTHING,
                status='not found' if is_rejected else 'found',
                intersection=counted(target & mask),
                union=counted(target | mask) if target else 0,
                mask_area=counted(mask),
            )
        )
        rejected[bool(target)].append(is_rejected)
        if not target:
            ious.append(1.0 if is_rejected else 0.0)
            together += 0 if is_rejected else counted(mask)
            empty.append(mask == 0)
            continue
        intersection = 0 if is_rejected else counted(target & mask)
        ious.append(intersection / counted(target | mask))
        shared += intersection
        together += counted(target | mask)
    expected = {
        'gIoU': sum(ious) / len(ious),
        'cIoU': shared / together if together else math.nan,
        'N-acc': np.mean(rejected[False]) if rejected[False] else math.nan,
        'T-acc': 1 - np.mean(rejected[True]) if rejected[True] else math.nan,
        'empty masks': np.mean(empty) if empty else math.nan,
    }
    for name, value in expected.items():
        assert GENERALISED[name](some) == pytest.approx(value, nan_ok=True)


def test_what_is_unclear_is_no_part_of_the_generalised_metrics():
    some = [replace(BASE, asked=Asked.UNCLEAR, union=0)]
    assert estimates(some, GENERALISED) == {}


BITS = st.integers(0, 2**12 - 1)


def mask(bits):
    return np.array([(bits >> k) & 1 for k in range(12)], bool).reshape(3, 4)


@given(BITS, BITS)
def test_overlap_counts_pixels(first, second):
    shared, union = (bin(bits).count('1') for bits in (first & second, first | second))
    assert overlap(mask(first), mask(second)) == (shared, union)
    assert overlap(mask(first), None) == (0, 0)


@given(st.data())
def test_an_answer_is_complete_if_some_order_of_it_fits_target_by_target(data):
    targets = data.draw(st.lists(BITS, min_size=0, max_size=4))
    changes = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 2**11]), max_size=6))
    found = [bits ^ change for bits, change in zip(targets * 2, changes, strict=False)]
    found = data.draw(st.permutations(found))

    def fits(one, other):
        union = bin(one | other).count('1')
        return union > 0 and bin(one & other).count('1') / union > 0.5

    expected = bool(targets) and any(
        len(order) == len(targets) and all(map(fits, order, targets))
        for order in permutations(found)
    )
    assert is_complete([*map(mask, found)], [*map(mask, targets)]) == expected
