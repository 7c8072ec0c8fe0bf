"""Which candidate a noun phrase means: its match, times the truth of each of its constraints."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    Relation,
    RelationConstraint,
    SideConstraint,
    Superlative,
)
from iterprime_ros.language.word_lists import SURFACES, VIEWERS
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.predicates import BINARY, between, on_side
from iterprime_ros.spatial.superlatives import (
    middle_chances,
    nearness,
    precedence,
    rank_chances,
    relevant,
)
from iterprime_ros.spatial.words import Constraint, noun_of

_SCENE_NOUNS = {Relation.ON: SURFACES, Relation.IN_FRONT_OF: VIEWERS}

# "Left of the mugs" is left of all of them; "next to the mugs" is next to any.
_DIRECTIONS = {
    Relation.LEFT_OF,
    Relation.RIGHT_OF,
    Relation.ABOVE,
    Relation.BELOW,
    Relation.BEHIND,
    Relation.IN_FRONT_OF,
}

Chances = NDArray[np.float64]
Match = Callable[[str], Chances] | Mapping[str, Chances]


@dataclass(frozen=True)
class Factor:
    """One constraint of a noun phrase, judged for each of K candidates.

    constraint: a part of the phrase.
    chances: (K,) float64 in [0, 1], that it holds; of a superlative, among the candidates that
        fulfil the other constraints.
    anchors: the reasoning about each anchor, in the order of the constraint.
    best_anchors: (K, len(anchors)) int64, the candidates that serve each candidate best as anchors;
        -1 where there is no other candidate.
    """

    constraint: Constraint
    chances: Chances
    anchors: tuple['Reasoning', ...] = ()
    best_anchors: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Reasoning:
    """A noun phrase judged for each of K candidates.

    phrase: the noun phrase.
    match: (K,) float64 in [0, 1], that the candidate is what the phrase's text says.
    excluded: (K,) float64 in [0, 1], that it is nothing that the phrase excludes.
    factors: one for each constraint: sides, relations, superlatives.
    beliefs: (K,) float64 in [0, 1], the product of all of these.
    """

    phrase: NounPhrase
    match: Chances
    excluded: Chances
    factors: tuple[Factor, ...]
    beliefs: Chances

    @property
    def heads(self) -> Chances:
        """(K,) that the candidate is what the phrase says without its constraints."""
        return self.match * self.excluded

    def all(self) -> Iterator['Reasoning']:
        """Yield this reasoning and those about all anchors in it, outer ones first."""
        yield self
        for factor in self.factors:
            for anchor in factor.anchors:
                yield from anchor.all()


def reason(phrase: NounPhrase, match: Match, measured: Measurements) -> Reasoning:
    """Return how well each of K candidates fits a noun phrase.

    match: gives for each of `phrase.texts()` the chances (K,) in [0, 1] that the candidates are
        what it says.
    measured: the K candidates.

    The belief in candidate i is p(i) * prod (1 - p_excluded(i)) * prod sides(i) * prod over the
    relations of max over j != i of R(i, j) * belief in j as anchor (of pairs for BETWEEN; 1
    minus it if negated; all of several anchors in a direction: "left of the mugs") * prod over
    the superlatives of the chance that i has its place among the candidates, which exist with
    the belief so far: "the leftmost mug behind the plate" is the leftmost of those behind it. A
    relation to the scene itself ("on the table") holds in so far as no candidate is what its
    anchor says. The maximum, other than 1 - prod (1 - ...), does not make one certain anchor of
    many unlikely ones. In superlatives candidates far below the best do not count; see
    `superlatives.relevant`.
    """
    look_up = match if callable(match) else match.__getitem__
    matches = np.asarray(look_up(phrase.text), np.float64)
    excluded = np.ones(measured.count)
    for text in phrase.excluded:
        excluded *= 1 - np.asarray(look_up(text), np.float64)
    factors = [_side_factor(each, measured) for each in phrase.sides]
    factors += [_relation_factor(each, match, measured) for each in phrase.relations]
    beliefs = matches * excluded
    for factor in factors:
        beliefs = beliefs * factor.chances
    count = phrase.count if phrase.is_plural and phrase.count else 1
    ordered = [_order_factor(s, beliefs, count, match, measured) for s in phrase.superlatives]
    for factor in ordered:
        beliefs = beliefs * factor.chances
    return Reasoning(phrase, matches, excluded, (*factors, *ordered), beliefs)


def is_to_scene(constraint: Constraint) -> bool:
    """Whether a constraint holds of all that is seen where its anchor is not a candidate itself.

    "On the table" and "in front of the camera" are such.
    """
    if not isinstance(constraint, RelationConstraint):
        return False
    nouns = _SCENE_NOUNS.get(constraint.relation, frozenset())
    return noun_of(constraint.anchors[0].text) in nouns


def _side_factor(constraint: SideConstraint, measured: Measurements) -> Factor:
    truths = on_side(measured, constraint.side)
    return Factor(constraint, 1 - truths if constraint.is_negated else truths)


def _relation_factor(
    constraint: RelationConstraint, match: Match, measured: Measurements
) -> Factor:
    anchors = tuple(reason(anchor, match, measured) for anchor in constraint.anchors)
    count = measured.count
    if constraint.relation is Relation.BETWEEN:
        first, second = (anchor.beliefs for anchor in anchors)
        chances = between(measured) * first[:, None] * second
        others = ~np.eye(count, dtype=bool)
        possible = others[:, :, None] & others[:, None] & others
    else:
        truths = BINARY[constraint.relation](measured)
        chances = truths * anchors[0].beliefs
        possible = ~np.eye(count, dtype=bool)
    best, which = _best(chances, possible)
    if anchors[0].phrase.is_plural and constraint.relation in _DIRECTIONS:
        best = _to_all(truths, anchors[0].beliefs)
    if is_to_scene(constraint):
        # Of "on the table left of the plate" the rest is then said of the candidate.
        of_scene = np.full(count, 1 - anchors[0].heads.max(initial=0.0))
        for factor in anchors[0].factors:
            if not isinstance(factor.constraint, Superlative):
                of_scene = of_scene * factor.chances
        which = np.where((best < of_scene)[:, None], -1, which)
        best = best + of_scene
    return Factor(constraint, 1 - best if constraint.is_negated else best, anchors, which)


def _to_all(truths: NDArray[np.float64], beliefs: Chances) -> Chances:
    """Return (K,): how surely a relation holds to all anchors, to none of which i belongs.

    truths: (K, K), [i, j] is how far it holds between i and j.
    beliefs: (K,), that a candidate is one of the anchors.
    """
    missed = beliefs * (1 - truths)
    np.fill_diagonal(missed, beliefs)
    others = np.where(np.eye(len(beliefs), dtype=bool), 0.0, beliefs)
    exists: Chances = others.max(axis=1, initial=0.0)
    return exists * (1 - missed).prod(axis=1)


def _order_factor(
    superlative: Superlative,
    beliefs: Chances,
    count: int,
    match: Match,
    measured: Measurements,
) -> Factor:
    """Return the factor of a superlative among candidates with their beliefs (K,) so far."""
    candidates = relevant(beliefs)
    # A candidate that does not count for the others has no place in the order either.
    counting = np.divide(candidates, beliefs, out=np.zeros_like(beliefs), where=beliefs > 0)
    if superlative.order is Order.MIDDLE:
        before = precedence(superlative.order, measured)
        return Factor(superlative, counting * middle_chances(candidates, before))
    if superlative.anchor is None:
        before = precedence(superlative.order, measured)
        chances = rank_chances(candidates, before, superlative.rank, count)
        return Factor(superlative, counting * chances)
    anchor = reason(superlative.anchor, match, measured)
    nearer = nearness(measured)
    chances = np.zeros((measured.count, measured.count))
    for index, belief in enumerate(anchor.beliefs):
        others = np.where(np.arange(measured.count) == index, 0.0, candidates)
        before = nearer[index] if superlative.order is Order.CLOSEST else nearer[index].T
        chances[:, index] = belief * rank_chances(others, before, superlative.rank, count)
    best, which = _best(chances, ~np.eye(measured.count, dtype=bool))
    return Factor(superlative, counting * best, (anchor,), which)


def _best(
    chances: NDArray[np.float64], possible: NDArray[np.bool_]
) -> tuple[Chances, NDArray[np.int64]]:
    """Return the largest of chances (K, ...) for each candidate, and its indices (K, ...)."""
    count = len(chances)
    if not count:
        return np.zeros(0), np.zeros((0, chances.ndim - 1), np.int64)
    allowed = np.where(possible, chances, -1.0).reshape(count, -1)
    best = allowed.argmax(axis=1)
    values = allowed[np.arange(count), best]
    where = np.stack(np.unravel_index(best, chances.shape[1:]), axis=1).astype(np.int64)
    return np.maximum(values, 0), np.where(values[:, None] < 0, -1, where)
