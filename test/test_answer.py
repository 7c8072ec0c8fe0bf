"""What an answer says of itself, and an answer on a reduced image as one on the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.answer import Candidate, Segmentation, Status, invalid, resized

SIDES = st.integers(1, 9)


def answer_of(masks, instance_count):
    """An answer whose first candidates are the instances, and whose heatmap is its mask."""
    candidates = tuple(Candidate(mask, 0.5, 0.5, 0.5) for mask in masks)
    union = np.logical_or.reduce([np.zeros_like(masks[0]), *masks[:instance_count]])
    status = (Status.NOT_FOUND, Status.FOUND)[instance_count] if instance_count < 2 else None
    return Segmentation(
        status or Status.FOUND_SEVERAL,
        'Said.',
        None,
        union,
        union.astype(np.float32),
        0.5,
        candidates=candidates,
        instance_count=instance_count,
    )


def random_masks(seed, count, size):
    return list(np.random.default_rng(seed).random((count, *size)) < 0.5)


@given(st.integers(0, 99), st.integers(1, 4), st.integers(0, 3))
def test_instances_are_the_first_candidates_and_the_others_are_none(seed, found, others):
    answer = answer_of(random_masks(seed, found + others, (3, 4)), found)
    assert len(answer.instances) == found
    assert all(a is b for a, b in zip(answer.instances, answer.candidates, strict=False))
    union = np.logical_or.reduce([each.mask for each in answer.instances])
    assert np.array_equal(union, answer.mask)


def test_where_nothing_is_found_there_is_no_instance():
    assert answer_of(random_masks(0, 3, (3, 4)), 0).instances == ()
    assert invalid('No words.', (3, 4)).instances == ()


@given(st.integers(0, 99), SIDES, SIDES, st.integers(0, 3))
def test_enlarged_by_an_odd_factor_every_middle_pixel_is_that_of_the_small_answer(
    seed, height, width, found
):
    small = answer_of(random_masks(seed, 3, (height, width)), found)
    large = resized(small, (3 * height, 3 * width))
    assert np.array_equal(large.mask[1::3, 1::3], small.mask)
    assert large.heatmap[1::3, 1::3] == pytest.approx(small.heatmap, abs=1e-6)
    assert large.heatmap.min() >= 0
    assert large.heatmap.max() <= 1 + 1e-6
    for one, other in zip(large.candidates, small.candidates, strict=True):
        assert np.array_equal(one.mask[1::3, 1::3], other.mask)
    union = np.logical_or.reduce(
        [np.zeros_like(large.mask), *(each.mask for each in large.instances)]
    )
    assert np.array_equal(large.mask, union)


@given(st.integers(0, 99), SIDES, SIDES, SIDES, SIDES)
def test_an_answer_takes_any_size(seed, height, width, rows, columns):
    large = resized(answer_of(random_masks(seed, 2, (height, width)), 2), (rows, columns))
    planes = [large.mask, large.heatmap, *(each.mask for each in large.candidates)]
    assert {plane.shape for plane in planes} == {(rows, columns)}
    assert (large.mask.dtype, large.heatmap.dtype) == (bool, np.float32)
