"""Commands with more words mean what they meant, and what the words say."""

from dataclasses import replace

import numpy as np
import pytest

from iterprime_ros.dialogue.wording import order_spans, with_expression, with_words
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.sim.expressions import sample_command
from iterprime_ros.sim.grammar import descriptions, wordings
from iterprime_ros.sim.logical_form import Ordinal, Phrase, Place
from iterprime_ros.sim.parsing import parsed_phrase

LOCATIONS = {
    Place.LEFTMOST: {'before': 'leftmost'},
    Place.RIGHTMOST: {'before': 'rightmost'},
    Place.CLOSEST: {'before': 'closest'},
    Ordinal(Place.LEFTMOST, 2): {'before': 'second', 'beside': 'from the left'},
    Ordinal(Place.RIGHTMOST, 3): {'before': 'third', 'beside': 'from the right'},
}


def meant(phrase: NounPhrase):
    """A phrase as what it says, wherever the words stand."""
    return replace(
        phrase,
        span=(0, 0),
        head=None,
        attributes=(),
        superlatives=tuple((each.order, each.rank) for each in phrase.superlatives),
        relations=tuple(
            (each.relation, tuple(anchor.text for anchor in each.anchors))
            for each in phrase.relations
        ),
    )


@pytest.mark.parametrize('location', LOCATIONS, ids=lambda each: each.value)
def test_a_description_with_a_place_is_that_of_the_grammar(parser, location):
    rng = np.random.default_rng(0)
    named = list(descriptions())[1:]
    for _ in range(25):
        description = named[int(rng.integers(len(named)))]
        options = [each.text for each in wordings(Phrase(description)) if 'that' not in each.text]
        expression = options[int(rng.integers(len(options)))].removeprefix('the ')
        command = parser.parse(sample_command(rng, f'the {expression}').text)
        said = with_words(command, **LOCATIONS[location])
        assert parsed_phrase(said) == Phrase(description, location), said
        again = parser.parse(said)
        assert again.action_verb == command.action_verb
        assert again.phrase.text == command.phrase.text


@pytest.mark.parametrize(
    ('command', 'words', 'expected'),
    [
        (
            'pick up the red mug left of the plate',
            {'before': 'leftmost'},
            'pick up the leftmost red mug left of the plate',
        ),
        (
            'pick up the red mug left of the plate',
            {'after': 'behind the bottle'},
            'pick up the red mug left of the plate and behind the bottle',
        ),
        (
            'pick the red mug up',
            {'after': 'behind the bottle'},
            'pick the red mug behind the bottle up',
        ),
        (
            'hand me the mug next to the plate, please',
            {'before': 'second', 'beside': 'from the left'},
            'hand me the second mug from the left next to the plate, please',
        ),
        ('red mug', {'before': 'leftmost'}, 'leftmost red mug'),
        ('get me a mug', {'before': 'leftmost'}, 'get me the leftmost mug'),
        ('the one on the left', {'before': 'blue'}, 'the blue one on the left'),
        ('take the red', {'after': 'on the left'}, 'take the red one and on the left'),
        ('take the mug with a lid', {'beside': 'on a plate'}, 'take the mug on a plate with a lid'),
    ],
)
def test_where_words_go(parser, command, words, expected):
    assert with_words(parser.parse(command), **words) == expected


def test_orders_are_taken_out_and_nothing_else(parser):
    for text, left in (
        ('the second red mug from the left behind the plate', 'the red mug behind the plate'),
        ('take the biggest cube', 'take the cube'),
        ('take the red cube closest to the mug', 'take the red cube closest to the mug'),
    ):
        command = parser.parse(text)
        assert with_words(command, without=order_spans(command)) == left


def test_an_expression_takes_the_place_of_another(parser):
    command = parser.parse('could you pick up the red mug please')
    assert with_expression(command, 'the cube') == 'could you pick up the cube please'


@pytest.mark.parametrize(
    ('command', 'words', 'same'),
    [
        (
            'the mug next to the plate',
            {'before': 'red', 'after': 'left of the bottle'},
            'the red mug left of the bottle and next to the plate',
        ),
        (
            'the mug on the left',
            {'after': 'that is not red'},
            'the mug that is not red on the left',
        ),
    ],
)
def test_all_that_is_said_holds_of_the_object(parser, command, words, same):
    merged = parser.parse(with_words(parser.parse(command), **words)).phrase
    expected = parser.parse(same).phrase
    assert merged.text == expected.text
    assert set(meant(merged).relations) == set(meant(expected).relations)
    assert {each.side for each in merged.sides} == {each.side for each in expected.sides}
    assert merged.excluded == expected.excluded
