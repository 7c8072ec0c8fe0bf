"""What a phrase means in a view, with the margins inside which a person would not be sure."""

from collections.abc import Callable
from typing import NamedTuple

from iterprime_ros.sim.grammar import Description, Phrase, Place, Relation
from iterprime_ros.sim.view import SeenObject, View

COLUMN_MARGIN = 0.05  # image heights: closer columns are neither left nor right of each other
DEPTH_MARGIN = 0.04  # metres: closer depths are neither behind nor in front of each other
NEAR_GAP, APART_GAP = 0.04, 0.09  # metres between footprints: next to; clearly not next to


class Meaning(NamedTuple):
    """The ids that a phrase surely means, and those that it may mean; sure is part of possible."""

    sure: frozenset[int]
    possible: frozenset[int]


def fits(description: Description, item: SeenObject) -> bool:
    """Return whether an object has every attribute that a description names."""
    return (
        description.kind in (None, item.kind)
        and description.colour in (None, item.colour)
        and description.size in (None, item.size)
    )


def meaning(phrase: Phrase, view: View) -> Meaning:
    """Return which objects a phrase means.

    Every object of the scene counts, however little of it is seen: a mug behind a box still makes
    "the mug" ambiguous. A relation holds when it holds to any object that the anchor fits.
    """
    heads = [item for item in view.objects if fits(phrase.head, item)]
    if phrase.relation and phrase.anchor:
        anchors = [item for item in view.objects if fits(phrase.anchor, item)]
        return _related(phrase.relation, heads, anchors, view)
    match phrase.place:
        case None:
            ids = frozenset(item.id for item in heads)
            return Meaning(ids, ids)
        case Place.LEFTMOST:
            return _first(heads, lambda item: item.column, COLUMN_MARGIN)
        case Place.RIGHTMOST:
            return _first(heads, lambda item: -item.column, COLUMN_MARGIN)
        case Place.CLOSEST:
            return _first(heads, lambda item: item.depth, DEPTH_MARGIN)
        case Place.FARTHEST:
            return _first(heads, lambda item: -item.depth, DEPTH_MARGIN)
        case Place.MIDDLE:
            return _middle(heads)
        case Place.ON_THE_LEFT:
            return _beyond(heads, lambda item: -item.column)
        case Place.ON_THE_RIGHT:
            return _beyond(heads, lambda item: item.column)


def _first(heads: list[SeenObject], rank: Callable[[SeenObject], float], margin: float) -> Meaning:
    """Return the object of lowest rank, sure when every other is a margin behind it."""
    if not heads:
        return Meaning(frozenset(), frozenset())
    lowest = min(map(rank, heads))
    possible = frozenset(item.id for item in heads if rank(item) < lowest + margin)
    return Meaning(possible if len(possible) == 1 else frozenset(), possible)


def _middle(heads: list[SeenObject]) -> Meaning:
    """Return the middle column of an odd number of objects; of any other number, be unsure."""
    everything = frozenset(item.id for item in heads)
    ordered = sorted(heads, key=lambda item: item.column)
    half = len(ordered) // 2
    if len(ordered) < 3 or len(ordered) % 2 == 0:
        return Meaning(frozenset(), everything)
    middle = ordered[half]
    beside = (ordered[half - 1], ordered[half + 1])
    if all(abs(middle.column - other.column) >= COLUMN_MARGIN for other in beside):
        return Meaning(frozenset({middle.id}), frozenset({middle.id}))
    return Meaning(frozenset(), everything)


def _beyond(heads: list[SeenObject], side: Callable[[SeenObject], float]) -> Meaning:
    """Return the objects on one side of the image's middle."""
    return Meaning(
        frozenset(item.id for item in heads if side(item) >= COLUMN_MARGIN),
        frozenset(item.id for item in heads if side(item) > -COLUMN_MARGIN),
    )


def _related(
    relation: Relation, heads: list[SeenObject], anchors: list[SeenObject], view: View
) -> Meaning:
    sure, possible = set(), set()
    for item in heads:
        for anchor in anchors:
            if item.id == anchor.id:
                continue
            amount, margin = _amount(relation, item, anchor, view)
            if amount >= margin:
                sure.add(item.id)
            if amount > -margin:
                possible.add(item.id)
    return Meaning(frozenset(sure), frozenset(possible))


def _amount(
    relation: Relation, item: SeenObject, anchor: SeenObject, view: View
) -> tuple[float, float]:
    """Return how far a relation holds (above 0) or not (below), and within what nobody can say."""
    match relation:
        case Relation.LEFT_OF:
            return anchor.column - item.column, COLUMN_MARGIN
        case Relation.RIGHT_OF:
            return item.column - anchor.column, COLUMN_MARGIN
        case Relation.BEHIND:
            return item.depth - anchor.depth, DEPTH_MARGIN
        case Relation.IN_FRONT_OF:
            return anchor.depth - item.depth, DEPTH_MARGIN
        case Relation.NEXT_TO:
            gap = float(view.gaps[item.id - 1, anchor.id - 1])
            return (NEAR_GAP + APART_GAP) / 2 - gap, (APART_GAP - NEAR_GAP) / 2
