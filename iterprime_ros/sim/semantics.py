"""The meaning of phrases: which objects of a view they fit, with a margin of uncertainty."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, assert_never

from iterprime_ros.sim.logical_form import (
    Description,
    Ordinal,
    Phrase,
    Place,
    Relation,
    SizeOrder,
    Support,
)
from iterprime_ros.sim.view import SeenObject, View

COLUMN_MARGIN = 0.05  # in image heights; below it, neither object is clearly left of the other
DEPTH_MARGIN = 0.04  # in metres; below it, neither object is clearly in front of the other
NEAR_GAP, APART_GAP = 0.04, 0.09  # in metres; up to NEAR_GAP next to, from APART_GAP on not
# Angle between the directions to the two anchors, in degrees; from the first between, up to the
# second not.
BETWEEN_ANGLE, BESIDE_ANGLE = 140.0, 100.0
SIZE_RATIO = 1.15  # of the sides of boxes; below it, neither object is clearly bigger


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
    holds with respect to any object that fits the anchor. A plural phrase fits what the singular
    one does.
    """
    heads = [
        item
        for item in view.objects
        if fits(phrase.head, item) and not (phrase.excluded and fits(phrase.excluded, item))
    ]
    if phrase.relation and phrase.anchor:
        return _related(phrase.relation, heads, _anchors(phrase.anchor, view), view)
    if phrase.between:
        first, second = (_anchors(anchor, view) for anchor in phrase.between)
        return _between(heads, first.sure, second.sure, view)
    match phrase.place:
        case None:
            ids = frozenset(item.id for item in heads)
            return Meaning(ids, ids)
        case Place():
            return _placed(phrase.place, heads)
        case SizeOrder.BIGGEST:
            return _extreme(heads, lambda item: -math.log(item.box_side), math.log(SIZE_RATIO))
        case SizeOrder.SMALLEST:
            return _extreme(heads, lambda item: math.log(item.box_side), math.log(SIZE_RATIO))
        case Ordinal(start, rank):
            sign = 1 if start is Place.LEFTMOST else -1
            return _ranked(heads, lambda item: sign * item.column, rank)
        case _:
            assert_never(phrase.place)


def _anchors(anchor: Description | Phrase, view: View) -> Meaning:
    return meaning(Phrase(anchor) if isinstance(anchor, Description) else anchor, view)


def _placed(place: Place, heads: Sequence[SeenObject]) -> Meaning:
    match place:
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
    heads: Sequence[SeenObject], value: Callable[[SeenObject], float], margin: float
) -> Meaning:
    """Return the object of lowest value; sure if all others are higher by the margin."""
    if not heads:
        return Meaning(frozenset(), frozenset())
    lowest = min(map(value, heads))
    possible = frozenset(item.id for item in heads if value(item) < lowest + margin)
    return Meaning(possible if len(possible) == 1 else frozenset(), possible)


def _middle(heads: Sequence[SeenObject]) -> Meaning:
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


def _on_side(heads: Sequence[SeenObject], offset: Callable[[SeenObject], float]) -> Meaning:
    """Return the objects on one side of the image centre; offset: distance towards that side."""
    return Meaning(
        frozenset(item.id for item in heads if offset(item) >= COLUMN_MARGIN),
        frozenset(item.id for item in heads if offset(item) > -COLUMN_MARGIN),
    )


def _ranked(
    heads: Sequence[SeenObject], value: Callable[[SeenObject], float], rank: int
) -> Meaning:
    """Return the object that rank - 1 others precede in the order of value (a column)."""
    sure, possible = set(), set()
    for item in heads:
        ahead = [value(item) - value(other) for other in heads if other.id != item.id]
        fewest = sum(difference >= COLUMN_MARGIN for difference in ahead)
        most = sum(difference > -COLUMN_MARGIN for difference in ahead)
        if fewest == most == rank - 1:
            sure.add(item.id)
        if fewest <= rank - 1 <= most:
            possible.add(item.id)
    return Meaning(frozenset(sure), frozenset(possible))


def _between(
    heads: Sequence[SeenObject], first: frozenset[int], second: frozenset[int], view: View
) -> Meaning:
    """Return the objects between any of the first and any of the second, seen from above."""
    sure, possible = set(), set()
    for item in heads:
        pairs = ((a, b) for a in first for b in second if len({item.id, a, b}) == 3)
        for a, b in pairs:
            one, other = view.objects[a - 1], view.objects[b - 1]
            if _is_one_stack(item, one, view) or _is_one_stack(item, other, view):
                possible.add(item.id)
                continue
            angle = angle_between(item, one, other)
            if angle >= BETWEEN_ANGLE:
                sure.add(item.id)
            if angle > BESIDE_ANGLE:
                possible.add(item.id)
    return Meaning(frozenset(sure), frozenset(possible))


def angle_between(item: SeenObject, one: SeenObject, other: SeenObject) -> float:
    """Return the angle at an object between the directions to two others on the ground, in degrees.

    It is 180 on the straight line between them and 90 on the circle that they are opposite on.
    """
    first = math.atan2(one.away - item.away, one.right - item.right)
    second = math.atan2(other.away - item.away, other.right - item.right)
    turn = abs(math.degrees(first - second))
    return min(turn, 360 - turn)


def _related(
    relation: Relation | Support, heads: Sequence[SeenObject], anchors: Meaning, view: View
) -> Meaning:
    sure, possible = set(), set()
    for item in heads:
        for anchor_id in anchors.possible - {item.id}:
            anchor = view.objects[anchor_id - 1]
            if isinstance(relation, Support):
                difference, margin = _carries(relation, item, anchor, view), 1.0
            elif _is_one_stack(item, anchor, view):
                difference, margin = 0.0, 1.0
            else:
                difference, margin = _difference(relation, item, anchor, view)
            if difference >= margin and anchor_id in anchors.sure:
                sure.add(item.id)
            if difference > -margin:
                possible.add(item.id)
    return Meaning(frozenset(sure), frozenset(possible))


def _carries(relation: Support, item: SeenObject, anchor: SeenObject, view: View) -> float:
    """Return 1 if a support holds, -1 if not, 0 (unclear) if other objects are in between."""
    above, below = (item, anchor) if relation is Support.ON else (anchor, item)
    if above.support == below.id:
        return 1.0
    return 0.0 if below.id in _ids_below(above, view) else -1.0


def _is_one_stack(item: SeenObject, other: SeenObject, view: View) -> bool:
    """Return whether one of the objects stands on the other, directly or not.

    Left, right, behind, in front of, next to and between are then unclear.
    """
    return item.id in _ids_below(other, view) or other.id in _ids_below(item, view)


def _ids_below(item: SeenObject, view: View) -> set[int]:
    ids = set()
    while item.support is not None:
        ids.add(item.support)
        item = view.objects[item.support - 1]
    return ids


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
