"""The box round points along their principal axes, in a convention that grippers can use."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

_EXTENT = (0.5, 99.5)  # percentiles of the points that bound a box


@dataclass(frozen=True)
class OrientedBox:
    """A box in the optical frame (REP 103: x right, y down, z forward), in metres.

    position: (3,) float64, its centre.
    orientation: (4,) float64, the unit quaternion (x, y, z, w), w >= 0, that turns the box's axes
        into the frame's. x is the longest axis and z the shortest; z points towards the camera; x
        points to the image's right, or down where it is more upright than level; y completes a
        right-handed frame.
    size: (3,) float64, whole extents, size[0] >= size[1] >= size[2] >= 0.
    """

    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    size: NDArray[np.float64]


def oriented_box(points: NDArray[np.float64]) -> OrientedBox:
    """Return the box along the principal axes of points (N, 3), N at least 1.

    Half a percent of the points may lie outside at either end of an axis.
    """
    middle = points.mean(axis=0)
    centred = points - middle
    _, axes = np.linalg.eigh(centred.T @ centred)
    low, high = np.percentile(centred @ axes, _EXTENT, axis=0)
    # Sorted by extent: an axis along which points vary more is not always the longer one.
    order = np.argsort(low - high, kind='stable')
    axes, low, high = axes[:, order], low[order], high[order]
    position = middle + axes @ ((low + high) / 2)
    x, z = axes[:, 0], axes[:, 2]
    x = -x if x[np.abs(x[:2]).argmax()] < 0 else x
    z = -z if z @ position > 0 else z
    turn = Rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=1))
    return OrientedBox(position, turn.as_quat(canonical=True), high - low)
