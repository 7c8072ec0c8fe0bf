"""The reasoner equals its formula written out in loops, and handles what is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measured_boxes import measured
from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    Relation,
    RelationConstraint,
    Side,
    SideConstraint,
    Superlative,
)
from iterprime_ros.spatial.predicates import BINARY, between, on_side
from iterprime_ros.spatial.reasoner import reason

SPAN = (0, 0)
ROW = [(2, 20, 12, 30), (16, 22, 26, 32), (30, 20, 40, 30), (46, 18, 56, 28)]
SEEN = measured(ROW)
TEXTS = ('mug', 'plate', 'bottle')


def phrase(text, **constraints):
    return NounPhrase(text, SPAN, None, **constraints)


def related(relation, *anchors, negated=False):
    return (RelationConstraint(relation, SPAN, anchors, negated),)


def matches(**indices):
    """Return matches of 1 for the candidates of each text, else 0."""
    chances = {text: np.zeros(len(ROW)) for text in TEXTS}
    for text, chosen in indices.items():
        chances[text][chosen] = 1
    return chances


def beliefs(wanted, **indices):
    return reason(wanted, matches(**indices), SEEN).beliefs


@st.composite
def phrases(draw, depth=2):
    sides = st.builds(SideConstraint, st.sampled_from(Side), st.just(SPAN), st.booleans())
    relations = []
    for relation in draw(st.lists(st.sampled_from(Relation), max_size=2 if depth else 0)):
        count = 2 if relation is Relation.BETWEEN else 1
        anchors = tuple(draw(phrases(depth - 1)) for _ in range(count))
        relations.append(RelationConstraint(relation, SPAN, anchors, draw(st.booleans())))
    return phrase(
        draw(st.sampled_from(TEXTS)),
        excluded=tuple(draw(st.lists(st.sampled_from(TEXTS), max_size=1))),
        sides=tuple(draw(st.lists(sides, max_size=1))),
        relations=tuple(relations),
    )


def plain_belief(wanted, chances, i):
    """Return the belief in candidate i, one candidate and one pair at a time."""
    belief = chances[wanted.text][i]
    for text in wanted.excluded:
        belief *= 1 - chances[text][i]
    for side in wanted.sides:
        truth = on_side(SEEN, side.side)[i]
        belief *= 1 - truth if side.is_negated else truth
    others = [j for j in range(SEEN.count) if j != i]
    for relation in wanted.relations:
        first = relation.anchors[0]
        if relation.relation is Relation.BETWEEN:
            options = [
                between(SEEN)[i, j, k]
                * plain_belief(first, chances, j)
                * plain_belief(relation.anchors[1], chances, k)
                for j in others
                for k in others
                if j != k
            ]
        else:
            truths = BINARY[relation.relation](SEEN)
            options = [truths[i, j] * plain_belief(first, chances, j) for j in others]
        belief *= 1 - max(options) if relation.is_negated else max(options)
    return belief


@settings(deadline=None, max_examples=40)
@given(phrases(), st.data())
def test_nested_reasoning_is_the_formula(wanted, data):
    chance = st.lists(st.floats(0, 1), min_size=SEEN.count, max_size=SEEN.count)
    chances = {text: np.array(data.draw(chance)) for text in TEXTS}
    reasoning = reason(wanted, chances, SEEN)
    expected = [plain_belief(wanted, chances, i) for i in range(SEEN.count)]
    assert reasoning.beliefs == pytest.approx(expected)
    product = reasoning.heads
    for factor in reasoning.factors:
        product = product * factor.chances
    assert reasoning.beliefs == pytest.approx(product)
    assert sum(1 for _ in reasoning.all()) == sum(1 for _ in wanted.noun_phrases())
    assert reason(wanted, chances.__getitem__, SEEN).beliefs == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(phrases(), st.data())
def test_between_does_not_distinguish_its_anchors(anchor, data):
    chance = st.lists(st.floats(0, 1), min_size=SEEN.count, max_size=SEEN.count)
    chances = {text: np.array(data.draw(chance)) for text in TEXTS}
    one, other = (
        phrase('mug', relations=related(Relation.BETWEEN, *anchors))
        for anchors in ((anchor, phrase('plate')), (phrase('plate'), anchor))
    )
    assert reason(one, chances, SEEN).beliefs == pytest.approx(reason(other, chances, SEEN).beliefs)


def test_the_leftmost_of_those_right_of_the_plate():
    leftmost = (Superlative(Order.LEFTMOST, SPAN),)
    wanted = phrase(
        'mug', superlatives=leftmost, relations=related(Relation.RIGHT_OF, phrase('plate'))
    )
    found = beliefs(wanted, mug=[0, 2, 3], plate=[1])
    assert found.argmax() == 2
    assert found[2] > 0.95
    assert found[[0, 1, 3]].max() < 0.05


def test_arrows_point_to_the_anchor_that_serves_best():
    wanted = phrase('mug', relations=related(Relation.NEXT_TO, phrase('plate')))
    factor = reason(wanted, matches(mug=[0, 3], plate=[1, 2]), SEEN).factors[0]
    assert factor.best_anchors[[0, 3], 0].tolist() == [1, 2]
    assert factor.anchors[0].phrase.text == 'plate'


@pytest.mark.parametrize(('rank', 'expected'), [(1, 0), (2, 2), (3, 3)])
def test_ordinals_count_candidates_of_the_head(rank, expected):
    wanted = phrase('mug', superlatives=(Superlative(Order.LEFTMOST, SPAN, rank),))
    found = beliefs(wanted, mug=[0, 2, 3], plate=[1])
    assert found.argmax() == expected
    assert found[expected] > 0.95


def test_ordinals_beyond_the_number_of_candidates_find_nothing():
    wanted = phrase('mug', superlatives=(Superlative(Order.LEFTMOST, SPAN, 4),))
    assert beliefs(wanted, mug=[0, 2, 3]).max() < 0.05


def test_two_leftmost():
    superlatives = (Superlative(Order.LEFTMOST, SPAN),)
    wanted = phrase('mug', superlatives=superlatives, is_plural=True, count=2)
    found = beliefs(wanted, mug=[0, 1, 3])
    assert found[[0, 1]].min() > 0.9
    assert found[3] < 0.1


def test_closest_and_farthest_from_another_object():
    for order, expected in ((Order.CLOSEST, 2), (Order.FARTHEST, 0)):
        superlatives = (Superlative(order, SPAN, anchor=phrase('plate')),)
        found = beliefs(phrase('mug', superlatives=superlatives), mug=[0, 2], plate=[3])
        assert found.argmax() == expected
        assert found[expected] > 0.8


def test_the_middle_of_three():
    middle = (Superlative(Order.MIDDLE, SPAN),)
    found = beliefs(phrase('mug', superlatives=middle), mug=[0, 2, 3])
    assert found[2] > 0.95
    assert found[[0, 3]].max() < 0.05


def test_an_absent_anchor_leaves_nothing():
    wanted = phrase('mug', relations=related(Relation.LEFT_OF, phrase('plate')))
    assert not beliefs(wanted, mug=[0, 1]).any()
    denied = phrase('mug', relations=related(Relation.LEFT_OF, phrase('plate'), negated=True))
    assert beliefs(denied, mug=[0, 1]).tolist() == [1, 1, 0, 0]


def test_left_of_the_mugs_is_left_of_all_and_next_to_them_is_next_to_any():
    chances = {**matches(mug=[1, 2], plate=[0, 3]), 'mug': np.array([0.0, 0.9, 0.8, 0.0])}
    several = phrase('mug', is_plural=True)
    left = reason(phrase('plate', relations=related(Relation.LEFT_OF, several)), chances, SEEN)
    truths = BINARY[Relation.LEFT_OF](SEEN)
    expected = [
        plate * 0.9 * np.prod([1 - mug * (1 - truths[i, j]) for j, mug in ((1, 0.9), (2, 0.8))])
        for i, plate in enumerate(chances['plate'])
    ]
    assert np.allclose(left.beliefs, expected)
    one = phrase('mug')
    near, to_any = (
        reason(phrase('plate', relations=related(Relation.NEXT_TO, each)), chances, SEEN)
        for each in (several, one)
    )
    assert np.allclose(near.beliefs, to_any.beliefs)


def on_the_table(*constraints):
    return phrase(
        'mug', relations=related(Relation.ON, phrase('wooden table', **dict(constraints)))
    )


def test_all_is_on_a_table_that_is_no_candidate():
    seen = {**matches(mug=[0, 2]), 'wooden table': np.zeros(len(ROW))}
    reasoning = reason(on_the_table(), seen, SEEN)
    assert reasoning.beliefs.tolist() == seen['mug'].tolist()
    assert (reasoning.factors[0].best_anchors == -1).all()


def test_on_a_table_left_of_the_plate_is_left_of_it_where_the_table_is_no_candidate():
    seen = {**matches(mug=[0, 3], plate=[2]), 'wooden table': np.zeros(len(ROW))}
    wanted = on_the_table(('relations', related(Relation.LEFT_OF, phrase('plate'))))
    direct = phrase('mug', relations=related(Relation.LEFT_OF, phrase('plate')))
    assert np.allclose(reason(wanted, seen, SEEN).beliefs, reason(direct, seen, SEEN).beliefs)


def test_only_what_is_on_it_is_on_a_table_that_is_a_candidate():
    seen = {**matches(mug=[0, 2]), 'wooden table': np.eye(len(ROW))[1]}
    beliefs = reason(on_the_table(), seen, SEEN).beliefs
    assert np.allclose(beliefs, seen['mug'] * BINARY[Relation.ON](SEEN)[:, 1])


@pytest.mark.parametrize(('relation', 'noun'), [(Relation.ON, 'plate'), (Relation.UNDER, 'table')])
def test_other_anchors_must_be_candidates(relation, noun):
    seen = {**matches(mug=[0, 2]), noun: np.zeros(len(ROW))}
    assert not reason(
        phrase('mug', relations=related(relation, phrase(noun))), seen, SEEN
    ).beliefs.any()


def test_no_object_is_its_own_anchor():
    wanted = phrase('mug', relations=related(Relation.NEXT_TO, phrase('mug')))
    assert not beliefs(wanted, mug=[1]).any()
    assert beliefs(wanted, mug=[1, 2])[[1, 2]].min() > 0.9


@pytest.mark.parametrize('count', [0, 1])
def test_few_candidates(count):
    superlatives = tuple(
        Superlative(order, SPAN, anchor=anchor)
        for order, anchor in (
            (Order.LEFTMOST, None),
            (Order.MIDDLE, None),
            (Order.CLOSEST, phrase('plate')),
        )
    )
    relations = related(Relation.LEFT_OF, phrase('plate')) + related(
        Relation.BETWEEN, phrase('plate'), phrase('bottle')
    )
    wanted = phrase('mug', superlatives=superlatives, relations=relations)
    chances = {text: np.ones(count) for text in TEXTS}
    reasoning = reason(wanted, chances, measured(ROW[:count]))
    assert reasoning.beliefs.tolist() == [0.0] * count
    assert (reasoning.factors[0].best_anchors == -1).all()
    assert reason(phrase('mug'), chances, measured(ROW[:count])).beliefs.tolist() == [1.0] * count
