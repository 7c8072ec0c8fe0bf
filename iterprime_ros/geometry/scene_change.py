"""Whether an object is still where it was seen, with a gripper perhaps in front of it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.geometry.registration import mask_in_depth

_TOLERANCE = 0.006  # m, and
_SLOPE = 0.01  # of the depth: more than what noise, of which a median is left, adds to a depth
_FEWEST = 12  # pixels that tell something
_GONE = 0.08  # share of them that show what is behind the object
_SQUARE = np.ones((3, 3), dtype=bool)


def object_moved(
    mask: NDArray[np.bool_],
    depth_before: NDArray[np.floating],
    depth_now: NDArray[np.floating],
) -> bool:
    """Return whether an object has moved, as far as two depth images of one camera tell.

    mask: (H, W) bool, the object in the image that the first depth belongs to.
    depth_before, depth_now: (h, w) metres, NaN or <= 0 where unknown, registered to the image: the
        same field of view, of any resolution. The camera stands still.

    A pixel of the object that is farther now shows what was behind it: the object is gone from
    there. One that is nearer tells nothing, since a gripper may be in front of it. It has moved if
    8 in 100 of the pixels that tell something are farther. Where fewer than a dozen do, because the
    gripper hides all of it, it has not, as far as is known.

    Raises InvalidDepthError for depth images of two shapes.
    """
    if depth_before.shape != depth_now.shape:
        raise InvalidDepthError(
            f'The depth was {depth_before.shape} and is {depth_now.shape} now: compare images of '
            'one camera at one resolution.'
        )
    covered = mask_in_depth(mask, depth_before.shape)
    # At the outline a depth flickers between the object and what is behind it.
    inside = ndimage.binary_erosion(covered, _SQUARE)
    covered = inside if np.count_nonzero(inside) >= _FEWEST else covered
    if not covered.any():
        return False
    rows, columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    window = np.s_[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    covered = covered[window]
    before, now = (_known(depth[window]) for depth in (depth_before, depth_now))
    farther = _smoothed(now - before)[covered]
    tolerance = _TOLERANCE + _SLOPE * before[covered]
    tells = farther >= -tolerance  # False where either is unknown
    if np.count_nonzero(tells) < _FEWEST:
        return False
    return bool(np.mean(farther[tells] > tolerance[tells]) > _GONE)


def _known(depth: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.nan).astype(np.float64)


def _smoothed(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the medians of 3 x 3 differences, NaN for one that is unknown."""
    # Half of the unknown neighbours count as small and half as large, so that they tip no median.
    sign = np.where(np.indices(differences.shape).sum(axis=0) % 2, 1.0, -1.0)
    known = np.isfinite(differences)
    filled = np.where(known, differences, sign * np.inf)
    median = ndimage.median_filter(filled, size=3, mode='nearest')
    return np.where(known & np.isfinite(median), median, np.nan)
