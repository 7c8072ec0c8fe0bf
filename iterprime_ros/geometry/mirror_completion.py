"""The hidden side of an object, from its mirror image.

Most things that stand on a table look the same, or nearly so, in a mirror that stands upright on
it. Of such mirrors the one is taken whose image of the visible points agrees best with what the
camera sees: Thrun and Wegbreit, "Shape from symmetry", ICCV 2005; for grasping, Bohg et al., "Mind
the gap: robotic grasping under incomplete observation", ICRA 2011. A mirrored point in front of
what is seen in its direction cannot be there; one on what is seen speaks for the mirror, one behind
it says nothing.

Up to three mirrors are used: one that faces the camera, which shows the far side, and two that
stand obliquely, for things that lie obliquely, or of which something hides a part.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.depth_view import DepthView, distance_behind
from iterprime_ros.geometry.table_frame import TableFrame

_JUDGES = 110  # points that are mirrored to find the mirror
# Of a mirror's normal to the viewing direction; the best mirror of each group is used.
_TURNS = np.radians([[-60, -50, -40, -30], [-15, -5, 5, 15], [30, 40, 50, 60]])
_FACING = 1  # the group of those that face the camera
_MOST = np.radians(85)
_DISTANCES = np.linspace(-0.35, 1.0, 11)  # of the mirror, in visible extents behind the middle
_TURN = np.radians(10)
_FINER = (0.5, 0.25, 0.125)  # of the steps, that are tried round the best
_TOLERANCE = 0.0015  # m, and
_SIGMAS = 3.0  # of the noise: how far a point may be from what is seen to be on it
_WRONG = 6.0  # how much more a point that cannot be there weighs than one that is seen
_LEAST_AGREEMENT = 0.1  # with less, the mirror shows nothing that is known


def mirrored(
    points: NDArray[np.floating], view: DepthView, frame: TableFrame, noise: float
) -> tuple[NDArray[np.floating], bool]:
    """Return the mirror images (M, 3) of an object's visible points, without what cannot be there.

    points: (N, 3) in the table frame, N at least 1.
    view: what the camera sees.
    frame: the table frame.
    noise: standard deviation of a depth, in metres.

    They are empty (0, 3) where no mirror agrees with what is seen. The second is whether one of the
    mirrors faces the camera.
    """
    points = points.astype(np.float32)
    judges = points[np.linspace(0, len(points) - 1, min(_JUDGES, len(points))).astype(np.intp)]
    middle = np.median(points[:, :2], axis=0)
    towards = middle - frame.from_optical(np.zeros(3))[:2]
    view_angle = float(np.arctan2(towards[1], towards[0]))
    extent = float(np.ptp(points[:, :2] @ towards)) / float(np.linalg.norm(towards))
    tolerance = _TOLERANCE + _SIGMAS * noise

    steps, way = np.arange(-2, 3), np.diff(_DISTANCES)[0] * extent

    def best_of(
        angles: NDArray[np.float64], distances: NDArray[np.float64], within: float
    ) -> tuple[float, float, float]:
        """Return angle, distance and agreement of the best of the mirrors of all of both."""
        angle, distance = (each.ravel() for each in np.meshgrid(angles, distances))
        images = _images(judges, middle, angle, distance)
        behind, is_object = distance_behind(images, view, frame)
        seen = np.where(is_object, np.clip(1 - (behind / within) ** 2, 0, None), 0.0)
        agreement = seen.mean(axis=1) - _WRONG * (behind < -within).mean(axis=1)
        best = int(agreement.argmax())
        return float(angle[best]), float(distance[best]), float(agreement[best])

    found, is_faced = [], False
    own_turns = _own_turns(points[:, :2] - middle, view_angle)
    group = np.digitize(own_turns, (_TURNS[1:, 0] + _TURNS[:-1, -1]) / 2)
    for number, turns in enumerate(_TURNS):
        turns = np.concatenate([turns, own_turns[group == number]])
        angle, distance, agreement = best_of(
            view_angle + turns, extent * _DISTANCES, tolerance + way
        )
        for share in _FINER:  # which a mirror that is off by as much must still agree with
            angle, distance, agreement = best_of(
                angle + share * _TURN * steps,
                distance + share * way * steps,
                tolerance + share * way,
            )
        if agreement >= _LEAST_AGREEMENT and abs(angle - view_angle) <= _MOST:
            images = _images(points, middle, np.array([angle]), np.array([distance]))[0]
            is_faced |= number == _FACING
            found.append(images[distance_behind(images, view, frame)[0] >= -tolerance])
    return np.concatenate(found) if found else np.empty((0, 3)), is_faced


def _own_turns(places: NDArray[np.floating], view_angle: float) -> NDArray[np.float64]:
    """Return the angles of places' (N, 2) principal axes to the view that a mirror may be at."""
    _, axes = np.linalg.eigh(places.T @ places)
    angles = np.arctan2(axes[1], axes[0]) - view_angle
    turns = (angles + np.pi / 2) % np.pi - np.pi / 2
    return turns[np.abs(turns) <= _MOST]


def _images(
    points: NDArray[np.floating],
    middle: NDArray[np.floating],
    angles: NDArray[np.float64],
    distances: NDArray[np.float64],
) -> NDArray[np.floating]:
    """Return the images (M, N, 3) of points (N, 3) in M upright mirrors.

    angles, distances: (M,) of the mirrors' normals, and from the middle (2,) along them.
    """
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    way = distances.astype(np.float32)[:, None] - normals @ (points[:, :2] - middle).T
    images = np.empty((*way.shape, 3), np.float32)
    for axis in (0, 1):
        images[..., axis] = points[:, axis] + 2 * way * normals[:, axis, None]
    images[..., 2] = points[:, 2]
    return images
