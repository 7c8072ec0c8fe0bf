"""Which of the proposed grasps of an object are best, and free of collisions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.grasp import Grasp, Grasps
from iterprime_ros.geometry.grasp_contacts import Contacts, contacts_of, qualities
from iterprime_ros.geometry.grasp_proposals import ANGLES, TIP_GAP, Clearances, Proposals
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE

NO_ROOM = 'Other things beside the object, or on it, leave no room for the gripper.'
_ROUGH = 300  # points of the object by which proposals are chosen that all points then judge
_CHOSEN = 24  # proposals
_SHIFTS = 0.001 * np.array([0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6])  # m, from the middle
_LEAST = 0.02  # quality
_APART = 0.008  # m, and
_TURNED = np.pi / 8  # rad: grasps that differ by less are one
_APPROACH = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class _Judged:
    """N grasps: where (N,) they are along u, how wide, whether they are free, and their quality."""

    middle: NDArray[np.float64]
    width: NDArray[np.float64]
    is_free: NDArray[np.bool_]
    quality: NDArray[np.float64]


def choose(
    proposals: Proposals,
    points: NDArray[np.float64],
    centre: NDArray[np.float64],
    clearances: Clearances,
    gripper: ParallelGripper,
    most: int,
) -> Grasps:
    """Return the best of the proposed grasps in the table frame, or why there is none.

    points: (N, 3) of the object in the table frame, in metres.
    centre: (2,) its centre of mass, seen from above.
    """
    rough = points[np.linspace(0, len(points) - 1, min(len(points), _ROUGH)).astype(np.intp)]
    judged = _judged(proposals, rough, centre, clearances, gripper)
    best = np.argsort(-judged.quality * (0.5 + judged.is_free), kind='stable')[:_CHOSEN]
    proposals = proposals.at(best)
    judged = _judged(proposals, points, centre, clearances, gripper)
    if not judged.is_free.any():
        return Grasps((), NO_ROOM)
    quality = np.where(judged.is_free, judged.quality, 0.0)
    grasps: list[Grasp] = []
    for k in np.argsort(-quality, kind='stable'):
        if quality[k] < _LEAST or len(grasps) == most:
            break
        angle = np.pi * proposals.angle[k] / ANGLES
        closing = np.array([np.cos(angle), np.sin(angle), 0.0])
        across = np.array([-closing[1], closing[0], 0.0])
        position = judged.middle[k] * closing + proposals.v[k] * across
        position[2] = proposals.tip[k]
        rotation = np.stack([np.cross(closing, _APPROACH), closing, _APPROACH], axis=1)
        grasp = Grasp(position, rotation, float(judged.width[k]), float(quality[k]))
        if not any(_is_same(grasp, other) for other in grasps):
            grasps.append(grasp)
    if not grasps:
        return Grasps((), 'The fingers would slip off the object wherever there is room for them.')
    return Grasps(tuple(grasps), '')


def _is_same(grasp: Grasp, other: Grasp) -> bool:
    is_near = np.linalg.norm(grasp.position - other.position) < _APART
    turn = abs(float(grasp.rotation[:, 1] @ other.rotation[:, 1]))
    return bool(is_near and turn > np.cos(_TURNED))


def _judged(
    proposals: Proposals,
    points: NDArray[np.float64],
    centre: NDArray[np.float64],
    clearances: Clearances,
    gripper: ParallelGripper,
) -> _Judged:
    theta = np.pi * np.arange(ANGLES) / ANGLES
    axes = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    turned = np.stack([axes, np.stack([-axes[:, 1], axes[:, 0]], axis=1)])
    along, across = (turned @ points[:, :2].T).astype(np.float32)
    contacts = contacts_of(
        along[proposals.angle],
        across[proposals.angle],
        points[:, 2].astype(np.float32),
        proposals.u,
        proposals.v,
        proposals.tip,
        gripper,
    )
    middle, is_free, is_hidden = _collisions(proposals, contacts, clearances, gripper)
    off = np.stack([middle, proposals.v]) - (turned @ centre)[:, proposals.angle]
    quality = qualities(contacts, np.hypot(*off), is_hidden, gripper)
    return _Judged(middle, np.ptp(contacts.u, axis=1), is_free, quality)


def _collisions(
    proposals: Proposals, contacts: Contacts, clearances: Clearances, gripper: ParallelGripper
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where grasps (N,) are along u, and which of them touch nothing else on the way.

    A grasp is midway between its contacts, or as near to that as its fingers are free. The third is
    whether a finger goes to where other things could hide something.
    """
    angle, row = proposals.angle[:, None], proposals.row[:, None]
    centre = np.nan_to_num(contacts.u.mean(axis=1))
    opening = gripper.opening_for(np.nan_to_num(np.ptp(contacts.u, axis=1)))
    limit = (proposals.tip - TIP_GAP)[:, None]
    middle = centre[:, None] + _SHIFTS
    palm = clearances.palm[angle, row, clearances.columns_of(middle)]
    is_free = palm <= limit + gripper.finger_depth
    is_hidden = np.zeros(is_free.shape, bool)
    for side in (-0.5, 0.5):
        aside = side * (opening + gripper.finger_thickness)[:, None]
        finger = clearances.columns_of(middle + aside)
        is_free &= clearances.fingers[angle, row, finger] <= limit
        is_hidden |= clearances.hidden_fingers[angle, row, finger] > limit
    best = (2 * is_free + ~is_hidden).argmax(axis=1)
    index = np.arange(len(best))
    first, last = clearances.columns_of(np.nan_to_num(contacts.u)).T
    cells = np.arange(SIDE)
    is_between = (cells >= first[:, None]) & (cells <= last[:, None])
    others = clearances.other_rows[proposals.angle, proposals.row]
    is_alone = ~((others > limit) & is_between).any(axis=1)
    return middle[index, best], is_free[index, best] & is_alone, is_hidden[index, best]
