"""Fixed phrases of place, order, quantity and negation.

They are found by their words, not by a parse, so that a wrong parse cannot lose them. (spaCy's
Matcher takes three times as long for these patterns as the whole parse.)
"""

from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import NamedTuple

from spacy.tokens import Doc

from iterprime_ros.language.phrase import Order, Relation, Side
from iterprime_ros.language.vocabulary import NUMBERS, ORDINALS, POSTURES

LAST = 0  # the rank of 'last', which counts from the other end


class Kind(Enum):
    """What a fixed phrase says.

    RELATION: to the noun phrase that follows.
    SIDE: one or two halves of the image.
    ORDER: a superlative.
    ANCHORED_ORDER: a superlative with respect to the noun phrase that follows.
    START: where an ordinal counts from: "from the left".
    RANK: an ordinal.
    QUANTITY: how many.
    COPULA: "that is".
    POSTURE: "sitting".
    NEGATION: "that is not".
    EXCEPTION: "except".
    ABSENCE: "without".
    FILLER: words that say nothing about the object.
    """

    RELATION = 'relation'
    SIDE = 'side'
    ORDER = 'order'
    ANCHORED_ORDER = 'anchored order'
    START = 'start'
    RANK = 'rank'
    QUANTITY = 'quantity'
    COPULA = 'copula'
    POSTURE = 'posture'
    NEGATION = 'negation'
    EXCEPTION = 'exception'
    ABSENCE = 'absence'
    FILLER = 'filler'


class Quantity(NamedTuple):
    """How many objects are meant.

    is_plural: whether more than one; None where only the noun tells.
    count: how many, where a number says so.
    """

    is_plural: bool | None
    count: int | None = None


Value = Relation | tuple[Side, ...] | Order | int | Quantity | None


class Unit(NamedTuple):
    """A fixed phrase: its kind, its [start, end) tokens, and what it stands for."""

    kind: Kind
    start: int
    end: int
    value: Value


