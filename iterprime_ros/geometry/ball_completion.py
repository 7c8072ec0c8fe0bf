"""The hidden side of something round that lies on a plane, as balls that fill it.

A thing whose far side no mirror shows, as that of a banana that is seen from its end, is taken for
round where its ridge is: there a ball reaches from the plane to the ridge. Unions of balls stand
for shapes in grasping since Przybylski, Asfour and Dillmann, "Unions of balls for shape
approximation in robot grasping", IROS 2010.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.geometry.depth_view import DepthView, distance_behind
from iterprime_ros.geometry.table_frame import TableFrame

_CELL = 0.004  # m
_RIDGE = 5  # cells, of a square whose highest is on the ridge
_LOWER = 0.001  # m below that, on the ridge, too, and above others, of which a level top has none
_TOLERANCE = 0.003  # m, and
_SIGMAS = 3.0  # of the noise: how far a ball may be in front of what is seen
_WRONG = 0.1  # share of a ball's points that may be
_POINTS = 48  # of a ball


def balls(
    points: NDArray[np.floating], view: DepthView, frame: TableFrame, noise: float
) -> NDArray[np.float64]:
    """Return points (M, 3) on balls below the ridge of an object, without what cannot be there.

    points: (N, 3) of its visible surface in the table frame, N at least 1.
    view: what the camera sees.
    frame: the table frame.
    noise: standard deviation of a depth, in metres.
    """
    low = points[:, :2].min(axis=0)
    index = ((points[:, :2] - low) / _CELL).astype(np.intp)
    heights = np.zeros(index.max(axis=0) + 1, points.dtype)
    np.maximum.at(heights, tuple(index.T), points[:, 2])
    highest = ndimage.maximum_filter(heights, _RIDGE, mode='constant')
    seen = np.where(heights > 0, heights, np.inf)
    is_round = ndimage.minimum_filter(seen, _RIDGE, mode='constant', cval=np.inf) < highest - _LOWER
    ridge = np.argwhere((heights >= highest - _LOWER) & is_round & (heights > 0))
    radii = heights[tuple(ridge.T)] / 2
    centres = np.column_stack([low + (ridge + 0.5) * _CELL, radii])
    on_balls = centres[:, None] + radii[:, None, None] * _sphere(_POINTS)
    is_wrong = distance_behind(on_balls, view, frame)[0] < -(_TOLERANCE + _SIGMAS * noise)
    is_possible = is_wrong.mean(axis=1) <= _WRONG
    return on_balls[is_possible][~is_wrong[is_possible]]


def _sphere(count: int) -> NDArray[np.float64]:
    """Return points (count, 3), evenly spread over a sphere of radius 1 along a spiral."""
    z = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
