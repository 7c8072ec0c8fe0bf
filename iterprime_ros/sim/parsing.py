"""Parsing of commands with the simulator's own grammar: text to phrase to objects."""

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

_ENDINGS = {'', 'up', 'please', 'up please'}  # what may follow the expression in a command
_NOUNS = {noun for nouns in NOUNS.values() for noun in nouns}
_ATTRIBUTE_WORDS = {*_NOUNS, *COLOURS, *(word for words in SIZE_WORDS.values() for word in words)}


def command_meaning(command: str, view: View) -> Meaning | None:
    """Return which objects of a view a command means, or None if the grammar cannot parse it."""
    phrase = parsed_phrase(command)
    return meaning(phrase, view) if phrase else None


def parsed_phrase(command: str) -> Phrase | None:
    """Return the phrase in a command, or None if the command names more than the phrase does.

    The longest wording of the grammar that occurs in the command is taken.
    """
    words = re.findall('[a-z]+', command.lower())
    text = ' '.join(words)
    longest, found = '', None
    for phrase in _candidate_phrases(words):
        for wording in wordings(phrase):
            if len(wording.text) > len(longest) and f' {wording.text} ' in f' {text} ':
                longest, found = wording.text, phrase
    if found is None:
        return None
    before, after = f' {text} '.split(f' {longest} ', 1)
    is_complete = after.strip() in _ENDINGS and not _ATTRIBUTE_WORDS & set(before.split())
    return found if is_complete else None


def _candidate_phrases(words: list[str]) -> Iterator[Phrase]:
    """Yield the phrases all of whose attributes are named by some of the words."""
    present = set(words)
    heads = [
        Description(kind, colour, size)
        for kind, colour, size in product(
            [kind for kind, nouns in NOUNS.items() if present.intersection(nouns)],
            [None, *present.intersection(COLOURS)],
            [None, *(size for size, names in SIZE_WORDS.items() if present.intersection(names))],
        )
    ]
    named = [head for head in heads if not head.is_empty]
    yield from map(Phrase, named)
    yield from (Phrase(head, place) for head, place in product(heads, Place))
    if sum(word in _NOUNS for word in words) > 1:
        yield from (
            Phrase(head, relation=relation, anchor=anchor)
            for relation, head, anchor in product(Relation, heads, named)
        )
