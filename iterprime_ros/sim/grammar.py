"""The grammar of referring expressions: phrases (logical forms) and their wordings."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from iterprime_ros.sim.logical_form import (
    ORDINAL_WORDS,
    Description,
    Ordinal,
    Phrase,
    Place,
    Relation,
    SizeOrder,
    Support,
)
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES

__all__ = [
    'BETWEEN_FORMS',
    'COLOUR_CLAUSE',
    'EXCLUSION_FORMS',
    'NOUNS',
    'ORDINAL_FORMS',
    'ORDINAL_WORDS',
    'PLACE_FORMS',
    'PLURALS',
    'PLURAL_FORMS',
    'RELATION_FORMS',
    'RELATION_WORDS',
    'SIZE_ORDER_FORMS',
    'SIZE_WORDS',
    'Description',
    'Ordinal',
    'Phrase',
    'Place',
    'Relation',
    'SizeOrder',
    'Support',
    'Wording',
    'descriptions',
    'phrases',
    'wordings',
]


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
PLURALS = {
    noun: f'{noun}es' if noun.endswith(('x', 'sh')) else f'{noun}s'
    for nouns in NOUNS.values()
    for noun in nouns
}
SIZE_WORDS = {'small': ('small', 'little'), 'large': ('large', 'big')}

# The forms of expressions: {head} and other names in braces are words; {head} and {anchor} are noun
# phrases without their articles.
PLACE_FORMS = {
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
RELATION_WORDS: dict[Relation | Support, tuple[str, ...]] = {
    Relation.LEFT_OF: ('left of', 'to the left of'),
    Relation.RIGHT_OF: ('right of', 'to the right of'),
    Relation.BEHIND: ('behind', 'in back of'),
    Relation.IN_FRONT_OF: ('in front of',),
    Relation.NEXT_TO: ('next to', 'beside', 'near', 'close to'),
    Support.ON: ('on', 'on top of'),
    Support.UNDER: ('under', 'beneath', 'underneath'),
}
SIZE_ORDER_FORMS = {
    SizeOrder.BIGGEST: ('the biggest {head}', 'the largest {head}'),
    SizeOrder.SMALLEST: ('the smallest {head}', 'the {head} that is the smallest'),
}
COLOUR_CLAUSE = 'the {head} that is {colour}'
RELATION_FORMS = (
    'the {head} {relation} the {anchor}',
    'the {head} that is {relation} the {anchor}',
)
ORDINAL_FORMS = ('the {rank} {head} from the {side}', 'the {rank} {head} counting from the {side}')
BETWEEN_FORMS = (
    'the {head} between the {first} and the {second}',
    'the {head} that is between the {first} and the {second}',
)
EXCLUSION_FORMS = ('the {head} that is not {word}', 'the {head} which is not {word}')
PLURAL_FORMS: dict[Place | Ordinal | SizeOrder | None, tuple[str, ...]] = {
    None: ('the {head}', 'all the {head}', 'all {head}', 'all of the {head}'),
    Place.ON_THE_LEFT: ('the {head} on the left', 'all the {head} on the left side'),
    Place.ON_THE_RIGHT: ('the {head} on the right', 'all the {head} on the right side'),
}


def wordings(phrase: Phrase) -> list[Wording]:
    """Return every wording of `phrase`, without duplicates.

    Raises ValueError for a combination that the grammar has no words for.
    """
    if phrase.is_plural:
        return _plural_wordings(phrase)
    heads = _noun_phrases(phrase.head)
    if phrase.excluded:
        return _exclusion_wordings(phrase, phrase.excluded, heads)
    match phrase.place:
        case Place():
            return [_fill(form, head) for form, head in product(PLACE_FORMS[phrase.place], heads)]
        case SizeOrder():
            return [
                _fill(form, head) for form, head in product(SIZE_ORDER_FORMS[phrase.place], heads)
            ]
        case Ordinal(start, rank):
            side = 'left' if start is Place.LEFTMOST else 'right'
            return [
                _fill(form, head, rank=ORDINAL_WORDS[rank], side=side)
                for form, head in product(ORDINAL_FORMS, heads)
            ]
    if phrase.between:
        anchors = product(*map(_noun_phrases, phrase.between))
        return [
            _fill(form, head, first=first[0], second=second[0])
            for form, head, (first, second) in product(BETWEEN_FORMS, heads, list(anchors))
        ]
    if phrase.relation and phrase.anchor:
        relations = RELATION_WORDS[phrase.relation]
        return [
            _fill(form, head, relation=relation, anchor=anchor)
            for form, head, relation, anchor in product(
                RELATION_FORMS, heads, relations, _anchor_texts(phrase.anchor)
            )
        ]
    forms = [_fill(form, head) for form, head in product(('the {head}', '{head}'), heads)]
    if phrase.head.colour:
        uncoloured = _noun_phrases(Description(phrase.head.kind, None, phrase.head.size))
        forms += [_fill(COLOUR_CLAUSE, head, colour=phrase.head.colour) for head in uncoloured]
    return forms


def _exclusion_wordings(
    phrase: Phrase, excluded: Description, heads: list[tuple[str, str]]
) -> list[Wording]:
    if phrase.place or phrase.relation or phrase.between:
        raise ValueError(f'{phrase} has no wording: an exclusion goes with attributes alone.')
    words = (excluded.colour,) if excluded.colour else SIZE_WORDS[excluded.size or '']
    return [
        _fill(form, head, word=word) for form, head, word in product(EXCLUSION_FORMS, heads, words)
    ]


def _plural_wordings(phrase: Phrase) -> list[Wording]:
    if phrase.relation or phrase.between or phrase.excluded:
        raise ValueError(f'{phrase} has no wording: a plural goes with attributes and a side.')
    if phrase.place not in PLURAL_FORMS:
        raise ValueError(f'{phrase} has no wording: only the left or the right has many objects.')
    heads = [
        (words.removesuffix(noun) + PLURALS[noun], PLURALS[noun])
        for words, noun in _noun_phrases(phrase.head)
    ]
    return [_fill(form, head) for form, head in product(PLURAL_FORMS[phrase.place], heads)]


def _anchor_texts(anchor: Description | Phrase) -> list[str]:
    """Return every way to say an anchor, without the article that comes first."""
    if isinstance(anchor, Description):
        return [words for words, _ in _noun_phrases(anchor)]
    texts = (wording.text for wording in wordings(anchor))
    return [text.removeprefix('the ') for text in texts if text.startswith('the ')]


def descriptions() -> Iterator[Description]:
    """Yield every description, the empty one first."""
    yield from (
        Description(kind, colour, size)
        for kind, colour, size in product((None, *KINDS), (None, *COLOURS), (None, *SIZES))
    )


def phrases() -> Iterator[Phrase]:
    """Yield every phrase with attributes, a place or a relation, without nested ones."""
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
    before, after = (part.format(**words) for part in form.split('{head}'))
    end = len(before) + len(head[0])
    return Wording(before + head[0] + after, (end - len(head[1]), end))
