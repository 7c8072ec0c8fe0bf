"""The grammar of referring expressions: phrases (logical forms) and their wordings."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product

from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES


class Place(Enum):
    """A location that is stated without naming another object."""

    LEFTMOST = 'leftmost'
    RIGHTMOST = 'rightmost'
    CLOSEST = 'closest'
    FARTHEST = 'farthest'
    MIDDLE = 'middle'
    ON_THE_LEFT = 'on the left'
    ON_THE_RIGHT = 'on the right'


class Relation(Enum):
    """A location relative to another object, the anchor."""

    LEFT_OF = 'left of'
    RIGHT_OF = 'right of'
    BEHIND = 'behind'
    IN_FRONT_OF = 'in front of'
    NEXT_TO = 'next to'


@dataclass(frozen=True)
class Description:
    """The attributes of an object that an expression names; None: not named.

    kind: a name in scene.KINDS.
    colour: a name in scene.COLOURS.
    size: a name in scene.SIZES.
    """

    kind: str | None = None
    colour: str | None = None
    size: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no attribute is named, so that every object fits."""
        return self == Description()


@dataclass(frozen=True)
class Phrase:
    """The logical form of an expression: a description with a place, a relation, or neither.

    head: attributes of the object itself.
    place: its location, if stated without another object.
    relation: its location relative to anchor; None if and only if anchor is None.
    anchor: attributes of the other object.

    Raises ValueError for a place together with a relation, or for a relation without an anchor.
    """

    head: Description
    place: Place | None = None
    relation: Relation | None = None
    anchor: Description | None = None

    def __post_init__(self) -> None:
        if (self.relation is None) != (self.anchor is None) or (self.place and self.relation):
            raise ValueError(
                f'{self} is invalid: give either a place, or a relation with an anchor, or neither.'
            )


@dataclass(frozen=True)
class Wording:
    """One way to say a phrase.

    text: the words.
    primary_word: [start, end) of the head noun in text, in characters.
    """

    text: str
    primary_word: tuple[int, int]


NOUNS = {
    'cube': ('cube', 'block', 'box'),
    'ball': ('ball', 'sphere'),
    'cylinder': ('cylinder', 'tube'),
    'mug': ('mug', 'cup'),
    'bottle': ('bottle', 'flask'),
    'plate': ('plate', 'dish'),
    'banana': ('banana',),
    'capsule': ('capsule', 'pill'),
    None: ('object', 'thing', 'item'),
}
SIZE_WORDS = {'small': ('small', 'little'), 'large': ('large', 'big')}

# {head} is a noun phrase without its article.
_PLACES = {
    Place.LEFTMOST: (
        'the leftmost {head}',
        'the {head} furthest to the left',
        'the {head} at the far left',
    ),
    Place.RIGHTMOST: (
        'the rightmost {head}',
        'the {head} furthest to the right',
        'the {head} at the far right',
    ),
    Place.CLOSEST: (
        'the closest {head}',
        'the nearest {head}',
        'the {head} closest to the camera',
    ),
    Place.FARTHEST: (
        'the farthest {head}',
        'the {head} farthest away',
        'the {head} farthest from the camera',
    ),
    Place.MIDDLE: ('the middle {head}', 'the {head} in the middle', 'the {head} in the centre'),
    Place.ON_THE_LEFT: (
        'the {head} on the left',
        'the {head} on the left side',
        'the {head} that is on the left',
    ),
    Place.ON_THE_RIGHT: (
        'the {head} on the right',
        'the {head} on the right side',
        'the {head} that is on the right',
    ),
}
_RELATIONS = {
    Relation.LEFT_OF: ('left of', 'to the left of'),
    Relation.RIGHT_OF: ('right of', 'to the right of'),
    Relation.BEHIND: ('behind', 'in back of'),
    Relation.IN_FRONT_OF: ('in front of',),
    Relation.NEXT_TO: ('next to', 'beside', 'near', 'close to'),
}
_CLAUSES = ('the {head} {relation} the {anchor}', 'the {head} that is {relation} the {anchor}')


def wordings(phrase: Phrase) -> list[Wording]:
    """Return every wording of `phrase`, without duplicates."""
    heads = _noun_phrases(phrase.head)
    if phrase.place:
        return [_fill(form, head) for form, head in product(_PLACES[phrase.place], heads)]
    if phrase.relation and phrase.anchor:
        anchors = _noun_phrases(phrase.anchor)
        return [
            _fill(form, head, relation=relation, anchor=anchor[0])
            for form, head, relation, anchor in product(
                _CLAUSES, heads, _RELATIONS[phrase.relation], anchors
            )
        ]
    forms = [_fill(form, head) for form, head in product(('the {head}', '{head}'), heads)]
    if phrase.head.colour:
        uncoloured = _noun_phrases(Description(phrase.head.kind, None, phrase.head.size))
        clause = f'the {{head}} that is {phrase.head.colour}'
        forms += [_fill(clause, head) for head in uncoloured]
    return forms


def descriptions() -> Iterator[Description]:
    """Yield every description, the empty one first."""
    yield from (
        Description(kind, colour, size)
        for kind, colour, size in product((None, *KINDS), (None, *COLOURS), (None, *SIZES))
    )


def phrases() -> Iterator[Phrase]:
    """Yield every phrase of the grammar: attributes, then places, then relations."""
    named = [description for description in descriptions() if not description.is_empty]
    yield from (Phrase(head) for head in named)
    yield from (Phrase(head, place) for place, head in product(Place, descriptions()))
    yield from (
        Phrase(head, relation=relation, anchor=anchor)
        for relation, head, anchor in product(Relation, descriptions(), named)
        if head != anchor
    )


def _noun_phrases(description: Description) -> list[tuple[str, str]]:
    """Return (noun phrase without article, its noun) for every combination of synonyms."""
    sizes = SIZE_WORDS[description.size] if description.size else ('',)
    return [
        (' '.join(word for word in (size, description.colour, noun) if word), noun)
        for size, noun in product(sizes, NOUNS[description.kind])
    ]


def _fill(form: str, head: tuple[str, str], **words: str) -> Wording:
    before, after = form.split('{head}')
    end = len(before) + len(head[0])
    return Wording(before + head[0] + after.format(**words), (end - len(head[1]), end))
