"""Smooth paths through time: minimum-jerk legs, curves between two places, and their speeds."""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 30  # frames a second of every path and clip
_SHORTEST = 12  # frames of a leg: a shorter one would be a jerk
PEAK_OVER_MEAN = 1.875  # speed of a minimum-jerk leg halfway, over its mean speed


def minimum_jerk(progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the way, in [0, 1], at shares of the time; it starts and ends at rest.

    The path of a hand between two points: Flash & Hogan, The coordination of arm movements, Journal
    of Neuroscience 5 (1985), equation for the straight path of least jerk.
    """
    t = np.clip(progress, 0.0, 1.0)
    return t**3 * (10 - 15 * t + 6 * t**2)


def leg(frames: int, start: int, length: int) -> NDArray[np.float64]:
    """Return (frames,) shares of the way: 0 up to frame `start`, 1 from `start + length` on."""
    return minimum_jerk((np.arange(frames) - start) / length)


def frames_for(distance: float, peak_speed: float) -> int:
    """Return how many frames a minimum-jerk leg takes that is at most as fast as `peak_speed`.

    At least 0.4 s, however short the distance.

    distance, peak_speed: in any unit, and in that unit a second.
    """
    return max(_SHORTEST, int(np.ceil(RATE_HZ * PEAK_OVER_MEAN * distance / peak_speed)))


def bowed(
    start: NDArray[np.float64], end: NDArray[np.float64], bow: float, way: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the points (F, 2) of a quadratic curve from `start` to `end` (2,), each at `way` (F,).

    bow: how far its control point is to the left of the straight line, over that line's length.
    """
    across = np.array([start[1] - end[1], end[0] - start[0]])
    control = (start + end) / 2 + bow * across
    t = way[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def round_each_other(
    start: NDArray[np.float64],
    centre: NDArray[np.float64],
    angle: float,
    flattening: float,
    way: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the points (F, 2) of an arc of an ellipse about `centre` that begins at `start` (2,).

    angle: of the whole arc, in radians; positive is anticlockwise.
    flattening: the half axis across the line from `centre` to `start`, over that along it.
    """
    along = start - centre
    across = np.array([-along[1], along[0]])
    theta = angle * way[:, None]
    return centre + np.cos(theta) * along + flattening * np.sin(theta) * across


def top_speed(points: NDArray[np.float64]) -> float:
    """Return the largest distance between points (F, D) of two frames in a row, a second."""
    if len(points) < 2:
        return 0.0
    return float(RATE_HZ * np.linalg.norm(np.diff(points, axis=0), axis=1).max())
