"""Every wording of the simulator's grammar, alone and in commands, read as its logical form."""

import random
import re
from dataclasses import replace

import numpy as np
import pytest

from helpers.phrase_notation import notation
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.sim.expressions import sample_command
from iterprime_ros.sim.grammar import (
    NOUNS,
    SIZE_WORDS,
    Description,
    Ordinal,
    Phrase,
    Place,
    Relation,
    SizeOrder,
    Support,
    descriptions,
    wordings,
)
from iterprime_ros.sim.scene import COLOURS, SIZES

COUNT = 40
DESCRIPTIONS = list(descriptions())
NAMED = DESCRIPTIONS[1:]


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


def attributes(rng):
    return Phrase(rng.choice(NAMED))


def place(rng):
    return Phrase(rng.choice(DESCRIPTIONS), rng.choice(list(Place)))


def relation(rng):
    head, anchor = rng.sample(NAMED, 2)
    return Phrase(head, relation=rng.choice([*Relation, *Support]), anchor=anchor)


def nested(rng):
    anchor = rng.choice([place, relation, ordinal, size_order])(rng)
    return replace(relation(rng), anchor=anchor)


def ordinal(rng):
    start = rng.choice([Place.LEFTMOST, Place.RIGHTMOST])
    return Phrase(rng.choice(DESCRIPTIONS), Ordinal(start, rng.choice([2, 3])))


def size_order(rng):
    return Phrase(rng.choice(DESCRIPTIONS), rng.choice(list(SizeOrder)))


def between(rng):
    head, *anchors = rng.sample(NAMED, 3)
    return Phrase(head, between=tuple(anchors))


def negated(rng):
    head = rng.choice(DESCRIPTIONS)
    if rng.random() < 0.5:
        colour = rng.choice([each for each in COLOURS if each != head.colour])
        return Phrase(replace(head, colour=None), excluded=Description(colour=colour))
    return Phrase(replace(head, size=None), excluded=Description(size=rng.choice(list(SIZES))))


def plural(rng):
    side = rng.choice([None, Place.ON_THE_LEFT, Place.ON_THE_RIGHT])
    return Phrase(rng.choice(NAMED), side, is_plural=True)


def said(description):
    """Return a pattern of the texts that name a description."""
    sizes = SIZE_WORDS[description.size] if description.size else ()
    words = (sizes, (description.colour or '',), NOUNS[description.kind])
    return ' '.join(f'({"|".join(each)})' for each in words if any(each))


def expected(phrase):
    """Return a pattern of the notation of a phrase of the grammar."""
    if isinstance(phrase, Description):
        return said(phrase)
    text = said(phrase.head) + (r'\*' if phrase.is_plural else '')
    match phrase.place:
        case Ordinal(start, rank):
            return rf'{text} \[{start.value} {rank}\]'
        case Place() | SizeOrder():
            return rf'{text} \[{phrase.place.value}\]'
    if phrase.excluded:
        excluded = replace(
            phrase.head,
            colour=phrase.excluded.colour or phrase.head.colour,
            size=phrase.excluded.size or phrase.head.size,
        )
        return rf'{text} \[not "{said(excluded)}"\]'
    if phrase.between:
        anchors = ' '.join(rf'\({said(each)}\)' for each in phrase.between)
        return rf'{text} \[between {anchors}\]'
    if phrase.relation:
        return rf'{text} \[{phrase.relation.value} \({expected(phrase.anchor)}\)\]'
    return text


@pytest.mark.parametrize(
    'draw', [attributes, place, relation, nested, ordinal, size_order, between, negated, plural]
)
def test_wordings_are_read_as_their_logical_form(parser, draw):
    rng = random.Random(draw.__name__)
    carriers = np.random.default_rng(0)
    for number in range(COUNT):
        phrase = draw(rng)
        wording = rng.choice(wordings(phrase))
        is_command = number % 2
        command = sample_command(carriers, wording.text)
        parsed = parser.parse(command.text if is_command else wording.text)
        got = notation(parsed.phrase)
        assert re.fullmatch(expected(phrase), got), (parsed.text, got)
        assert parsed.expression == wording.text, parsed
        assert parsed.primary_word == wording.primary_word, parsed
        assert parsed.action_verb == (command.action_verb if is_command else ''), parsed
