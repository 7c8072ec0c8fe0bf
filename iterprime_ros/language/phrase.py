"""The logical form of a referring expression: noun phrases, their constraints and their relations.

Spans are [start, end) characters of the expression.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

Span = tuple[int, int]


class Relation(Enum):
    """A spatial relation to one other object; BETWEEN: to two."""

    LEFT_OF = 'left of'
    RIGHT_OF = 'right of'
    ABOVE = 'above'
    BELOW = 'below'
    BEHIND = 'behind'
    IN_FRONT_OF = 'in front of'
    NEXT_TO = 'next to'
    ON = 'on'
    UNDER = 'under'
    IN = 'in'
    BETWEEN = 'between'


class Order(Enum):
    """A direction in which a superlative or an ordinal orders objects; named by the first one.

    MIDDLE orders nothing: it is the object with as many on its left as on its right.
    """

    LEFTMOST = 'leftmost'
    RIGHTMOST = 'rightmost'
    TOPMOST = 'topmost'
    BOTTOMMOST = 'bottommost'
    CLOSEST = 'closest'
    FARTHEST = 'farthest'
    BIGGEST = 'biggest'
    SMALLEST = 'smallest'
    TALLEST = 'tallest'
    SHORTEST = 'shortest'
    MIDDLE = 'middle'


class Side(Enum):
    """A half of the image."""

    LEFT = 'on the left'
    RIGHT = 'on the right'
    TOP = 'at the top'
    BOTTOM = 'at the bottom'


@dataclass(frozen=True)
class Superlative:
    """A superlative ("the leftmost mug") or an ordinal ("the second mug from the left").

    order: in which the objects are counted.
    span: of its words.
    rank: place in the order, from 1.
    anchor: the object that CLOSEST and FARTHEST are measured from; None for the camera, and for
        every other order.
    """

    order: Order
    span: Span
    rank: int = 1
    anchor: 'NounPhrase | None' = None


@dataclass(frozen=True)
class SideConstraint:
    """A half of the image that the object is in.

    side: which half.
    span: of its words.
    is_negated: whether the object is not there.
    """

    side: Side
    span: Span
    is_negated: bool = False


@dataclass(frozen=True)
class RelationConstraint:
    """A relation of the object to others.

    relation: which one.
    span: of the words of the relation, without the anchors.
    anchors: the other objects: two for BETWEEN (one plural phrase, as in "between the plates", is
        given twice), else one.
    is_negated: whether the relation does not hold.
    """

    relation: Relation
    span: Span
    anchors: tuple['NounPhrase', ...]
    is_negated: bool = False


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase: what the object is, and where.

    text: what a matcher is asked, in lower case, without articles and constraints: "small red
        mug". Words that no rule covers stay in it. The head noun is in the singular; a pronoun
        ("one", "anything") is replaced by "object".
    span: of the whole noun phrase, constraints included.
    head: the head noun, or the pronoun in its place; None where there is neither.
    attributes: the words of text besides the head, in order.
    excluded: texts that must not match, in full: ("red mug",) for "the mug that is not red".
    is_plural: whether more than one object is meant: "all the mugs", "the mugs", "two mugs".
    count: how many objects, where a number says so.
    superlatives: superlatives and ordinals.
    sides: halves of the image.
    relations: relations to other objects.
    """

    text: str
    span: Span
    head: Span | None
    attributes: tuple[Span, ...] = ()
    excluded: tuple[str, ...] = ()
    is_plural: bool = False
    count: int | None = None
    superlatives: tuple[Superlative, ...] = ()
    sides: tuple[SideConstraint, ...] = ()
    relations: tuple[RelationConstraint, ...] = ()

    @property
    def has_constraints(self) -> bool:
        """Whether it says more than what the object is."""
        return bool(self.superlatives or self.sides or self.relations)

    def noun_phrases(self) -> Iterator['NounPhrase']:
        """Yield this noun phrase and all noun phrases in it, outer ones first."""
        yield self
        for superlative in self.superlatives:
            if superlative.anchor:
                yield from superlative.anchor.noun_phrases()
        for relation in self.relations:
            for anchor in relation.anchors:
                yield from anchor.noun_phrases()

    def texts(self) -> tuple[str, ...]:
        """Return every text that a matcher is asked, without duplicates, its own text first."""
        found = (text for each in self.noun_phrases() for text in (each.text, *each.excluded))
        return tuple(dict.fromkeys(found))
