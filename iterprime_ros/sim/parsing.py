"""From words back to what they mean on the table: the grammar read backwards."""

import re
from collections.abc import Iterator
from itertools import product

from iterprime_ros.sim.grammar import (
    NOUNS,
    SIZE_WORDS,
    Description,
    Phrase,
    Place,
    Relation,
    wordings,
)
from iterprime_ros.sim.scene import COLOURS
from iterprime_ros.sim.semantics import Meaning, meaning
from iterprime_ros.sim.view import View

_AFTER = {'', 'up', 'please', 'up please'}  # what an order may say after its object
_NOUNS = {noun for nouns in NOUNS.values() for noun in nouns}
_NAMING = {*_NOUNS, *COLOURS, *(word for words in SIZE_WORDS.values() for word in words)}


def command_meaning(command: str, view: View) -> Meaning | None:
    """Return what a command means in a view; None where the grammar does not read it."""
    phrase = parsed_phrase(command)
    return meaning(phrase, view) if phrase else None


def parsed_phrase(command: str) -> Phrase | None:
    """Return the phrase that a command is about, None where it says anything else of objects."""
    spoken = ' '.join(re.findall('[a-z]+', command.lower()))
    longest, found = '', None
    for phrase in _phrases_with(spoken.split()):
        for wording in wordings(phrase):
            if len(wording.text) > len(longest) and f' {wording.text} ' in f' {spoken} ':
                longest, found = wording.text, phrase
    if found is None:
        return None
    before, after = f' {spoken} '.split(f' {longest} ', 1)
    is_whole = after.strip() in _AFTER and not _NAMING & set(before.split())
    return found if is_whole else None


def _phrases_with(spoken: list[str]) -> Iterator[Phrase]:
    """Yield the phrases that name nothing but what is among some words."""
    words = set(spoken)
    heads = [
        Description(kind, colour, size)
        for kind, colour, size in product(
            [kind for kind, nouns in NOUNS.items() if words.intersection(nouns)],
            [None, *words.intersection(COLOURS)],
            [None, *(size for size, spoken in SIZE_WORDS.items() if words.intersection(spoken))],
        )
    ]
    named = [head for head in heads if not head.is_empty]
    yield from map(Phrase, named)
    yield from (Phrase(head, place) for head, place in product(heads, Place))
    if sum(word in _NOUNS for word in spoken) > 1:
        yield from (
            Phrase(head, relation=relation, anchor=anchor)
            for relation, head, anchor in product(Relation, heads, named)
        )
