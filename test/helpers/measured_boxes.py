"""Measurements of objects whose masks are boxes, seen by a camera that looks along a table."""

import numpy as np

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.spatial.measurements import measure

HEIGHT, WIDTH = 48, 64
PINHOLE = Pinhole(60.0, 60.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)
_TABLE_ROW, _CAMERA_HEIGHT = 10, 0.4  # the row of the horizon, and metres above the table


def masks_of(boxes):
    """Return masks (K, HEIGHT, WIDTH) of boxes (left, top, right, bottom), ends excluded."""
    masks = np.zeros((len(boxes), HEIGHT, WIDTH), bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return masks


def depth_of(boxes, distances):
    """Return depth (HEIGHT, WIDTH) of a table with an upright board for each box on it.

    distances: of the boards along the optical axis, in metres; the nearest hides the others.
    """
    below = np.maximum(np.arange(HEIGHT) - _TABLE_ROW, 1)
    depth = np.repeat(_CAMERA_HEIGHT * PINHOLE.fy / below[:, None], WIDTH, axis=1)
    for mask, distance in zip(masks_of(boxes), distances, strict=True):
        depth[mask] = np.minimum(depth[mask], distance)
    return depth.astype(np.float32)


def measured(boxes, distances=None):
    depth = None if distances is None else depth_of(boxes, distances)
    return measure(masks_of(boxes), depth, PINHOLE)
