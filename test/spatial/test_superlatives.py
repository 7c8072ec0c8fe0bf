"""The chances of superlatives and ordinals are what enumeration gives."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measured_boxes import measured
from iterprime_ros.language.phrase import Order
from iterprime_ros.spatial.superlatives import (
    middle_chances,
    nearness,
    precedence,
    rank_chances,
    relevant,
)

CHANCE = st.floats(0, 1)


@st.composite
def contests(draw):
    """Beliefs (K,), and before (K, K) with before[i, j] + before[j, i] == 1."""
    count = draw(st.integers(1, 5))
    beliefs = np.array(draw(st.lists(CHANCE, min_size=count, max_size=count)))
    drawn = draw(st.lists(CHANCE, min_size=count * count, max_size=count * count))
    upper = np.triu(np.reshape(drawn, (count, count)), 1)
    lower = np.tril(1 - upper.T, -1)
    return beliefs, upper + lower


def enumerated(beliefs, before, wanted):
    """Return the chance of each candidate that `wanted` is true of how the others lie to it.

    wanted: of a tuple with 'absent', 'before' or 'after' for every other candidate.
    """
    chances = []
    for i in range(len(beliefs)):
        others = [j for j in range(len(beliefs)) if j != i]
        total = 0.0
        for lie in product(('absent', 'before', 'after'), repeat=len(others)):
            chance = 1.0
            for j, where in zip(others, lie, strict=True):
                present = beliefs[j] * (before[j, i] if where == 'before' else before[i, j])
                chance *= 1 - beliefs[j] if where == 'absent' else present
            total += chance * wanted(lie)
        chances.append(total)
    return chances


@settings(deadline=None, max_examples=40)
@given(contests(), st.integers(1, 4), st.integers(1, 2))
def test_an_ordinal_is_enumerated(contest, rank, count):
    beliefs, before = contest
    ranks = range(rank - 1, rank + count - 1)
    expected = enumerated(beliefs, before, lambda lie: lie.count('before') in ranks)
    assert rank_chances(beliefs, before, rank, count) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(contests())
def test_the_middle_is_enumerated(contest):
    beliefs, before = contest
    share = {0: 1.0, 1: 0.5, -1: 0.5}
    expected = enumerated(
        beliefs, before, lambda lie: share.get(lie.count('before') - lie.count('after'), 0)
    )
    assert middle_chances(beliefs, before) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(contests(), st.integers(1, 4))
def test_at_most_one_object_has_a_place_in_the_order(contest, rank):
    beliefs, before = contest
    if rank == 1:
        assert (beliefs * rank_chances(beliefs, before, 1)).sum() <= 1 + 1e-9
    sharp = np.round(np.triu(before, 1))  # a total order has exactly one object of every rank
    order = np.triu(np.ones_like(sharp), 1)
    assert (beliefs * rank_chances(beliefs, order, rank)).sum() <= 1 + 1e-9


def test_many_unlikely_candidates_do_not_outweigh_a_likely_one():
    beliefs = np.array([*[0.03] * 40, 0.9])
    assert relevant(beliefs)[-1] == 0.9
    assert not relevant(beliefs)[:-1].any()
    rivals = np.array([0.4, 0.9])
    assert relevant(rivals) == pytest.approx(rivals)


@pytest.mark.parametrize(
    ('order', 'first'),
    [
        (Order.LEFTMOST, 0),
        (Order.RIGHTMOST, 2),
        (Order.TOPMOST, 1),
        (Order.BOTTOMMOST, 2),
        (Order.CLOSEST, 1),
        (Order.FARTHEST, 2),
        (Order.BIGGEST, 2),
        (Order.SMALLEST, 1),  # in metres
        (Order.TALLEST, 2),
        (Order.SHORTEST, 1),
    ],
)
def test_superlatives_with_depth(order, first):
    # The last board is low in the image, but the farthest of all.
    seen = measured([(2, 18, 10, 24), (20, 12, 32, 20), (40, 14, 60, 47)], (0.9, 0.5, 1.3))
    chances = rank_chances(np.ones(3), precedence(order, seen), 1)
    assert chances.argmax() == first
    assert chances[first] > 0.7


def test_superlatives_without_depth():
    seen = measured([(2, 18, 10, 24), (20, 12, 32, 20), (40, 14, 60, 47)])
    for order, first in (
        (Order.CLOSEST, 2),
        (Order.BIGGEST, 2),
        (Order.SMALLEST, 0),
        (Order.TALLEST, 2),
    ):
        assert rank_chances(np.ones(3), precedence(order, seen), 1).argmax() == first


def test_nearness_to_another_object():
    seen = measured([(2, 20, 10, 30), (20, 20, 28, 30), (50, 20, 58, 30)])
    truths = nearness(seen)
    assert truths[0, 1, 2] > 0.9
    assert truths[2, 1, 0] > 0.5
    assert truths[:, 0, 1] + truths[:, 1, 0] == pytest.approx(1)
