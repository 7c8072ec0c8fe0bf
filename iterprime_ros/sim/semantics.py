"""The meaning of phrases: which objects of a view they fit, with a margin of uncertainty."""

from collections.abc import Callable
from typing import NamedTuple

from iterprime_ros.sim.grammar import Description, Phrase, Place, Relation
from iterprime_ros.sim.view import SeenObject, View

COLUMN_MARGIN = 0.05  # in image heights; below it, neither object is clearly left of the other
DEPTH_MARGIN = 0.04  # in metres; below it, neither object is clearly in front of the other
NEAR_GAP, APART_GAP = 0.04, 0.09  # in metres; up to NEAR_GAP next to, from APART_GAP on not


class Meaning(NamedTuple):
    """The objects that a phrase fits.

    sure: ids that it fits by at least the margin.
    possible: ids that it does not clearly fail to fit; a superset of sure.
    """

    sure: frozenset[int]
    possible: frozenset[int]


def fits(description: Description, item: SeenObject) -> bool:
    """Return whether an object has all attributes that a description names."""
    return (
        description.kind in (None, item.kind)
        and description.colour in (None, item.colour)
        and description.size in (None, item.size)
    )


def meaning(phrase: Phrase, view: View) -> Meaning:
    """Return which objects of a view a phrase fits.

    Hidden objects count too: a mug behind a box makes "the mug" ambiguous. A relation holds if it
    holds with respect to any object that fits the anchor.
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
            return _extreme(heads, lambda item: item.column, COLUMN_MARGIN)
        case Place.RIGHTMOST:
            return _extreme(heads, lambda item: -item.column, COLUMN_MARGIN)
        case Place.CLOSEST:
            return _extreme(heads, lambda item: item.depth, DEPTH_MARGIN)
        case Place.FARTHEST:
            return _extreme(heads, lambda item: -item.depth, DEPTH_MARGIN)
        case Place.MIDDLE:
            return _middle(heads)
        case Place.ON_THE_LEFT:
            return _on_side(heads, lambda item: -item.column)
        case Place.ON_THE_RIGHT:
            return _on_side(heads, lambda item: item.column)


def _extreme(
    heads: list[SeenObject], value: Callable[[SeenObject], float], margin: float
) -> Meaning:
    """Return the object of lowest value; sure if all others are higher by the margin."""
    if not heads:
        return Meaning(frozenset(), frozenset())
    lowest = min(map(value, heads))
    possible = frozenset(item.id for item in heads if value(item) < lowest + margin)
    return Meaning(possible if len(possible) == 1 else frozenset(), possible)


def _middle(heads: list[SeenObject]) -> Meaning:
    """Return the object in the middle column; all are possible, and none sure, if unclear."""
    all_ids = frozenset(item.id for item in heads)
    ordered = sorted(heads, key=lambda item: item.column)
    half = len(ordered) // 2
    if len(ordered) < 3 or len(ordered) % 2 == 0:
        return Meaning(frozenset(), all_ids)
    middle = ordered[half]
    neighbours = (ordered[half - 1], ordered[half + 1])
    if all(abs(middle.column - other.column) >= COLUMN_MARGIN for other in neighbours):
        return Meaning(frozenset({middle.id}), frozenset({middle.id}))
    return Meaning(frozenset(), all_ids)


def _on_side(heads: list[SeenObject], offset: Callable[[SeenObject], float]) -> Meaning:
    """Return the objects on one side of the image centre; offset: distance towards that side."""
    return Meaning(
        frozenset(item.id for item in heads if offset(item) >= COLUMN_MARGIN),
        frozenset(item.id for item in heads if offset(item) > -COLUMN_MARGIN),
    )


def _related(
    relation: Relation, heads: list[SeenObject], anchors: list[SeenObject], view: View
) -> Meaning:
    sure, possible = set(), set()
    for item in heads:
        for anchor in anchors:
            if item.id == anchor.id:
                continue
            difference, margin = _difference(relation, item, anchor, view)
            if difference >= margin:
                sure.add(item.id)
            if difference > -margin:
                possible.add(item.id)
    return Meaning(frozenset(sure), frozenset(possible))


def _difference(
    relation: Relation, item: SeenObject, anchor: SeenObject, view: View
) -> tuple[float, float]:
    """Return the quantity whose sign decides a relation (> 0: it holds), and its margin."""
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
