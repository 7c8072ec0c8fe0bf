"""The tags of expressions, with the parser that ships."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.evaluation.coco_nouns import CATEGORIES, SYNONYMS, names_category
from iterprime_ros.evaluation.expression_tags import (
    NOT_PARSED,
    expression_tags,
    has_position_word,
    relation_kind,
)
from iterprime_ros.language.command_parser import CommandParser


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


@given(st.text('leftrighupdownbomTOP '))
def test_a_position_word_counts_wherever_its_letters_are(text):
    starts = [text.lower()[k:] for k in range(len(text))]
    words = ('left', 'right', 'up', 'down', 'top', 'bottom')
    expected = any(start[: len(word)] == word for start in starts for word in words)
    assert has_position_word(text) is expected


def test_the_authors_rule_takes_a_cup_for_a_position():
    assert has_position_word('the red cup')
    assert not has_position_word('the red mug in the middle')


@pytest.mark.parametrize(
    ('expression', 'relation', 'head_noun'),
    [
        ('left', 'side', 'none'),
        ('man on left', 'side', 'COCO'),
        ('second from right', 'superlative', 'none'),
        ('biggest dog left of the couch', 'superlative', 'COCO'),
        ('the person to the right of the leftmost car', 'right of', 'COCO'),
        ('brown bear behind the zebra', 'behind', 'COCO'),
        ('light above the door', 'above', 'other'),
        ('the traffic light', 'none', 'COCO'),
        ('wine glasses', 'none', 'COCO'),
        ('the one on the right', 'side', 'none'),
    ],
)
def test_relation_and_head_noun_are_of_the_outermost_phrase(
    parser, expression, relation, head_noun
):
    tags = expression_tags(expression, parser)
    assert (tags['relation'], tags['head noun']) == (relation, head_noun)
    assert relation_kind(parser.parse(expression).phrase) == relation


@pytest.mark.parametrize(
    ('count', 'length'),
    [
        *((1, '1 to 2 words'), (2, '1 to 2 words'), (3, '3 to 5 words'), (5, '3 to 5 words')),
        *((6, '6 to 8 words'), (8, '6 to 8 words'), (9, '9 words and more')),
        (30, '9 words and more'),
    ],
)
def test_length_counts_words(parser, count, length):
    assert expression_tags(' '.join(['very'] * (count - 1) + ['red']), parser)['length'] == length


@pytest.mark.parametrize('expression', ['', '!!', 'all but the second'])
def test_an_expression_that_the_parser_refuses_has_every_tag(parser, expression):
    tags = expression_tags(expression, parser)
    assert (tags['relation'], tags['head noun']) == (NOT_PARSED, NOT_PARSED)
    assert tags.keys() == expression_tags('the red mug', parser).keys()


def test_coco_has_80_thing_categories_and_synonyms_of_them_alone():
    assert len(set(CATEGORIES)) == 80
    assert set(SYNONYMS) < set(CATEGORIES)
    assert all(names_category(name.split()) for name in CATEGORIES)
    assert not set(CATEGORIES) & {each for some in SYNONYMS.values() for each in some}


@pytest.mark.parametrize('noun', ['men', 'women', 'people', 'children', 'mice', 'ladies', 'ski'])
def test_plurals_name_their_category(noun):
    assert names_category(['two', noun])


@pytest.mark.parametrize('noun', ['light', 'sign', 'shirt', 'tree', 'busses'])
def test_other_nouns_name_none(noun):
    assert not names_category(['the', noun])
    assert not names_category([])
