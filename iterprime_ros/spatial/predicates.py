"""Spatial relations between measured objects, as soft truths in [0, 1].

A truth is the logistic function of a difference over its margin: at the margin it is 0.95, at none
0.5. It comes from space where both objects have a position in metres, and from the image
otherwise.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.language.phrase import Relation, Side
from iterprime_ros.spatial.footprints import centres_of, gaps_between
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.soft_truth import soft

Truths = NDArray[np.float64]

# Margins of docs/world.md, where people who look at the simulated table begin to differ:
COLUMN_MARGIN = 0.05  # in image heights
ROW_MARGIN = 0.05  # in image heights, as for columns
DEPTH_MARGIN = 0.04  # in metres
NEAR_GAP, APART_GAP = 0.04, 0.09  # in metres; next to up to the first, not from the second on
# Their likeness in the image, in the units of image_geometry, at the simulator's mean distance of
# 0.58 m and height of 0.45 m of the camera:
IMAGE_DEPTH_MARGIN = 0.07  # of the depth
IMAGE_NEAR_GAP, IMAGE_APART_GAP = 0.09, 0.20  # camera heights
# Chosen here, by what they are for:
OVERLAP_MARGIN = 0.01  # in metres; the error of a footprint
HEIGHT_MARGIN = 0.01  # in metres; the error of a height
CONTACT_GAP = 0.03  # in metres, between the base of an object and the top of what it is on
SMALLER_ON_LARGER = 0.1  # metres of height for each metre that an object is shorter
BETWEEN_ANGLE, BESIDE_ANGLE = 140.0, 100.0  # in degrees, at which an object sees two others;
# from the first it is between them, up to the second not, as in docs/world.md


def left_of(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far i is left of j in the image."""
    return _of_two(soft(-_differences(measured.centre[:, 0]), COLUMN_MARGIN))


def right_of(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far i is right of j in the image."""
    return left_of(measured).T


def above(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far i is above j in the image."""
    return _of_two(soft(-_differences(measured.centre[:, 1]), ROW_MARGIN))


def below(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far i is below j in the image."""
    return above(measured).T


def behind(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far the centre of i is deeper than that of j."""
    in_space = soft(_differences(measured.position[:, 2]), DEPTH_MARGIN)
    in_image = soft(_differences(np.log(measured.image_depth)), IMAGE_DEPTH_MARGIN)
    return _of_two(_metric_or(measured, in_space, in_image))


def in_front_of(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how far the centre of i is less deep than that of j."""
    return behind(measured).T


def next_to(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how near the footprints of i and j are."""
    in_space = _near(gaps_between(measured.footprint), NEAR_GAP, APART_GAP)
    in_image = _near(gaps_between(measured.image_footprint), IMAGE_NEAR_GAP, IMAGE_APART_GAP)
    return _of_two(_metric_or(measured, in_space, in_image))


def on(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how surely i rests on j, or in it.

    In space the footprints overlap, and either the base of i is near the top of j and its middle is
    above j's (of two plates in one another the smaller one is on the larger), or it looks so in the
    image, since a mask of j that covers a little of i makes j as high as that. For the image see
    image_geometry.resting_in_image.
    """
    rank = (measured.base + measured.top) / 2 - SMALLER_ON_LARGER * measured.size[:, 0]
    contact = np.abs(measured.base[:, None] - measured.top)
    touches = soft(CONTACT_GAP - contact, HEIGHT_MARGIN) * soft(_differences(rank), HEIGHT_MARGIN)
    in_space = _footprints_overlap(measured) * np.maximum(touches, measured.image_resting)
    return _of_two(_metric_or(measured, in_space, measured.image_resting))


def under(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how surely j rests on i."""
    return on(measured).T


def contained(measured: Measurements) -> Truths:
    """Return (K, K): [i, j] is how surely i is in j.

    It is on j, or its box in the image is inside j's and, in space, their footprints overlap.
    """
    left, top, right, bottom = measured.box.T
    inside = np.minimum.reduce(
        [
            left[:, None] - left[None],
            top[:, None] - top[None],
            right[None] - right[:, None],
            bottom[None] - bottom[:, None],
        ]
    )
    is_inside = soft(inside, COLUMN_MARGIN / 2)
    in_space = is_inside * _footprints_overlap(measured)
    return _of_two(np.maximum(on(measured), _metric_or(measured, in_space, is_inside)))


def between(measured: Measurements) -> Truths:
    """Return (K, K, K): [i, j, k] is how surely i is between j and k, seen from above."""
    in_space = _between(centres_of(measured.footprint))
    in_image = _between(centres_of(measured.image_footprint))
    known = measured.is_metric
    are_known = known[:, None, None] & known[:, None] & known
    truths = np.where(are_known, in_space, in_image)
    index = np.arange(measured.count)
    truths[index, index, :] = truths[index, :, index] = truths[:, index, index] = 0
    return truths


def on_side(measured: Measurements, side: Side) -> Truths:
    """Return (K,): how far each object is in a half of the image."""
    x, y = measured.centre.T
    match side:
        case Side.LEFT:
            return soft(-x, COLUMN_MARGIN)
        case Side.RIGHT:
            return soft(x, COLUMN_MARGIN)
        case Side.TOP:
            return soft(-y, ROW_MARGIN)
        case Side.BOTTOM:
            return soft(y, ROW_MARGIN)


BINARY: dict[Relation, Callable[[Measurements], Truths]] = {
    Relation.LEFT_OF: left_of,
    Relation.RIGHT_OF: right_of,
    Relation.ABOVE: above,
    Relation.BELOW: below,
    Relation.BEHIND: behind,
    Relation.IN_FRONT_OF: in_front_of,
    Relation.NEXT_TO: next_to,
    Relation.ON: on,
    Relation.UNDER: under,
    Relation.IN: contained,
}


def _differences(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (K, K): [i, j] is values[i] - values[j]."""
    return values[:, None] - values[None]


def _footprints_overlap(measured: Measurements) -> Truths:
    return soft(-gaps_between(measured.footprint) - OVERLAP_MARGIN, OVERLAP_MARGIN)


def _near(gaps: NDArray[np.float64], near: float, apart: float) -> Truths:
    return soft((near + apart) / 2 - gaps, (apart - near) / 2)


def _between(centres: NDArray[np.float64]) -> Truths:
    towards = centres[None] - centres[:, None]
    lengths = np.maximum(np.linalg.norm(towards, axis=2, keepdims=True), np.finfo(float).tiny)
    directions = towards / lengths
    cosines = np.einsum('ijc,ikc->ijk', directions, directions)
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return soft(angles - (BETWEEN_ANGLE + BESIDE_ANGLE) / 2, (BETWEEN_ANGLE - BESIDE_ANGLE) / 2)


def _metric_or(measured: Measurements, in_space: Truths, in_image: Truths) -> Truths:
    known = measured.is_metric
    return np.where(known[:, None] & known[None], in_space, in_image)


def _of_two(truths: Truths) -> Truths:
    """Return truths (K, K) with 0 for an object and itself."""
    np.fill_diagonal(truths, 0)
    return truths
