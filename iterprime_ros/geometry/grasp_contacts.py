"""Where the fingers of a gripper touch an object, and how well they hold it there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from iterprime_ros.geometry.gripper import ParallelGripper

_NEAR = 0.0015  # m from the outermost point: what a finger, a little soft, touches
_BAND = 0.006  # m above the fingertip, and as much again, between which the surface may lean
_PUSHED = 1.5  # how much worse it is to push an object down than aside
_SPREAD = np.radians(15)  # standard deviation of measured angles
_HIGH, _BROAD = 0.010, 0.020  # m: a contact of this size holds as well as a larger one
_DEEP = 0.015  # m, of the object between the fingers
_POOREST = 0.2  # share of the quality that is left at no size
_WIDE = 0.3  # of the quality that a grasp as wide as the gripper opens loses
_UNSURE = 0.7  # of the quality is left where a finger goes to what is hidden
_ARM = 0.040  # m from the middle of the object, at which a grasp is worth half


@dataclass(frozen=True)
class Contacts:
    """Where the fingers of N grasps touch, along the turned axes of each, in metres.

    u: (N, 2) float64, along the closing axis; NaN where nothing is between the fingers.
    angle: (N,) float64, the largest of the angles between the closing axis and the normals of the
        surface at the two contacts, and the line from one to the other, in radians.
    size: (N, 2) float64, of the smaller contact along the fingers and across them.
    depth: (N,) float64, from the fingertips to the top of what is between the fingers.
    """

    u: NDArray[np.float64]
    angle: NDArray[np.float64]
    size: NDArray[np.float64]
    depth: NDArray[np.float64]


@np.errstate(invalid='ignore', divide='ignore')  # where there is nothing between the fingers
def contacts_of(
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    heights: NDArray[np.float32],
    between: NDArray[np.float64],
    at: NDArray[np.float64],
    tip: NDArray[np.float64],
    gripper: ParallelGripper,
) -> Contacts:
    """Return the contacts of N grasps with an object of M points.

    u, v: (N, M) its points along the axes of each grasp; heights: (M,).
    between: (N, 2) where the inner sides of the fingers are, along u.
    at: (N,) the middle of the fingers, along v.
    tip: (N,) height of the fingertips.

    A finger is flat, and touches where the object reaches farthest: on an edge, too, which has no
    normal of its own. The normal is that of the plane that the surface recedes along, from its
    outermost points in the two halves of the finger's side, and low and high.

    Of an object that is held at its rim, one finger inside it, only the angle about the fingers
    counts: it swings until its rim lies along them.
    """
    across = v - at[:, None].astype(np.float32)
    above = heights - tip[:, None].astype(np.float32)
    is_level = (
        (np.abs(across) <= gripper.finger_width / 2)
        & (above >= 0)
        & (above <= gripper.finger_depth)
    )
    is_between = (u >= between[:, :1]) & (u <= between[:, 1:])
    is_held = is_level & is_between
    is_rim = (is_level & ~is_between).any(axis=1)
    top = np.where(is_held, above, 0).max(axis=1)
    left, right = (
        _side(np.where(is_held, sign * u, np.float32(np.inf)), across, above, top, gripper)
        for sign in (1, -1)
    )
    width = -right.reach - left.reach
    along, aside = left.middle - right.middle
    angles = []
    for side in (left, right):
        lean, turn = side.slopes
        angles.append(np.arctan(np.hypot(np.where(is_rim, 0, _PUSHED * lean), turn)))
    angles.append(np.arctan2(np.hypot(np.where(is_rim, 0, along), aside), width))
    reach = np.stack([left.reach, -right.reach], axis=1)
    return Contacts(
        np.where(np.isfinite(reach), reach, np.nan),
        np.max(angles, axis=0),
        np.minimum(left.size, right.size).T,
        top.astype(np.float64),
    )


@dataclass(frozen=True)
class _Side:
    """Contacts of one finger with N objects, along the fingers (first of two) and across them.

    reach: (N,) where they are, outwards; infinite where there is none.
    slopes: (2, N) by how much the surface recedes above the contact, and to a side of it; infinite
        where the object is only to one side of the middle of the finger.
    middle, size: (2, N) in metres.
    """

    reach: NDArray[np.float64]
    slopes: NDArray[np.float64]
    middle: NDArray[np.float64]
    size: NDArray[np.float64]


def _side(
    outwards: NDArray[np.float32],
    across: NDArray[np.float32],
    above: NDArray[np.float32],
    top: NDArray[np.float32],
    gripper: ParallelGripper,
) -> _Side:
    """Return the contact at the least of `outwards` (N, M), infinite for what is not held."""
    reach = outwards.min(axis=1)

    def outermost(where: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.where(where, outwards, np.float32(np.inf)).min(axis=1).astype(np.float64)

    band = np.clip(top / 2, None, _BAND)[:, None]
    is_low, is_high = above < band, (above >= band) & (above < 2 * band)
    before, behind = outermost(across < 0), outermost(across >= 0)
    # That it reaches farther above the contact does no harm; that it ends there, neither.
    lean = np.clip(outermost(is_high) - outermost(is_low), 0, None) / band[:, 0]
    lean = np.where(np.isfinite(lean), lean, 0)
    turn = np.abs(before - behind) / (gripper.finger_width / 2)
    turn = np.where(np.isnan(turn), np.inf, turn)
    is_touched = outwards <= reach[:, None] + np.float32(_NEAR)
    bounds = np.array(
        [
            [
                np.where(is_touched, place, np.float32(np.inf)).min(axis=1),
                np.where(is_touched, place, np.float32(-np.inf)).max(axis=1),
            ]
            for place in (above, across)
        ],
        np.float64,
    )
    return _Side(
        reach.astype(np.float64),
        np.stack([lean, turn]),
        bounds.mean(axis=1),
        bounds[:, 1] - bounds[:, 0],
    )


def qualities(
    contacts: Contacts,
    offset: NDArray[np.float64],
    is_hidden: NDArray[np.bool_],
    gripper: ParallelGripper,
) -> NDArray[np.float64]:
    """Return the qualities (N,) in [0, 1] of grasps; 0 where the fingers would slip.

    offset: (N,) level distance of a grasp from the middle of the object, in metres.
    is_hidden: (N,) whether a finger goes where other things could hide something.

    Two contacts with friction hold an object against every force and torque but that about the line
    through them if this line is inside both friction cones: Nguyen, "Constructing force-closure
    grasps", IJRR 1988. The cones are of half angle atan(friction).
    """
    cone = np.arctan(gripper.friction)
    antipodal = ndtr((cone - contacts.angle) / _SPREAD)
    high, broad = contacts.size.T
    firm = _share(high / _HIGH) * _share(broad / _BROAD) * _share(contacts.depth / _DEEP)
    central = 1 / (1 + (offset / _ARM) ** 2)
    sure = np.where(is_hidden, _UNSURE, 1.0)
    narrow = 1 - _WIDE * np.clip(np.ptp(contacts.u, axis=1) / gripper.max_opening, 0, 1)
    quality = antipodal * np.cbrt(firm) * central * sure * narrow
    return np.where(np.isfinite(contacts.u).all(axis=1), quality, 0.0)


def _share(size: NDArray[np.float64]) -> NDArray[np.float64]:
    return _POOREST + (1 - _POOREST) * np.clip(size, 0, 1)
