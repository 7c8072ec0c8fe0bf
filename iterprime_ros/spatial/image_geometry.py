"""Where objects are on a table, from their boxes in the image alone.

A camera is assumed that looks down on the table: nothing here is in metres, but the order of depths
and the ratios of distances come out about right. The unit is the height of the camera above the
table.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.spatial.footprints import DIRECTIONS, support_of_ellipses, support_of_points
from iterprime_ros.spatial.mask_points import MaskPoints
from iterprime_ros.spatial.soft_truth import soft

# The middle of what sim.scene samples (0.5 to 1.15 rad, 40 to 50 degrees): a robot's camera.
_ELEVATION = 0.8  # in radians, of the optical axis below the horizon
_FOCAL = 1.2  # in image heights
_HORIZON = 0.15  # least sine of the angle between a ray and the table
_HIGHEST = 0.8  # camera heights; what seems higher is not
_LEVELS = 3  # of objects on objects
_LIKELY = 0.5  # truth from which an object is taken to rest on another
# Margins that tell the stacked from the hidden in scenes of sim.scene.World.STACKED and CLUTTER:
_SIDE_MARGIN = 0.05  # in image heights
_CONTACT_GAP = 0.03  # in image heights, from the lower end of an object to the box it rests in
_HIDDEN = 0.03  # of the smaller object's area, that it must hide or be hidden by
_LIES_IN = 0.8  # of its area, that is in the outline of what an object lies in
_DEEPEST_TOP = 0.75  # of an object's width: extent of its top in the image, seen from 50 degrees
_COVERING = 0.7  # of an object's width, from which what is on it hides the far end of its top
_ROUNDING = 1e-6


def overlaps_of(points: MaskPoints, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (K, K): [i, j] in [-1, 1] is how far i hides j rather than j hides i.

    points: of the K masks, which cover what is seen of the objects.
    boxes: (K, 4) left, top, right, bottom of them.

    What is hidden by an object has a bite where the object is: pixels of the object lie in its
    convex hull. The number counts these, less those of the other in the hull of the object, over
    the area of the smaller one.
    """
    on_grid = np.stack([points.columns, points.rows], axis=1).astype(np.float64)
    parts = np.split(on_grid, points.bounds()[1:-1])
    left, top, right, bottom = boxes.T
    is_near = (left[:, None] < right) & (right[:, None] > left)
    is_near &= (top[:, None] < bottom) & (bottom[:, None] > top)
    np.fill_diagonal(is_near, False)
    hulls = {k: support_of_points(parts[k]) for k in np.flatnonzero(is_near.any(axis=1))}
    inside = np.zeros(is_near.shape)
    for i, j in np.argwhere(is_near):
        is_in = (parts[i] @ DIRECTIONS.T <= hulls[j] + _ROUNDING).all(axis=1)
        inside[i, j] = np.count_nonzero(is_in)
    areas = np.maximum([len(each) for each in parts[: len(boxes)]], 1)
    return (inside - inside.T) / np.minimum(areas[:, None], areas)


def resting_in_image(
    boxes: NDArray[np.float64], overlaps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (K, K) in [0, 1]: [i, j] is how surely i rests on j, or in it.

    boxes: (K, 4) left, top, right, bottom, in image heights.
    overlaps: (K, K), see overlaps_of.

    An object that hides another one and does not end lower stands on it: on the table, what is
    nearer is lower. It begins above the other one or lies in its outline, and its lower end is on
    the other one's top, which is at most about as high in the image as it is wide.
    """
    left, top, right, bottom = boxes.T
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    narrower = np.minimum((right - left)[:, None], right - left)
    begins = soft(top - top[:, None] + _SIDE_MARGIN, _SIDE_MARGIN)
    lies_in = soft(overlaps - _LIES_IN, 1 - _LIES_IN)
    hanging = np.maximum(top - bottom[:, None], bottom[:, None] - bottom)
    sunk = bottom[:, None] - top - _DEEPEST_TOP * (right - left)
    return (
        soft(shared - narrower / 2, _SIDE_MARGIN)
        * np.maximum(begins, lies_in)
        * soft(_CONTACT_GAP - np.maximum(hanging, sunk), _CONTACT_GAP)
        * soft(overlaps - _HIDDEN, _HIDDEN)
    )


def positions_from_boxes(
    boxes: NDArray[np.float64], resting: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the depths (K,) of the objects' centres and the footprints (K, DIRECTION_COUNT).

    boxes: (K, 4) left, top, right, bottom, in image heights from the image centre.
    resting: (K, K), see resting_in_image.

    The bottom edge touches the table, the footprint is as deep as it is wide unless the box is
    flatter than that, and what is left of the box's height is the object's. An object that rests on
    another touches its top instead: it is nearer in the ratio of the camera's heights above both.
    """
    sin, cos = np.sin(_ELEVATION), np.cos(_ELEVATION)
    left, top, right, bottom = boxes.T / _FOCAL
    near_depth = 1 / np.maximum(cos * bottom + sin, _HORIZON)
    near = near_depth * (cos - bottom * sin)  # along the table
    width = (right - left) * near_depth
    slope = np.maximum(cos * top + sin, _HORIZON)
    length = np.clip((cos - top * sin) / slope - near, 0, width)
    # The ray of the top edge meets the far end of the object at its height.
    level = (near + length) * slope / np.maximum(cos - top * sin, _HORIZON)
    height = np.clip(1 - level, 0, _HIGHEST)
    middle = near + length / 2
    depth = middle * cos + (1 - height / 2) * sin
    scale = np.ones(len(boxes))
    if len(boxes):
        supports, is_on = resting.argmax(axis=1), resting.max(axis=1) > _LIKELY
        # The near end of what covers a top is above that top's middle, less half of its own length.
        near_end = middle[supports] - np.minimum(length, length[supports]) / 2
        covered = 1 - near_end * (cos * bottom + sin) / np.maximum(cos - bottom * sin, _HORIZON)
        is_covering = right - left > _COVERING * (right - left)[supports]
        raised = np.where(is_covering, np.clip(covered, 0, _HIGHEST), height[supports])
        for _ in range(_LEVELS):
            scale = np.where(is_on, scale[supports] * (1 - raised), 1.0)
    centres = np.stack([(left + right) / 2 * near_depth, middle], axis=1)
    halves = np.stack([width, length], axis=1) / 2
    return depth * scale, support_of_ellipses(centres * scale[:, None], halves * scale[:, None])
