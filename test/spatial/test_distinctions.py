"""What tells candidates apart finds each of them, by the whole reasoning."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.measured_boxes import HEIGHT, WIDTH, measured
from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    Relation,
    RelationConstraint,
    Superlative,
)
from iterprime_ros.spatial.distinctions import CLEAR, distinctions, firsts
from iterprime_ros.spatial.reasoner import reason
from iterprime_ros.spatial.superlatives import precedence

SPAN = (0, 0)
MUG, PLATE = NounPhrase('mug', SPAN, None), NounPhrase('plate', SPAN, None)


@st.composite
def boxes(draw, most=5):
    """Boxes (left, top, right, bottom) in the image."""
    found = []
    for _ in range(draw(st.integers(2, most))):
        width, height = draw(st.integers(3, 10)), draw(st.integers(3, 10))
        left, top = draw(st.integers(0, WIDTH - width)), draw(st.integers(0, HEIGHT - height))
        found.append((left, top, left + width, top + height))
    return found


def with_constraint(phrase, constraint):
    if isinstance(constraint, RelationConstraint):
        return replace(phrase, relations=(*phrase.relations, constraint), superlatives=())
    return replace(phrase, superlatives=(constraint,))


@given(boxes(), st.data())
def test_a_phrase_with_what_is_said_means_its_candidate(given_boxes, data):
    seen = measured(given_boxes)
    count = len(given_boxes)
    chances = data.draw(st.lists(st.floats(0.01, 1.0), min_size=count, max_size=count))
    order = np.argsort(chances)[::-1].tolist()
    several = order[: data.draw(st.integers(2, min(count, 4)))]

    def match(_):
        return np.array(chances)

    reasoning = reason(MUG, match, seen)
    found = distinctions(reasoning, several, seen)
    if not found:
        return
    assert sorted(each.index for each in found) == sorted(several)
    assert len({each.words for each in found}) == len(found)
    beliefs = [reason(with_constraint(MUG, each.constraint), match, seen).beliefs for each in found]
    is_enough = [
        np.delete(each, said.index).max() <= 0.3 * each[said.index]
        for each, said in zip(beliefs, found, strict=True)
    ]
    # What is taken is enough, unless no way was: among the several alone it tells them apart.
    alone = measured([given_boxes[k] for k in several])
    if not all(is_enough):
        for said in found:
            constraint = said.constraint
            if constraint.rank > 1 or constraint.order is Order.MIDDLE:
                continue
            truths = precedence(constraint.order, alone)
            k = several.index(said.index)
            assert all(truths[k, j] >= 0.5 for j in range(len(several)) if j != k)


def test_what_may_be_a_mug_too_is_counted_from_the_other_side():
    seen = measured([(2, 20, 12, 30), (26, 20, 36, 30), (50, 20, 60, 30)])
    reasoning = reason(MUG, lambda _: np.array([0.4, 0.9, 0.9]), seen)
    words = [each.words for each in distinctions(reasoning, [1, 2], seen)]
    assert words == ['farthest right', 'second from the right']


def test_a_landmark_comes_first():
    seen = measured([(2, 20, 12, 30), (26, 20, 36, 30), (50, 20, 60, 30)])
    next_to = RelationConstraint(Relation.NEXT_TO, SPAN, (PLATE,))
    chances = {'mug': np.array([0.9, 0.1, 0.9]), 'plate': np.array([0.0, 1.0, 0.0])}
    reasoning = reason(replace(MUG, relations=(next_to,)), chances, seen)
    found = distinctions(reasoning, [2, 0], seen)
    assert [(each.index, each.words) for each in found] == [
        (0, 'left of the plate'),
        (2, 'right of the plate'),
    ]


def test_an_order_that_left_it_open_has_no_say():
    seen = measured([(2, 20, 12, 30), (26, 20, 36, 30), (50, 20, 53, 23)])
    biggest = replace(MUG, superlatives=(Superlative(Order.BIGGEST, SPAN),))
    reasoning = reason(biggest, lambda _: np.ones(3), seen)
    left, second = distinctions(reasoning, [0, 1], seen)
    assert (left.constraint.order, left.constraint.rank) == (Order.LEFTMOST, 1)
    assert (second.constraint.order, second.constraint.rank) == (Order.LEFTMOST, 2)


@given(boxes())
def test_who_comes_first_in_an_order_comes_clearly_before_every_other(given_boxes):
    seen = measured(given_boxes)
    several = list(range(len(given_boxes)))
    found = firsts(several, seen)
    for order in Order:
        if order is Order.MIDDLE:
            assert order not in found
            continue
        truths = precedence(order, seen)
        clear = [k for k in several if all(truths[k, j] >= CLEAR for j in several if j != k)]
        assert found.get(order) == (clear[0] if clear else None)


def test_nothing_tells_what_is_in_one_place_apart():
    seen = measured([(20, 20, 30, 30), (20, 20, 30, 30)])
    reasoning = reason(MUG, lambda _: np.ones(2), seen)
    assert distinctions(reasoning, [0, 1], seen) == ()
