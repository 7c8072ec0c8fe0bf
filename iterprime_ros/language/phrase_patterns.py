"""The fixed phrases that the rules know, by what they say.

In a pattern 'a|b' is either word, '?' makes an item optional, and names in braces are groups.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from iterprime_ros.language.phrase import Order, Relation, Side
from iterprime_ros.language.word_lists import NUMBERS, ORDINALS, POSTURES

LAST = 0  # the rank of 'last', which counts from the other end; 'second to last' is -1


class Kind(Enum):
    """What a fixed phrase says, and the type of the value it stands for.

    RELATION: a Relation to the noun phrase that follows.
    SIDE: a tuple of one or two Sides of the image.
    ORDER: the Order of a superlative.
    ANCHORED_ORDER: the Order of a superlative with respect to the noun phrase that follows.
    ANCHOR: of a superlative before the noun: "to" in "the closest cup to the bottle".
    START: the Order that an ordinal counts in: "from the left".
    RANK: an ordinal, an int; LAST and less count from the other end.
    QUANTITY: how many, a Quantity.
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
    ANCHOR = 'anchor'
    START = 'start'
    RANK = 'rank'
    QUANTITY = 'quantity'
    COPULA = 'copula'
    POSTURE = 'posture'
    NEGATION = 'negation'
    EXCEPTION = 'exception'
    ABSENCE = 'absence'
    FILLER = 'filler'


@dataclass(frozen=True)
class Quantity:
    """How many objects are meant.

    is_plural: whether more than one.
    count: how many, where a number says so.
    """

    is_plural: bool
    count: int | None = None


Value = Any  # of the type that Kind names

_GROUPS = {
    'to': 'on|at|to|in|toward|towards',
    'the': 'the|my|your|our|its?',
    'part': 'side|edge|half|corner|end|part|portion|area',
    'picture': 'picture|pic|image|photo|photograph|frame|screen|scene|view',
    'surface': 'table|desk|room|counter|tabletop|countertop',
    'camera': 'camera|viewer|me|us|you|robot|screen|lens|cam|front|foreground|viewpoint',
    'most': 'far|very|extreme|absolute|furthest|farthest',
    'very': 'right|just|directly|immediately|slightly|almost|straight|exactly|somewhere?',
    'that': 'that|which|who',
    'is': "is|are|was|were|'s|'re",
    'not': "not|n't",
}
_HORIZONTAL = {Side.LEFT: 'left|lefthand', Side.RIGHT: 'right|righthand'}
_VERTICAL = {Side.TOP: 'top|upper', Side.BOTTOM: 'bottom|lower'}
_EXTREMES = {
    Side.LEFT: Order.LEFTMOST,
    Side.RIGHT: Order.RIGHTMOST,
    Side.TOP: Order.TOPMOST,
    Side.BOTTOM: Order.BOTTOMMOST,
}
_RELATIONS: dict[Relation, tuple[str, ...]] = {
    Relation.LEFT_OF: (
        'left of|from|to',
        '{to} {the} direct|immediate|far? left of',
        '{to} {the} left -? hand? side of',
    ),
    Relation.RIGHT_OF: (
        'right of|from|to',
        '{to} {the} direct|immediate|far? right of',
        '{to} {the} right -? hand? side of',
    ),
    Relation.ABOVE: ('up? above', 'over', 'higher than'),
    Relation.BELOW: ('below', 'lower than'),
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
    Relation.UNDER: ('under|underneath|beneath',),
    Relation.IN: ('in|inside|within|into', 'inside of'),
    Relation.BETWEEN: ('between', 'in between', 'in the middle|center|centre of'),
}
_ORDERS: dict[Order, tuple[str, ...]] = {
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
        'in|up front',
        'next to me|us|you',
        'beside|by me|us|you',
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
_ANCHORED_ORDERS: dict[Order, tuple[str, ...]] = {
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
_QUANTITIES = (
    ('all|every|each', Quantity(True)),
    ('all|each|some of', Quantity(True)),
    ('both of?', Quantity(True, 2)),
    ('one|any|either of', Quantity(False)),
    ('few|several|many|multiple|numerous of?', Quantity(True)),
    ('a? couple|pair of?', Quantity(True, 2)),
    *((f'all? the? {word}|{count} of?', Quantity(True, count)) for word, count in NUMBERS.items()),
)
_OTHERS: dict[Kind, tuple[str, ...]] = {
    Kind.ANCHOR: ('to|from',),
    Kind.COPULA: ('{that} {is}', 'thats', 'is|are'),
    Kind.POSTURE: ('|'.join(sorted(POSTURES)),),
    Kind.NEGATION: ('{that}? {is} {not}', '{not}', '{that}? {is} neither', 'neither', 'non -'),
    Kind.EXCEPTION: (
        'except for?',
        'but|and not',
        'but',
        'other than',
        'apart from',
        'excluding',
    ),
    Kind.ABSENCE: (
        'without any?',
        'with|having no',
        'w/o',
        'with out',
        'no',
        '{that}? has|have no',
        '{that}? does|do {not} have any?',
    ),
    Kind.FILLER: (
        'right|over? there|here',
        'in|of|on|from the|this {picture}',
        f'of the {"|".join(NUMBERS)}',
        'please',
        'counting',
    ),
}


def patterns() -> Iterator[tuple[Kind, Value, str]]:
    """Yield kind, value and pattern; of two that fit the same words, the first counts."""
    for order, texts in _ANCHORED_ORDERS.items():
        yield from _filled(Kind.ANCHORED_ORDER, order, texts)
    for order, texts in _ORDERS.items():
        yield from _filled(Kind.ORDER, order, texts)
    yield from _of_sides()
    for relation, texts in _RELATIONS.items():
        yield from _filled(Kind.RELATION, relation, [f'{{very}} {text}' for text in texts])
    for order, word in _STARTS.items():
        text = f'over|in? from|form the? far|very? {word} side|end|edge?'
        yield from _filled(Kind.START, order, [text])
    yield from _filled(Kind.RANK, LAST, ['last'])
    for word, rank in ORDINALS.items():
        yield Kind.RANK, rank, word
        yield Kind.RANK, 1 - rank, f'{word} -? to? -? last'
    for text, quantity in _QUANTITIES:
        yield Kind.QUANTITY, quantity, text
    for kind, texts in _OTHERS.items():
        yield from _filled(kind, None, texts)


def _filled(kind: Kind, value: Value, texts: Iterable[str]) -> Iterator[tuple[Kind, Value, str]]:
    for text in texts:
        yield kind, value, text.format(**_GROUPS)


def _of_sides() -> Iterator[tuple[Kind, Value, str]]:
    for side, word in (_HORIZONTAL | _VERTICAL).items():
        extremes = _extremes(word, side.name.lower())
        yield from _filled(Kind.ORDER, _EXTREMES[side], extremes)
        yield from _filled(Kind.SIDE, (side,), _sides(word))
    for vertical, above in _VERTICAL.items():
        for horizontal, beside in _HORIZONTAL.items():
            for text in (f'{above} -? {beside}', f'{beside} -? {above}'):
                yield from _filled(Kind.SIDE, (vertical, horizontal), _sides(text))


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
