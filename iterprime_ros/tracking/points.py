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


def reduced_grey(image: NDArray[np.uint8]) -> Grey:
    """Return an image (H, W, 3) uint8 RGB in grey, its longer side at most FLOW_SIDE."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(reduced(grey, FLOW_SIDE), dtype=np.uint8)


def reduced(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image whose longer side is at most `side`."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def points_in(mask: Bool, count: int) -> Float:
    """Return about `count` points (P, 2) float32, (x, y), of a regular grid inside a mask (h, w).

    All its pixels, where it has fewer.
    """
    rows, columns = np.nonzero(mask)
    step = max(1, int(np.sqrt(len(rows) / max(count, 1))))
    on_grid = (rows % step == step // 2) & (columns % step == step // 2)
    return np.stack([columns[on_grid], rows[on_grid]], axis=1).astype(np.float32)


def follow(before: Grey, now: Grey, points: Float) -> Followed:
    """Return points (P, 2) of an image in the next one."""
    if not len(points):
        return Followed(points, points, np.zeros(0, dtype=bool))
    start = points[:, None]
    settings = {
        'winSize': _WINDOW,
        'maxLevel': _LEVELS,
        'criteria': _STEPS,
        'minEigThreshold': _LEAST_EIGENVALUE,
    }
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, start, None, **settings)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, **settings)
    trip = np.abs(back - start).max(axis=(1, 2))
    good = (found[:, 0] == 1) & (returned[:, 0] == 1) & (trip < _ROUND_TRIP)
    return Followed(points, there[:, 0], good)


def object_motion(followed: Followed) -> tuple[Float, float] | None:
    """Return the motion (3, 3) of the points of an object, and the share of them that agree on it.

    It is the similarity transform that most points agree on, or with few of them the median shift;
    None where hardly any was followed.
    """
    good = followed.good
    before, now = followed.before[good], followed.now[good]
    if len(before) >= _LEAST_FOR_SIMILARITY:
        found, kept = cv2.estimateAffinePartial2D(before, now, ransacReprojThreshold=_RANSAC_ERROR)
        if found is not None:
            return np.vstack([found, (0, 0, 1)]), float(kept.sum() / len(good))
    if len(before) < _LEAST_FOR_SHIFT:
        return None
    shifts = now - before
    shift = np.median(shifts, axis=0)
    agree = np.abs(shifts - shift).max(axis=1) < _RANSAC_ERROR
    return translation(shift), float(agree.sum() / len(good))


def camera_motion(followed: Followed) -> Float | None:
    """Return the homography (3, 3) that most points of the background agree on, if there is one."""
    good = followed.good
    if good.sum() < _LEAST_FOR_HOMOGRAPHY:
        return None
    found, _ = cv2.findHomography(
        followed.before[good], followed.now[good], cv2.RANSAC, _RANSAC_ERROR
    )
    return None if found is None else np.asarray(found)


def translation(shift: Float) -> Float:
    """Return the motion (3, 3) by a shift (x, y)."""
    motion = np.eye(3)
    motion[:2, 2] = shift
    return motion


def enlarged(motion: Float, scale: Float) -> Float:
    """Return a motion (3, 3) in an image that is larger by factors (x, y)."""
    # Pixel (0, 0) is centred half a pixel from the corner, which stays where it is.
    grow = np.diag([*scale, 1.0])
    grow[:2, 2] = (scale - 1) / 2
    return np.asarray(grow @ motion @ np.linalg.inv(grow))


def moved(mask: Bool, motion: Float) -> Bool:
    """Return a mask (H, W) where a motion (3, 3) takes it."""
    height, width = mask.shape
    shares = cv2.warpPerspective(
        mask.astype(np.uint8) * 255, motion, (width, height), flags=cv2.INTER_LINEAR
    )
    return np.asarray(shares > 127)


def moved_points(points: Float, motion: Float) -> Float:
    """Return points (P, 2) where a motion (3, 3) takes them."""
    return np.asarray(cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(float), motion))[
        :, 0
    ]
