"""Superlatives and ordinals: the chance of each candidate to have its place in an order.

Whether one object comes before another, and which objects are candidates at all, is taken for
independent.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.language.phrase import Order
from iterprime_ros.spatial.footprints import gaps_between
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.predicates import (
    APART_GAP,
    IMAGE_APART_GAP,
    IMAGE_NEAR_GAP,
    NEAR_GAP,
    Truths,
    above,
    behind,
    left_of,
)
from iterprime_ros.spatial.soft_truth import soft

SIZE_MARGIN = math.log(1.15)  # of the logarithm of a length; the ratio of docs/world.md
_THINNEST = 0.005  # in metres; what seems thinner is as thin as depth can tell

_IRRELEVANT, _RELEVANT = 0.1, 0.3  # of the best belief; a candidate below the first is none


def precedence(order: Order, measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how surely i comes before j in an order from the camera's view.

    For MIDDLE it is the order from the left.
    """
    compare, is_reversed = _COMPARISONS[order]
    truths = compare(measured)
    return truths.T if is_reversed else truths


def nearness(measured: Measurements) -> NDArray[np.float64]:
    """Return (K, K, K): [a, i, j] is how surely i is nearer to a than j is."""
    known = measured.is_metric

    def nearer(gaps: NDArray[np.float64], margin: float) -> Truths:
        return soft(gaps[:, None, :] - gaps[:, :, None], margin)

    return np.where(
        known[:, None, None] & known[:, None] & known,
        nearer(gaps_between(measured.footprint), APART_GAP - NEAR_GAP),
        nearer(gaps_between(measured.image_footprint), IMAGE_APART_GAP - IMAGE_NEAR_GAP),
    )


def relevant(beliefs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return beliefs (..., K) in which what is hardly a candidate beside the best is none.

    Thirty objects that are a mug with 3 % each are not one mug, which the product over all that
    could come first would make of them.
    """
    best = beliefs.max(axis=-1, keepdims=True, initial=np.finfo(float).tiny)
    return beliefs * np.clip((beliefs / best - _IRRELEVANT) / (_RELEVANT - _IRRELEVANT), 0, 1)


def rank_chances(
    beliefs: NDArray[np.float64], before: Truths, rank: int, count: int = 1
) -> NDArray[np.float64]:
    """Return (K,) the chance that rank - 1 to rank + count - 2 candidates come before each.

    beliefs: (K,) in [0, 1], that an object is a candidate.
    before: (K, K) in [0, 1]: [i, j] that i comes before j.
    rank: from 1.
    count: how many objects are meant, from the one of that rank on.

    The number of candidates before one is Poisson binomial; its distribution is built up candidate
    by candidate.
    """
    chances = beliefs[:, None] * before
    np.fill_diagonal(chances, 0)
    most = rank + count - 1
    number = np.zeros((most, len(beliefs)))  # [n, i]: that n come before i
    number[0] = 1
    for chance in chances:
        added = number * (1 - chance)
        added[1:] += number[:-1] * chance
        number = added
    return number[rank - 1 :].sum(axis=0)


def middle_chances(beliefs: NDArray[np.float64], before: Truths) -> NDArray[np.float64]:
    """Return (K,) the chance that as many candidates come before each as after it.

    Of an even number of candidates both in the middle have half a chance.

    beliefs: (K,) in [0, 1], that an object is a candidate.
    before: (K, K) in [0, 1]: [i, j] that i comes before j.
    """
    count = len(beliefs)
    excess = np.zeros((2 * count + 1, count))  # [count + d, i]: that d more come before than after
    excess[count] = 1
    first, last = beliefs[:, None] * before, beliefs[:, None] * before.T
    np.fill_diagonal(first, 0)
    np.fill_diagonal(last, 0)
    for earlier, later in zip(first, last, strict=True):
        moved = excess * (1 - earlier - later)
        moved[1:] += excess[:-1] * earlier
        moved[:-1] += excess[1:] * later
        excess = moved
    if not count:
        return np.zeros(0)
    return excess[count] + (excess[count - 1] + excess[count + 1]) / 2


def _larger(measured: Measurements) -> Truths:
    """Compare the cube root of the volume, or the square root of the area in the image."""
    volume = np.log(np.maximum(measured.size, _THINNEST)).mean(axis=1)
    return _compared(measured, volume, np.log(measured.area) / 2)


def _taller(measured: Measurements) -> Truths:
    height = np.log(np.maximum(measured.size[:, 2], _THINNEST))
    return _compared(measured, height, np.log(measured.box[:, 3] - measured.box[:, 1]))


def _compared(
    measured: Measurements, in_space: NDArray[np.float64], in_image: NDArray[np.float64]
) -> Truths:
    known = measured.is_metric[:, None] & measured.is_metric
    difference = np.where(
        known, in_space[:, None] - in_space[None], in_image[:, None] - in_image[None]
    )
    truths = soft(difference, SIZE_MARGIN)
    np.fill_diagonal(truths, 0)
    return truths


_COMPARISONS: dict[Order, tuple[Callable[[Measurements], Truths], bool]] = {
    Order.LEFTMOST: (left_of, False),
    Order.MIDDLE: (left_of, False),
    Order.RIGHTMOST: (left_of, True),
    Order.TOPMOST: (above, False),
    Order.BOTTOMMOST: (above, True),
    Order.CLOSEST: (behind, True),
    Order.FARTHEST: (behind, False),
    Order.BIGGEST: (_larger, False),
    Order.SMALLEST: (_larger, True),
    Order.TALLEST: (_taller, False),
    Order.SHORTEST: (_taller, True),
}
