"""The hidden side of an object, from its mirror image.

Most things that stand on a table look the same, or nearly so, in a mirror that stands upright on
it. Of such mirrors the one is taken whose image of the visible points agrees best with what the
camera sees: Thrun and Wegbreit, "Shape from symmetry", ICCV 2005; for grasping, Bohg et al., "Mind
the gap: robotic grasping under incomplete observation", ICRA 2011. A mirrored point in front of
what is seen in its direction cannot be there; one on what is seen speaks for the mirror, one behind
it says nothing.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.table_frame import TableFrame

_JUDGES = 160  # points that are mirrored to find the mirror
_ANGLES = np.radians(np.arange(-40, 41, 10))  # of the mirror's normal to the viewing direction
_DISTANCES = np.linspace(-0.35, 1.0, 15)  # of the mirror, in visible extents behind the middle
_FINER = ((0.5, 0.5), (0.25, 0.25))  # shares of those steps that are tried round the best
_TOLERANCE = 0.004  # m, and
_SLOPE = 0.006  # of the depth: how far a point may be from what is seen to be on it
_WRONG = 3.0  # how much more a point that cannot be there weighs than one that is seen
_MOST_WRONG = 0.15  # share of the points that may be where they cannot be


def mirrored(
    points: NDArray[np.float64], view: DepthView, frame: TableFrame
) -> NDArray[np.float64]:
    """Return the mirror image (N, 3) of an object's visible points, without what cannot be there.

    points: (N, 3) in the table frame, N at least 1.
    view: what the camera sees.
    frame: the table frame.

    It is empty (0, 3) where no mirror agrees with what is seen.
    """
    judges = points[np.linspace(0, len(points) - 1, min(_JUDGES, len(points))).astype(np.intp)]
    eye = frame.from_optical(np.zeros(3))[:2]
    middle = np.median(points[:, :2], axis=0)
    towards = np.arctan2(*(middle - eye)[::-1])
    extent = float(np.ptp((points[:, :2] - middle) @ _unit(towards)))
    angles, distances = (each.ravel() for each in np.meshgrid(towards + _ANGLES, _DISTANCES))
    best = _best(judges, view, frame, middle, angles, distances * extent)
    steps = np.diff(_ANGLES)[0], np.diff(_DISTANCES)[0] * extent
    for share_of_angle, share_of_distance in _FINER:
        angles, distances = (
            each.ravel()
            for each in np.meshgrid(
                best[0] + share_of_angle * steps[0] * np.arange(-1, 2),
                best[1] + share_of_distance * steps[1] * np.arange(-1, 2),
            )
        )
        best = _best(judges, view, frame, middle, angles, distances)
    images = _images(points, middle, np.array(best[:1]), np.array(best[1:2]))[0]
    is_wrong, _ = _judged(images, view, frame)
    if is_wrong.mean() > _MOST_WRONG:
        return np.empty((0, 3))
    return images[~is_wrong]


def _unit(angle: float) -> NDArray[np.float64]:
    return np.array([np.cos(angle), np.sin(angle)])


def _best(
    points: NDArray[np.float64],
    view: DepthView,
    frame: TableFrame,
    middle: NDArray[np.float64],
    angles: NDArray[np.float64],
    distances: NDArray[np.float64],
) -> tuple[float, float]:
    """Return the angle and the distance (M,) of the mirror that agrees best with what is seen."""
    is_wrong, is_seen = _judged(_images(points, middle, angles, distances), view, frame)
    agreement = is_seen.mean(axis=1) - _WRONG * is_wrong.mean(axis=1)
    best = int(agreement.argmax())
    return float(angles[best]), float(distances[best])


def _images(
    points: NDArray[np.float64],
    middle: NDArray[np.float64],
    angles: NDArray[np.float64],
    distances: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the images (M, N, 3) of points (N, 3) in M upright mirrors.

    angles, distances: (M,) of the mirrors' normals, and from the middle (2,) along them.
    """
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    before = distances[:, None] - normals @ (points[:, :2] - middle).T
    images = np.repeat(points[None], len(angles), axis=0)
    images[..., :2] += 2 * before[..., None] * normals[:, None]
    return images


def _judged(
    points: NDArray[np.float64], view: DepthView, frame: TableFrame
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which points (..., 3) cannot be there, and which are on what is seen of the object."""
    optical = frame.to_optical(points)
    depths, is_object = view.seen_at(optical)
    behind = optical[..., 2] - depths
    tolerance = _TOLERANCE + _SLOPE * optical[..., 2]
    is_wrong = behind < -tolerance
    return is_wrong, is_object & (np.abs(behind) <= tolerance)