# In the patterns 'a|b' is either word and '?' makes an item optional; names in braces are these.
_GROUPS = {
    'to': 'on|at|to|in|toward|towards',
    'the': 'the|my|your|our|its?',
    'part': 'side|edge|half|corner|end|part|portion|area',
    'picture': 'picture|pic|image|photo|photograph|frame|screen|scene|view',
    'surface': 'table|desk|room|counter|tabletop|countertop|table-top',
    'camera': 'camera|viewer|me|us|you|robot|screen|lens|cam|front|foreground|viewpoint',
    'most': 'far|very|extreme|absolute|furthest|farthest',
    'very': 'right|just|directly|immediately|slightly|almost|straight|exactly|somewhere?',
    'that': 'that|which|who',
    'is': "is|are|was|were|'s|’s|'re|’re",
}
_HORIZONTAL = {Side.LEFT: 'left|lefthand', Side.RIGHT: 'right|righthand'}
_VERTICAL = {Side.TOP: 'top|upper', Side.BOTTOM: 'bottom|lower'}
_EXTREMES = {
    Side.LEFT: Order.LEFTMOST,
    Side.RIGHT: Order.RIGHTMOST,
    Side.TOP: Order.TOPMOST,
    Side.BOTTOM: Order.BOTTOMMOST,
}
_RELATIONS = {
    Relation.LEFT_OF: ('left of|from', '{to} {the} left of', '{to} {the} left -? hand? side of'),
    Relation.RIGHT_OF: (
        'right of|from',
        '{to} {the} right of',
        '{to} {the} right -? hand? side of',
    ),
    Relation.ABOVE: ('up? above', 'over', 'higher than'),
    Relation.BELOW: ('below', 'beneath', 'lower than'),
    Relation.BEHIND: ('behind', 'in back of', 'in the rear of', 'to the rear|back of'),
    Relation.IN_FRONT_OF: ('in|at the? front of', 'infront of', 'ahead of'),
    Relation.NEXT_TO: (
        'next to',
        'beside',
        'near to?',
        'nearby to?',
        'close|adjacent to',
        'close by',
        'by',
        'alongside of?',
        'by|at|to the side of',
    ),
    Relation.ON: ('on|upon|atop|onto', 'on the? top of', 'on to'),
    Relation.UNDER: ('under|underneath',),
    Relation.IN: ('in|inside|within|into', 'inside of'),
    Relation.BETWEEN: ('between', 'in between', 'in the middle|center|centre of'),
}
_ORDERS = {
    Order.TOPMOST: ('topmost|uppermost|highest', 'top -? most', 'furthest|farthest up'),
    Order.BOTTOMMOST: (
        'bottommost|lowermost|lowest',
        'bottom -? most',
        'furthest|farthest down',
    ),
    Order.CLOSEST: (
        'closest|nearest|closer|nearer|frontmost|foremost|front|near',
        'front -? most',
        'closest|nearest|closer|nearer|close|near to? the? {camera}',
        'in front',
        'up front',
        'in|at|on|to|towards|toward the front',
        'in|at the? foreground',
        'in|at|on the front of the? {picture}',
        'in|at|on the front of the {surface}',
    ),
    Order.FARTHEST: (
        'farthest|furthest|farther|further away?',
        'farthest|furthest|farther|further back',
        'farthest|furthest|farther|further|far away? from the? {camera}',
        'far away',
        'far|back|rear|backmost|rearmost',
        'back -? most',
        'most distant',
        'in|at|on|to|towards|toward the? far|very? back|rear|background',
        'in|at|on the back|background of the? {picture}',
        'in|at|on the back of the {surface}',
    ),
    Order.BIGGEST: ('biggest|largest|bigger|larger',),
    Order.SMALLEST: ('smallest|tiniest|littlest|smaller',),
    Order.TALLEST: ('tallest|taller',),
    Order.SHORTEST: ('shortest|shorter',),
    Order.MIDDLE: (
        'middle|center|centre|central|centermost|middlemost',
        '{to} {the} very? middle|center|centre',
        '{to} {the} very? middle|center|centre of|in the? {picture}',
        '{to} {the} very? middle|center|centre of the {surface}',
        'in between',
    ),
}
_ANCHORED_ORDERS = {
    Order.CLOSEST: ('closest|nearest|closer|nearer to?',),
    Order.FARTHEST: ('farthest|furthest|farther|further away? from',),
}
_STARTS = {
    Order.LEFTMOST: 'left',
    Order.RIGHTMOST: 'right',
    Order.TOPMOST: 'top',
    Order.BOTTOMMOST: 'bottom',
    Order.CLOSEST: 'front|camera|me|us',
    Order.FARTHEST: 'back|rear',
}
_QUANTITIES = {
    'all|every|each': Quantity(True),
    'all|each of': Quantity(True),
    'both of?': Quantity(True, 2),
    'one|any|either of': Quantity(False),
    'a? couple of': Quantity(True, 2),
    'all|some of': Quantity(True),
    **{f'all? the? {word} of?': Quantity(True, count) for word, count in NUMBERS.items()},
    **{f'all? the? {count} of?': Quantity(True, count) for count in NUMBERS.values()},
}
_NEGATIONS = ("{that}? {is} not|n't|n’t", 'not', '{is} neither', '{that} {is} neither', 'non -')
_EXCEPTIONS = ('except for?', 'but not', 'but', 'other than', 'apart from', 'excluding', 'and not')
_ABSENCES = (
    'without any?',
    'with no',
    'w/o',
    'with out',
    'no',
    '{that}? has|have|having no',
    "{that}? does|do not|n't|n’t have any?",
)
_FILLERS = (
    'right|over? there',
    'right|over? here',
    'in|of|on|from the|this {picture}',
    'please',
    'you see',
    'that|which i can see',
)


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
    words = [token.lower_ for token in doc[first:last]]
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
    for kind, value, texts in _table():
        for text in texts:
            items = _items(text)
            starts: set[str] = set()
            for item in items:
                starts |= item.words
                if not item.is_optional:
                    break
            for word in starts:
                found.setdefault(word, []).append(_Pattern(kind, value, items))
    return found


