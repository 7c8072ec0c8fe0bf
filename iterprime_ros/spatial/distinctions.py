"""What one of several candidates is and the others are not: "the one left of the plate"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.language.phrase import Order, Relation, RelationConstraint, Superlative
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.predicates import left_of
from iterprime_ros.spatial.reasoner import Reasoning
from iterprime_ros.spatial.superlatives import (
    middle_chances,
    precedence,
    rank_chances,
    relevant,
)
from iterprime_ros.spatial.words import superlative_name

CLEAR = 0.8  # truth from which a difference is worth saying
_LIKELY = 0.5  # chance from which a candidate counts as being something
# What is said of a candidate is enough to find it where no other one keeps more than this share of
# its belief; the margin of a profile, from which answers are ambiguous, is at most about as wide.
_DECISIVE = 0.3
_NOWHERE = (0, 0)  # the span of a constraint that stands in no expression
# What people name first, and how; (first, second) in the order, and the order from its other end.
_DIFFERENCES = {
    Order.LEFTMOST: ('farther left', 'farther right', Order.RIGHTMOST),
    Order.CLOSEST: ('nearer', 'farther away', Order.FARTHEST),
    Order.TOPMOST: ('higher up in the image', 'lower down', Order.BOTTOMMOST),
    Order.BIGGEST: ('bigger', 'smaller', Order.SMALLEST),
    Order.TALLEST: ('taller', 'shorter', Order.SHORTEST),
}
_EXTREMES = {
    Order.LEFTMOST: 'farthest left',
    Order.RIGHTMOST: 'farthest right',
    Order.CLOSEST: 'nearest',
    Order.FARTHEST: 'farthest away',
    Order.BIGGEST: 'biggest',
    Order.SMALLEST: 'smallest',
    Order.TALLEST: 'tallest',
    Order.SHORTEST: 'shortest',
}
_PAIR, _THREE = 2, 3


@dataclass(frozen=True)
class Distinction:
    """What tells a candidate from others.

    index: of the candidate.
    words: what follows "one": "on the left", "nearer", "left of the plate".
    constraint: the same as a part of a noun phrase, with the span (0, 0).
    """

    index: int
    words: str
    constraint: Superlative | RelationConstraint


def distinctions(
    reasoning: Reasoning, several: Sequence[int], measured: Measurements
) -> tuple[Distinction, ...]:
    """Return what tells candidates apart, one for each of them; nothing where nothing does.

    several: their indices, at least two.

    Of the ways to tell them apart the first is taken that would be enough to find each of them
    among all candidates, with the constraint in the place of the phrase's superlatives and beside
    its other constraints; where none would, the first that is clear among the several alone.
    """
    ways = list(_ways(reasoning, several, measured))
    for way in ways:
        if all(_is_enough(each, reasoning, measured) for each in way):
            return way
    return ways[0] if ways else ()


def counted_from(found: Sequence[Distinction]) -> str:
    """Return where distinctions count from, 'left' or 'right'; '' where they do not count."""
    counted = [
        each.constraint.order
        for each in found
        if isinstance(each.constraint, Superlative) and each.constraint.rank > 1
    ]
    return {Order.LEFTMOST: 'left', Order.RIGHTMOST: 'right'}[counted[0]] if counted else ''


def firsts(several: Sequence[int], measured: Measurements) -> dict[Order, int]:
    """Return for each order the one of several candidates that clearly comes first in it."""
    found: dict[Order, int] = {}
    for order in Order:
        if order is Order.MIDDLE:
            continue
        truths = precedence(order, measured)
        for k in several:
            if all(truths[k, other] >= CLEAR for other in several if other != k):
                found[order] = k
    return found


def _ways(
    reasoning: Reasoning, several: Sequence[int], measured: Measurements
) -> Iterator[tuple[Distinction, ...]]:
    if len(several) == _PAIR:
        yield from _beside_landmarks(reasoning, several, measured)
        yield from _by_order(several, measured)
    in_order = sorted(several, key=lambda k: measured.centre[k, 0])
    truths = left_of(measured)
    if min(truths[a, b] for a, b in pairwise(in_order)) >= CLEAR:
        yield from _in_a_row(reasoning, in_order, measured)
    if len(several) > _PAIR:
        yield from _by_extremes(in_order, measured)


def _in_a_row(
    reasoning: Reasoning, in_order: Sequence[int], measured: Measurements
) -> Iterator[tuple[Distinction, ...]]:
    """Yield the places of candidates that stand clearly beside each other, from the left."""
    if len(in_order) == _THREE:
        orders = (Order.LEFTMOST, Order.MIDDLE, Order.RIGHTMOST)
        words = ('on the left', 'in the middle', 'on the right')
        yield tuple(
            Distinction(k, text, Superlative(order, _NOWHERE))
            for k, text, order in zip(in_order, words, orders, strict=True)
        )
    yield from _counted(reasoning, in_order, measured)


def _beside_landmarks(
    reasoning: Reasoning, pair: Sequence[int], measured: Measurements
) -> Iterator[tuple[Distinction, ...]]:
    truths = left_of(measured)
    for index, anchor in _landmarks(reasoning).items():
        for one, other in (pair, pair[::-1]):
            if index not in pair and min(truths[one, index], truths[index, other]) >= CLEAR:
                yield tuple(
                    Distinction(
                        k,
                        f'{relation.value} the {anchor.phrase.text}',
                        RelationConstraint(relation, _NOWHERE, (anchor.phrase,)),
                    )
                    for k, relation in ((one, Relation.LEFT_OF), (other, Relation.RIGHT_OF))
                )


def _landmarks(reasoning: Reasoning) -> dict[int, Reasoning]:
    """Return the anchors of the phrase that are certain, by the candidate that each is."""
    landmarks = {}
    for factor in reasoning.factors:
        for anchor in factor.anchors:
            certain = np.flatnonzero(anchor.beliefs >= _LIKELY)
            if len(certain) == 1:
                landmarks[int(certain[0])] = anchor
    return landmarks


def _by_order(pair: Sequence[int], measured: Measurements) -> Iterator[tuple[Distinction, ...]]:
    """Yield the clear differences of two candidates, each with the one that comes first first."""
    x = measured.centre[list(pair), 0]
    for order, (former, latter, reverse) in _DIFFERENCES.items():
        truths = precedence(order, measured)
        one, other = max((pair, pair[::-1]), key=lambda each: truths[each[0], each[1]])
        if truths[one, other] < CLEAR:
            continue
        if order is Order.LEFTMOST and x.min() < 0 < x.max():
            former, latter = 'on the left', 'on the right'
        yield (
            Distinction(one, former, Superlative(order, _NOWHERE)),
            Distinction(other, latter, Superlative(reverse, _NOWHERE)),
        )


def _by_extremes(
    several: Sequence[int], measured: Measurements
) -> Iterator[tuple[Distinction, ...]]:
    """Yield for each candidate an order in which it comes first."""
    first = firsts(several, measured)
    orders = {k: [order for order in _EXTREMES if first.get(order) == k] for k in several}
    if all(orders.values()):
        yield tuple(
            Distinction(k, _EXTREMES[found[0]], Superlative(found[0], _NOWHERE))
            for k, found in orders.items()
        )


def _counted(
    reasoning: Reasoning, in_order: Sequence[int], measured: Measurements
) -> Iterator[tuple[Distinction, ...]]:
    """Yield the places of candidates in the row of all that are likely to be what the phrase says.

    in_order: from the left.
    """
    base = _without_superlatives(reasoning)
    row = [k for k in range(measured.count) if k in in_order or base[k] >= _LIKELY]
    row.sort(key=lambda k: measured.centre[k, 0])
    for order, side, counted in (
        (Order.LEFTMOST, 'left', row),
        (Order.RIGHTMOST, 'right', row[::-1]),
    ):
        ranks = [(k, rank) for rank, k in enumerate(counted, start=1) if k in in_order]
        superlatives = [(k, Superlative(order, _NOWHERE, rank)) for k, rank in ranks]
        yield tuple(
            Distinction(k, superlative_name(s) if s.rank > 1 else f'farthest {side}', s)
            for k, s in superlatives
        )


def _without_superlatives(reasoning: Reasoning) -> NDArray[np.float64]:
    beliefs = reasoning.heads
    for factor in reasoning.factors:
        if not isinstance(factor.constraint, Superlative):
            beliefs = beliefs * factor.chances
    return beliefs


def _is_enough(found: Distinction, reasoning: Reasoning, measured: Measurements) -> bool:
    """Whether a phrase with a distinction would mean its candidate, and no other."""
    base = _without_superlatives(reasoning)
    beliefs = base * _chances(found.constraint, base, _landmarks(reasoning), measured)
    others = np.delete(beliefs, found.index)
    best = beliefs[found.index]
    return bool(best > 0 and others.max(initial=0.0) <= _DECISIVE * best)


def _chances(
    constraint: Superlative | RelationConstraint,
    base: NDArray[np.float64],
    landmarks: Mapping[int, Reasoning],
    measured: Measurements,
) -> NDArray[np.float64]:
    """Return (K,) how surely a constraint of a distinction holds, of candidates with beliefs."""
    if isinstance(constraint, RelationConstraint):
        truths = left_of(measured)
        if constraint.relation is Relation.RIGHT_OF:
            truths = truths.T
        anchor = constraint.anchors[0]
        return truths[:, next(k for k, each in landmarks.items() if each.phrase == anchor)]
    candidates, before = relevant(base), precedence(constraint.order, measured)
    if constraint.order is Order.MIDDLE:
        return middle_chances(candidates, before)
    return rank_chances(candidates, before, constraint.rank)
