"""Orders not to do something: told from orders to do it, and never answered."""

import pytest

from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.language.command_parser import CommandParser, permitted


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


@pytest.mark.parametrize(
    'text',
    [
        "don't touch the vase",
        'don\u2019t touch the vase',
        'dont touch the vase',
        'never pick up the mug',
        'do not take the leftmost object',
        'you must not touch the vase',
        "please don't pick the red mug",
        "robot, don't take the mug",
        'could you not touch the mug',
        "whatever you do, don't touch the mug",
        "don't you dare touch the mug",
        'i do not want the mug',
        "don't grab anything",
        'do not grab the mug and do not grab the plate',
        "don't touch the mug and take the plate",
        "don't touch, grab or move the mug",
        "don't touch the mug, grab or move it",
        "don't put the mug down, look at it",
        "don't touch the blue mug, the orange one",
    ],
)
def test_a_prohibition_is_told_and_refused(parser, text):
    parsed = parser.parse(text)
    assert parsed.is_prohibition
    assert not parsed.action_verb
    with pytest.raises(InvalidCommandError, match='what not to do'):
        permitted(parsed)


@pytest.mark.parametrize(
    ('text', 'verb', 'expression'),
    [
        ("don't touch the blue mug, take the orange one", 'take', 'the orange one'),
        ("don't take the blue mug. take the orange one", 'take', 'the orange one'),
        ("don't touch the blue mug but take the orange one", 'take', 'the orange one'),
        ("take the orange one, don't touch the blue mug", 'take', 'the orange one'),
        ('take the orange one and never touch the blue mug', 'take', 'the orange one'),
        ("i don't want the red one, give me the blue one", 'give', 'the blue one'),
        ("don't take the mug, take the plate instead", 'take', 'the plate'),
        ('never mind, take the mug', 'take', 'the mug'),
    ],
)
def test_the_order_beside_a_prohibition_is_read(parser, text, verb, expression):
    parsed = parser.parse(text)
    assert permitted(parsed) is parsed
    assert (parsed.action_verb, parsed.expression) == (verb, expression)


@pytest.mark.parametrize(
    'text',
    [
        'take the mug that is not red',
        'not the red mug',
        "the mug that doesn't have a handle",
        'the mugs that are red and do not have handles',
        "why don't you pick up the mug",
        "couldn't you hand me the mug",
        "i can't find the mug",
        'the never used mug',
        'the mug you must never touch',
    ],
)
def test_other_negations_forbid_nothing(parser, text):
    assert not parser.parse(text).is_prohibition
