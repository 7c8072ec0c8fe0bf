"""Answers as messages: what is filled in for one object, for several and for none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from std_msgs.msg import Header

from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.referred_object import full_mask, instance_masks, referred_object

SHAPE = (6, 8)


def answer_of(status, instance_count, candidate_count):
    """An answer whose candidate k covers column k, and has the chance 1 / (k + 1)."""
    columns = np.arange(candidate_count)[:, None, None]
    masks = np.broadcast_to(np.arange(SHAPE[1]) == columns, (candidate_count, *SHAPE))
    candidates = tuple(
        Candidate(mask, 0.5, 0.25, 0.75, 1 / (k + 1)) for k, mask in enumerate(masks)
    )
    union = masks[:instance_count].any(axis=0)
    heatmap = union.astype(np.float32)
    return Segmentation(
        status, 'Said.', None, union, heatmap, 0.5, 'chance', candidates, instance_count
    )


def message_of(answer, max_candidates=2):
    return referred_object(Header(), 'a command', answer, None, max_candidates, 0.0)


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 6))
def test_several_objects_are_all_listed_and_the_mask_is_their_union(found, others, most):
    answer = answer_of(Status.FOUND_SEVERAL, found, found + others)
    message = message_of(answer, most)
    assert (message.status, message.instance_count) == (ReferredObject.FOUND_SEVERAL, found)
    expected = [1 / (k + 1) for k in range(found + min(others, most))]
    assert [each.chance for each in message.candidates] == pytest.approx(expected)
    assert np.array_equal(full_mask(message), answer.mask)
    masks = instance_masks(message)
    assert len(masks) == found
    assert all(np.array_equal(m, c.mask) for m, c in zip(masks, answer.candidates, strict=False))
    assert math.isnan(message.chance) is (found > 1)


@pytest.mark.parametrize('status', [Status.FOUND, Status.AMBIGUOUS])
def test_one_object_is_the_mask_and_the_candidates_are_the_others(status):
    message = message_of(answer_of(status, 1, 5))
    assert (message.instance_count, message.chance, message.heatmap_mean) == (1, 1.0, 0.5)
    assert [each.chance for each in message.candidates] == pytest.approx([1 / 2, 1 / 3])
    assert message.roi.width == 1
    assert instance_masks(message) == []


def test_a_chance_that_was_not_computed_is_nan():
    answer = answer_of(Status.FOUND, 1, 2)
    unknown = tuple(replace(each, chance=math.nan) for each in answer.candidates)
    message = message_of(replace(answer, candidates=unknown))
    assert math.isnan(message.chance)
    assert math.isnan(message.candidates[0].chance)


@pytest.mark.parametrize('status', [Status.NOT_FOUND, Status.INVALID])
def test_without_an_object_nothing_is_claimed(status):
    message = message_of(answer_of(status, 0, 3))
    assert (message.instance_count, message.mask.width, message.candidates) == (0, 0, [])
    assert math.isnan(message.chance)
    assert full_mask(message).shape == (0, 0)
    assert instance_masks(message) == []
