"""Where objects are on a table, from their boxes in the image alone.

A camera is assumed that looks down on the table: nothing here is in metres, but the order of depths
and the ratios of distances come out about right. The unit is the height of the camera above the
table.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.spatial.footprints import support_of_ellipses

# The middle of what sim.scene samples (0.5 to 1.15 rad, 40 to 50 degrees): a robot's camera.
_ELEVATION = 0.8  # in radians, of the optical axis below the horizon
_FOCAL = 1.2  # in image heights
_HORIZON = 0.15  # least sine of the angle between a ray and the table


def positions_from_boxes(
    boxes: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the depths (K,) of the objects' centres and the footprints (K, DIRECTION_COUNT).

    boxes: (K, 4) left, top, right, bottom, in image heights from the image centre.

    The bottom edge touches the table, the footprint is as deep as it is wide unless the box is
    flatter than that, and what is left of the box's height is the object's.
    """
    sin, cos = np.sin(_ELEVATION), np.cos(_ELEVATION)
    left, top, right, bottom = boxes.T / _FOCAL
    near_depth = 1 / np.maximum(cos * bottom + sin, _HORIZON)
    near = near_depth * (cos - bottom * sin)  # along the table
    width = (right - left) * near_depth
    slope = np.maximum(cos * top + sin, _HORIZON)
    length = np.minimum(width, (cos - top * sin) / slope - near)
    # The ray of the top edge meets the far end of the object at its height.
    height = 1 - (near + length) * slope / np.maximum(cos - top * sin, _HORIZON)
    middle = near + length / 2
    depth = middle * cos + (1 - np.maximum(height, 0) / 2) * sin
    centres = np.stack([(left + right) / 2 * near_depth, middle], axis=1)
    return depth, support_of_ellipses(centres, np.stack([width, length], axis=1) / 2)
