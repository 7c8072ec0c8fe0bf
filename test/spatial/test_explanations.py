"""The sentences that people read."""

import numpy as np
import pytest

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
from iterprime_ros.spatial.explanations import distinction, not_found_reason, several_found
from iterprime_ros.spatial.reasoner import reason
from iterprime_ros.spatial.words import described, indefinite, plural

SPAN = (0, 0)
# Candidates 0 to 3 from left to right.
SEEN = measured([(2, 20, 12, 30), (18, 20, 28, 30), (34, 20, 44, 30), (50, 20, 60, 30)])


def phrase(text, **constraints):
    return NounPhrase(text, SPAN, None, **constraints)


def related(relation, *anchors, negated=False):
    return {'relations': (RelationConstraint(relation, SPAN, anchors, negated),)}


def leftmost(rank=1):
    return {'superlatives': (Superlative(Order.LEFTMOST, SPAN, rank),)}


def judged(wanted, **indices):
    def match(text):
        return np.isin(np.arange(4), indices.get(text.replace(' ', '_'), [])).astype(float)

    return reason(wanted, match, SEEN)


PLATE = phrase('plate')
LEFT = (SideConstraint(Side.LEFT, SPAN),)


@pytest.mark.parametrize(
    ('wanted', 'there', 'sentence'),
    [
        (phrase('mug'), {}, 'Nothing here is a mug'),
        (phrase('orange mug'), {}, 'Nothing here is an orange mug'),
        (
            phrase('mug', **related(Relation.LEFT_OF, PLATE)),
            {'mug': [1, 2], 'plate': [0]},
            'There are two mugs, but none is left of a plate',
        ),
        (
            phrase('mug', **related(Relation.LEFT_OF, PLATE)),
            {'mug': [1], 'plate': [0]},
            'There is a mug, but it is not left of a plate',
        ),
        (
            phrase('mug', **related(Relation.LEFT_OF, PLATE)),
            {'mug': [1]},
            'There is a mug, but no plate for it to be left of',
        ),
        (
            phrase('mug', **related(Relation.LEFT_OF, PLATE, negated=True)),
            {'mug': [0, 1], 'plate': [3]},
            'There are two mugs, but all are left of a plate',
        ),
        (
            phrase(
                'mug', **related(Relation.LEFT_OF, phrase('plate', **related(Relation.ON, PLATE)))
            ),
            {'mug': [0, 1], 'plate': [3]},
            'There are two mugs, but no plate on a plate for them to be left of',
        ),
        (
            phrase('mug', **related(Relation.BETWEEN, PLATE, PLATE)),
            {'mug': [0, 1], 'plate': [3]},
            'There are two mugs, but only one plate for them to be between',
        ),
        (
            phrase('mug', **related(Relation.BETWEEN, PLATE, phrase('box'))),
            {'mug': [0], 'plate': [3], 'box': [1]},
            'There is a mug, but it is not between a plate and a box',
        ),
        (
            phrase('mug', sides=LEFT),
            {'mug': [2, 3]},
            'There are two mugs, but none is on the left',
        ),
        (
            phrase('mug', sides=LEFT, **related(Relation.RIGHT_OF, PLATE)),
            {'mug': [1, 3], 'plate': [2]},
            'There are two mugs, but none is both on the left and right of a plate',
        ),
        (
            phrase('mug', **leftmost(3)),
            {'mug': [1, 3]},
            'There are two mugs, but no third from the left',
        ),
        (
            phrase('mug', excluded=('red mug',)),
            {'mug': [1, 3], 'red_mug': [1, 3]},
            'There are two mugs, but each is a red mug',
        ),
        (
            phrase('mug', superlatives=(Superlative(Order.CLOSEST, SPAN, anchor=PLATE),)),
            {'mug': [1, 3]},
            'There are two mugs, but no plate for them to be closest to',
        ),
    ],
)
def test_why_nothing_is_found(wanted, there, sentence):
    assert not_found_reason(judged(wanted, **there)) == sentence


@pytest.mark.parametrize(
    ('boxes', 'expected'),
    [
        ([(2, 20, 12, 30), (50, 20, 60, 30)], 'one on the left, one on the right'),
        ([(2, 20, 12, 30), (18, 20, 28, 30)], 'one farther left, one farther right'),
        ([(20, 10, 30, 20), (20, 30, 30, 40)], 'one nearer, one farther away'),
    ],
)
def test_what_tells_two_candidates_apart(boxes, expected):
    seen = measured(boxes)
    reasoning = reason(phrase('red mug'), lambda _: np.ones(2), seen)
    assert distinction(reasoning, [0, 1], seen) == f'Two red mugs fit: {expected}'
    assert distinction(reasoning, [1, 0], seen) == f'Two red mugs fit: {expected}'


def test_candidates_are_told_apart_by_what_the_phrase_names():
    reasoning = judged(phrase('mug', **related(Relation.NEXT_TO, PLATE)), mug=[0, 2], plate=[1])
    expected = 'Two mugs fit: one left of the plate, one right of it'
    assert distinction(reasoning, [2, 0], SEEN) == expected


def test_more_than_two_candidates():
    three = 'Three mugs fit: one on the left, one in the middle, one on the right'
    assert distinction(judged(phrase('mug'), mug=[0, 1, 3]), [0, 3, 1], SEEN) == three
    reasoning = judged(phrase('mug'), mug=[0, 1, 2, 3])
    counted = 'one farthest left, one second from the left, one fourth from the left'
    assert distinction(reasoning, [0, 3, 1], SEEN) == f'Three mugs fit: {counted}'
    four = 'Four mugs fit: say which one from the left'
    assert distinction(reasoning, [0, 1, 2, 3], SEEN) == four


def test_two_candidates_in_one_place():
    seen = measured([(20, 20, 30, 30), (20, 20, 30, 30)])
    reasoning = reason(phrase('mug'), lambda _: np.ones(2), seen)
    assert distinction(reasoning, [0, 1], seen) == 'Two mugs fit, close together'


def test_several_found():
    mugs = phrase('mug', is_plural=True)
    assert several_found('all the mugs', mugs, 3) == 'Found three mugs for "all the mugs".'
    two = phrase('mug', is_plural=True, count=2)
    assert several_found('two mugs', two, 1) == 'Found one mug, not two, for "two mugs".'


@pytest.mark.parametrize(
    ('one', 'many'),
    [
        ('red mug', 'red mugs'),
        ('box', 'boxes'),
        ('dish', 'dishes'),
        ('glass', 'glasses'),
        ('battery', 'batteries'),
        ('toy', 'toys'),
        ('knife', 'knives'),
        ('woman', 'women'),
        ('scissors', 'scissors'),
        ('cup with a lid', 'cups with a lid'),
        ('can of beans', 'cans of beans'),
    ],
)
def test_plurals(one, many):
    assert plural(one) == many


def test_articles():
    names = ['orange', 'mug', 'unicorn', 'hourglass', 'umbrella', 'one-handled mug', 'upright can']
    articles = ['an', 'a', 'a', 'an', 'an', 'a', 'an']
    assert [indefinite(name).split()[0] for name in names] == articles


def test_a_phrase_with_all_its_constraints():
    second = phrase('mug', **leftmost(2), sides=(SideConstraint(Side.TOP, SPAN, True),))
    assert described(second) == 'mug second from the left not at the top'
    assert described(phrase('mug', **leftmost())) == 'leftmost mug'
