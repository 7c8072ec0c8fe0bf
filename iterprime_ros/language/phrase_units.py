"""Fixed phrases of place, order, quantity and negation.

They are found by their words, not by a parse, so that a wrong parse cannot lose them. (spaCy's
Matcher takes three times as long for these patterns as the whole parse.)
"""

from functools import cache
from typing import NamedTuple

from spacy.tokens import Doc

from iterprime_ros.language.phrase_patterns import Kind, Value, patterns


class Unit(NamedTuple):
    """A fixed phrase: its kind, its [start, end) tokens, and what it stands for."""

    kind: Kind
    start: int
    end: int
    value: Value


class _Item(NamedTuple):
    """A place in a pattern: the words that may stand there, and whether none need to."""

    words: frozenset[str]
    is_optional: bool


class _Pattern(NamedTuple):
    kind: Kind
    value: Value
    items: tuple[_Item, ...]


def find_units(doc: Doc, first: int, last: int) -> dict[int, list[Unit]]:
    """Return the fixed phrases within tokens [first, last) by their first token, longest first."""
    words = [plain(token.lower_) for token in doc[first:last]]
    found: dict[int, list[Unit]] = {}
    for at, word in enumerate(words):
        units = []
        for kind, value, items in _patterns_by_first_word().get(word, ()):
            end = _end(items, words, at)
            if end is not None:
                units.append(Unit(kind, first + at, first + end, value))
        if units:
            found[first + at] = sorted(units, key=lambda unit: -unit.end)
    return found


def plain(word: str) -> str:
    """Return a word with the apostrophe of ASCII."""
    return word.replace('\u2019', "'")


def _end(items: tuple[_Item, ...], words: list[str], at: int) -> int | None:
    """Return the end of the longest match of a pattern at `at`."""
    for index, item in enumerate(items):
        if item.is_optional:
            rest = items[index + 1 :]
            if at < len(words) and words[at] in item.words:
                end = _end(rest, words, at + 1)
                if end is not None:
                    return end
            return _end(rest, words, at)
        if at >= len(words) or words[at] not in item.words:
            return None
        at += 1
    return at


@cache
def _patterns_by_first_word() -> dict[str, list[_Pattern]]:
    found: dict[str, list[_Pattern]] = {}
    for kind, value, text in patterns():
        items = tuple(
            _Item(frozenset(item.rstrip('?').split('|')), item.endswith('?'))
            for item in text.split()
        )
        starts: set[str] = set()
        for item in items:
            starts |= item.words
            if not item.is_optional:
                break
        for word in starts:
            found.setdefault(word, []).append(_Pattern(kind, value, items))
    return found
