"""Sparse optical flow: points of an image in the next one, and the motion that they agree on.

Points are followed by pyramidal Lucas-Kanade (Bouguet, Pyramidal implementation of the Lucas Kanade
feature tracker, Intel, 2000), forwards and backwards: one that does not come back to where it
started was not followed (Kalal et al., Forward-backward error, ICPR 2010).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.tracking.arrays import Bool, Float, Grey
from iterprime_ros.tracking.mask_geometry import box_of, reduced_image

FLOW_SIDE = 320  # pixels of the longer side of the grey image in which points are followed
_WINDOW = (11, 11)  # pixels; a larger one mixes small objects with what is behind them
_LEVELS = 3
_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_LEAST_EIGENVALUE = 1e-3  # of the structure tensor; points in even areas are not followed
_ROUND_TRIP = 1.0  # pixels
_RANSAC_ERROR = 1.0  # pixels
_LEAST_FOR_SIMILARITY = 6
_LEAST_FOR_SHIFT = 2
_LEAST_FOR_HOMOGRAPHY = 12
_GROWTH = (0.5, 2.0)  # of an area from frame to frame, beyond which a motion is no motion


@dataclass(frozen=True, eq=False)
class Followed:
    """Points in two images.

    before: (P, 2) float32, (x, y).
    now: (P, 2) float32, where they are in the next image.
    good: (P,) bool, whether each was followed.
    """

    before: Float
    now: Float
    good: Bool

    def parts(self, lengths: list[int]) -> list['Followed']:
        """Return groups of the points, that are so many."""
        ends = np.cumsum(lengths).tolist()
        parts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        return [Followed(self.before[each], self.now[each], self.good[each]) for each in parts]


def reduced_grey(image: NDArray[np.uint8]) -> Grey:
    """Return an image (H, W, 3) uint8 RGB in grey, its longer side at most FLOW_SIDE."""
    return reduced_image(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8), FLOW_SIDE)


def points_in(mask: Bool, count: int) -> Float:
    """Return about `count` points (P, 2) float32, (x, y), of a regular grid inside a mask (h, w).

    All its pixels, where it has fewer.
    """
    left, top, across, down = box_of(mask)
    rows, columns = np.nonzero(mask[top : top + down, left : left + across])
    step = max(1, int(np.sqrt(len(rows) / max(count, 1))))
    on_grid = (rows % step == step // 2) & (columns % step == step // 2)
    points = np.stack([columns[on_grid] + left, rows[on_grid] + top], axis=1)
    return points.astype(np.float32)


def follow(before: Grey, now: Grey, points: Float) -> Followed:
    """Return points (P, 2) of an image in the next one, of the same size."""
    if not len(points):
        return Followed(points, points, np.zeros(0, dtype=bool))
    start = np.ascontiguousarray(points[:, None], dtype=np.float32)
    there, found = _next_points(before, now, start)
    back, returned = _next_points(now, before, there)
    trip = np.abs(back - start).max(axis=(1, 2))
    return Followed(points, there[:, 0], found & returned & (trip < _ROUND_TRIP))


def _next_points(before: Grey, now: Grey, points: Float) -> tuple[Float, Bool]:
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        points,
        np.empty_like(points),
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_STEPS,
        minEigThreshold=_LEAST_EIGENVALUE,
    )
    return np.asarray(there, np.float32), np.asarray(found)[:, 0] == 1


def object_motion(followed: Followed) -> Float | None:
    """Return the motion (3, 3) of the points of an object; None where hardly any was followed.

    It is the similarity transform that most points agree on, or with few of them the median shift.
    """
    good = followed.good
    before, now = followed.before[good], followed.now[good]
    if len(before) >= _LEAST_FOR_SIMILARITY:
        found, _ = cv2.estimateAffinePartial2D(before, now, ransacReprojThreshold=_RANSAC_ERROR)
        if found is not None and _is_plausible(found):
            return np.vstack([found, (0, 0, 1)])
    if len(before) < _LEAST_FOR_SHIFT:
        return None
    motion = np.eye(3)
    motion[:2, 2] = np.median(now - before, axis=0)
    return motion


def camera_motion(followed: Followed) -> Float | None:
    """Return the homography (3, 3) that most points of the background agree on, if there is one."""
    good = followed.good
    if good.sum() < _LEAST_FOR_HOMOGRAPHY:
        return None
    found, _ = cv2.findHomography(
        followed.before[good], followed.now[good], cv2.RANSAC, _RANSAC_ERROR
    )
    return np.asarray(found) if found is not None and _is_plausible(found) else None


def enlarged(motion: Float, scale: Float) -> Float:
    """Return a motion (3, 3) of pixels in an image that is larger by factors (x, y)."""
    grow = np.diag([*scale, 1.0])
    # Pixel (0, 0) is centred half a pixel from the corner, which stays where it is.
    grow[:2, 2] = (scale - 1) / 2
    return np.asarray(grow @ motion @ np.linalg.inv(grow))


def _is_plausible(motion: NDArray[np.number]) -> bool:
    return bool(_GROWTH[0] < np.linalg.det(motion[:2, :2]) < _GROWTH[1])