def _table() -> Iterator[tuple[Kind, Value, tuple[str, ...]]]:
    """Yield kinds and values with their patterns; of equally long ones the first counts."""
    for order, patterns in _ANCHORED_ORDERS.items():
        yield Kind.ANCHORED_ORDER, order, patterns
    for order, patterns in _ORDERS.items():
        yield Kind.ORDER, order, patterns
    for side, word in (_HORIZONTAL | _VERTICAL).items():
        yield Kind.ORDER, _EXTREMES[side], tuple(_extremes(word, side.name.lower()))
        yield Kind.SIDE, (side,), tuple(_sides(word))
    for vertical, above in _VERTICAL.items():
        for horizontal, beside in _HORIZONTAL.items():
            corner = (vertical, horizontal)
            patterns = (*_sides(f'{above} -? {beside}'), *_sides(f'{beside} -? {above}'))
            yield Kind.SIDE, corner, patterns
    for relation, patterns in _RELATIONS.items():
        yield Kind.RELATION, relation, tuple('{very} ' + each for each in patterns)
    for order, word in _STARTS.items():
        yield (
            Kind.START,
            order,
            (f'over|in? from|form the? far|very? {word} side|end|edge?',),
        )
    for word, rank in ORDINALS.items():
        yield Kind.RANK, rank, (word,)
        if rank > 1:
            yield Kind.RANK, 1 - rank, (f'{word} -? to? -? last', f'{word} from the end')
    yield Kind.RANK, LAST, ('last',)
    for pattern, quantity in _QUANTITIES.items():
        yield Kind.QUANTITY, quantity, (pattern,)
    yield Kind.COPULA, None, ('{that} {is}', 'thats')
    yield Kind.POSTURE, None, ('|'.join(sorted(POSTURES)),)
    yield Kind.NEGATION, None, _NEGATIONS
    yield Kind.EXCEPTION, None, _EXCEPTIONS
    yield Kind.ABSENCE, None, _ABSENCES
    yield Kind.FILLER, None, _FILLERS


def _sides(word: str) -> Iterator[str]:
    """Yield patterns of a side: 'left', 'on the left hand side of the picture'."""
    for place in (f'{word} {{part}}?', f'{word} -? hand {{part}}', f'{word} - hand'):
        yield place
        yield f'{{to}} {{the}} {place}'
        yield f'{{to}}? {{the}} {place} of|in the? {{picture}}'
        yield f'{{to}} {{the}} {place} of the {{surface}}'


def _extremes(word: str, side: str) -> Iterator[str]:
    """Yield patterns of the extreme of a side: 'leftmost', 'furthest to the left'."""
    yield f'{side}most'
    yield f'{side} -? most'
    for place in (f'{word} {{part}}?', f'{word} -? hand {{part}}?'):
        yield f'{{most}} -? {place}'
        yield f'{{to}} {{the}} {{most}} {place}'
        yield f'{{to}}? {{the}} {{most}} {place} of|in the? {{picture}}'
        yield f'{{to}} {{the}} {{most}} {place} of the {{surface}}'
        yield f'furthest|farthest|most|nearest|closest to|on|toward|towards {{the}} {place}'
        yield f'all the way to|on|at {{the}} {place}'


def _items(text: str) -> tuple[_Item, ...]:
    """Return the items of a pattern; see _GROUPS for the notation."""
    return tuple(
        _Item(frozenset(item.rstrip('?').split('|')), item.endswith('?'))
        for item in text.format(**_GROUPS).split()
    )
