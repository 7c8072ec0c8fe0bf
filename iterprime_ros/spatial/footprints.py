"""Convex outlines on a plane as support functions, and the gaps between them.

The support function of an outline is the largest coordinate of its points along each of
DIRECTION_COUNT directions of unit length, evenly spread over the circle.
"""

import numpy as np
from numpy.typing import NDArray

DIRECTION_COUNT = 24  # at 15 degrees; a distance comes out short by 1 in 100 at most

_ANGLES = 2 * np.pi * np.arange(DIRECTION_COUNT) / DIRECTION_COUNT
DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # (DIRECTION_COUNT, 2)


def support_of_points(points: NDArray[np.float64], trimmed: float = 0.0) -> NDArray[np.float64]:
    """Return the support function (DIRECTION_COUNT,) of the convex hull of points (N, 2).

    trimmed: share of the points that may lie outside at either end of a direction.

    It is NaN without points.
    """
    if not len(points):
        return np.full(DIRECTION_COUNT, np.nan)
    half = DIRECTION_COUNT // 2
    along = np.sort(points @ DIRECTIONS[:half].T, axis=0)
    outside = int(trimmed * len(points))
    return np.concatenate([along[len(points) - 1 - outside], -along[outside]])


def support_of_ellipses(
    centres: NDArray[np.float64], half_sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the support functions (K, DIRECTION_COUNT) of ellipses along the axes.

    centres, half_sizes: (K, 2).
    """
    return centres @ DIRECTIONS.T + np.sqrt(half_sizes**2 @ DIRECTIONS.T**2)


def centres_of(supports: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centres (K, 2) of the boxes round support functions (K, DIRECTION_COUNT)."""
    quarter = DIRECTION_COUNT // 4
    high, low = supports[:, [0, quarter]], -supports[:, [2 * quarter, 3 * quarter]]
    return (high + low) / 2


def sizes_of(supports: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sides (K, 2) of the smallest rectangles round support functions, longer first.

    supports: (K, DIRECTION_COUNT). A rectangle's sides are along directions.
    """
    half, quarter = DIRECTION_COUNT // 2, DIRECTION_COUNT // 4
    widths = supports[:, :half] + supports[:, half:]
    across = np.roll(widths, -quarter, axis=1)
    best = np.nan_to_num(widths * across).argmin(axis=1)
    index = np.arange(len(supports))
    return -np.sort(-np.stack([widths[index, best], across[index, best]], axis=1), axis=1)


def gaps_between(supports: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances (K, K) between outlines; negative where they overlap, by how deep.

    supports: (K, DIRECTION_COUNT). The distance of two convex sets is the largest separation along
    any direction.
    """
    opposite = np.roll(supports, DIRECTION_COUNT // 2, axis=1)
    return (-supports[:, None] - opposite[None]).max(axis=2)
