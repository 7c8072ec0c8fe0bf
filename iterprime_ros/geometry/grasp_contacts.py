"""Where the fingers of a gripper touch an object, and how well they hold it there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper

_NEAR = 0.002  # m from the outermost point: what a finger, a little soft, touches
_FULL = 0.010  # m, height of a contact that holds as well as a higher one
_ARM = 0.040  # m from the middle of the object, at which a grasp is worth half


@dataclass(frozen=True)
class Contacts:
    """Where the fingers of N grasps touch, along the turned axes of each, in metres.

    u: (N, 2) float64, along the closing axis; NaN where nothing is between the fingers.
    angle: (N,) float64, the largest of the angles between the closing axis and the normals of the
        surface at the two contacts, and the line from one to the other, in radians.
    height: (N,) float64, of the smaller contact along the fingers.
    """

    u: NDArray[np.float64]
    angle: NDArray[np.float64]
    height: NDArray[np.float64]


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
    normal of its own. The normal is that of the plane through the outermost points of the four
    quarters of the finger's side, over which the surface that it touches recedes.
    """
    across = v - at[:, None].astype(np.float32)
    above = heights - tip[:, None].astype(np.float32)
    is_held = (
        (np.abs(across) <= gripper.finger_width / 2)
        & (above >= 0)
        & (above <= gripper.finger_depth)
        & (u >= between[:, :1])
        & (u <= between[:, 1:])
    )
    top = np.where(is_held, above, 0).max(axis=1)
    sides = [
        _side(np.where(is_held, sign * u, np.float32(np.inf)), across, above, top, gripper)
        for sign in (1, -1)
    ]
    left, right = sides
    width = -right.reach - left.reach
    line = np.hypot(left.v - right.v, left.height - right.height)
    angle = np.maximum(np.maximum(left.angle, right.angle), np.arctan2(line, width))
    return Contacts(
        np.stack([left.reach, -right.reach], axis=1),
        angle,
        np.minimum(left.extent, right.extent),
    )


@dataclass(frozen=True)
class _Side:
    """Contacts (N,) of one finger: how far out, its angle, middle and extent along the finger."""

    reach: NDArray[np.float64]
    angle: NDArray[np.float64]
    v: NDArray[np.float64]
    height: NDArray[np.float64]
    extent: NDArray[np.float64]


def _side(
    outwards: NDArray[np.float32],
    across: NDArray[np.float32],
    above: NDArray[np.float32],
    top: NDArray[np.float32],
    gripper: ParallelGripper,
) -> _Side:
    """Return the contact at the least of `outwards` (N, M), infinite for what is not held."""
    reach = outwards.min(axis=1)

    def outermost(where: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.where(where, outwards, np.float32(np.inf)).min(axis=1)

    is_before, is_low = across < 0, above < top[:, None] / 2
    low, high = outermost(is_low), outermost(~is_low)
    before, behind = outermost(is_before), outermost(~is_before)
    with np.errstate(invalid='ignore', divide='ignore'):
        lean = np.clip(high - low, 0, None) / (top / 2)  # that it widens above the tip is good
        turn = np.abs(before - behind) / (gripper.finger_width / 2)
    slope = np.hypot(np.nan_to_num(lean, posinf=0), np.nan_to_num(turn, posinf=0))
    is_touched = outwards <= reach[:, None] + np.float32(_NEAR)
    count = np.maximum(is_touched.sum(axis=1), 1)
    lowest = np.where(is_touched, above, np.float32(np.inf)).min(axis=1)
    highest = np.where(is_touched, above, np.float32(-np.inf)).max(axis=1)
    return _Side(
        np.where(np.isfinite(reach), reach, np.nan).astype(np.float64),
        np.arctan(slope).astype(np.float64),
        np.where(is_touched, across, 0).sum(axis=1) / count,
        (lowest + highest) / 2,
        highest - lowest,
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
    antipodal = np.clip(1 - contacts.angle / cone, 0, 1)
    firm = np.clip(contacts.height / _FULL, 0.2, 1)
    central = 1 / (1 + (offset / _ARM) ** 2)
    sure = np.where(is_hidden, 0.5, 1.0)
    quality = np.sqrt(antipodal) * firm * central * sure
    return np.where(np.isfinite(contacts.u).all(axis=1), quality, 0.0)
