"""Grasps of an object that stands or lies on a plane, from what a camera sees of it.

Fingers come down along the plane's normal. Candidates are sampled over closing axes, places and
heights, as samplers of antipodal grasps do on depth images (Mahler et al., "Dex-Net 2.0", RSS 2017),
but on the object's points in space, completed by `mirror_completion`. `docs/picking.md` explains it.
"""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.grasp import Grasp, Grasps
from iterprime_ros.geometry.grasp_contacts import Contacts, contacts_of, qualities
from iterprime_ros.geometry.grasp_proposals import ANGLES, Clearances, Proposals, propose
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE, HeightMap
from iterprime_ros.geometry.mirror_completion import mirrored
from iterprime_ros.geometry.table_frame import TableFrame

_LEAST_CELL = 0.0025  # m
_PITCH = 0.003  # m between points of surroundings
_FEWEST = 30  # points of an object
_MOST = 350  # points of an object whose contacts are computed
_LOWEST_TIP = 0.004  # m above the plane
_GROUND = 0.003  # m; and
_GROUND_NOISE = 0.004  # of the distance: how high the plane itself may seem to be
_ENGAGED = np.array([0.010, 0.018, 0.028, 0.042])  # m, of a finger beside the object
_TIP_GAP = 0.0025  # m
_APART = 0.008  # m, and
_TURNED = np.pi / 8  # rad: grasps that differ by less are one


def plan_grasps(
    points: NDArray[np.floating],
    view: DepthView,
    normal: NDArray[np.float64],
    distance: float,
    gripper: ParallelGripper,
    most: int,
) -> Grasps:
    """Return the best grasps of an object, or why there is none.

    points: (N, 3) of the object's visible surface in the optical frame, in metres.
    view: the depth image round the object, at least the palm's length and the opening away.
    normal, distance: of the plane that it stands on, whose points X have normal @ X == distance; of
        length 1, downwards.
    most: grasps.
    """
    if len(points) < _FEWEST:
        return Grasps((), f'Only {len(points)} depth points are on the object.')
    chosen = points[np.linspace(0, len(points) - 1, min(len(points), 3000)).astype(np.intp)]
    middle = chosen.mean(axis=0, dtype=np.float64)
    frame = TableFrame.below(middle, normal, distance)
    visible = frame.from_optical(chosen)
    whole = np.concatenate([visible, mirrored(visible, view, frame)])
    centre = (whole[:, :2].min(axis=0) + whole[:, :2].max(axis=0)) / 2
    shift = np.array([*centre, 0.0])
    frame = TableFrame(frame.to_optical(shift), frame.axes)
    whole -= shift
    radius = float(np.linalg.norm(whole[:, :2], axis=1).max())
    cell = max(_LEAST_CELL, 2 * (radius + _reach(gripper)) / SIDE)
    around, is_object = view.points(_PITCH)
    heights = HeightMap.of(
        whole,
        frame.from_optical(around[~is_object]),
        view,
        frame,
        cell,
        _GROUND + _GROUND_NOISE * float(middle[2]),
    )
    clearances = Clearances.of(heights, gripper)
    top = float(whole[:, 2].max())
    if top < _LOWEST_TIP + _TIP_GAP:
        return Grasps((), f'It is too flat to hold: {1000 * top:.0f} mm high.')
    proposals, least = propose(clearances, gripper, _tips(top, gripper))
    if not len(proposals.angle):
        return Grasps((), _why_none(least, gripper))
    return _judged(proposals, whole, clearances, frame, gripper, most)


def _reach(gripper: ParallelGripper) -> float:
    """Return how far a gripper reaches from the outline of an object, in metres."""
    return max(
        gripper.finger_thickness + 0.01,
        float(np.hypot(gripper.palm_length, gripper.palm_width)) / 2,
    )


def _tips(top: float, gripper: ParallelGripper) -> NDArray[np.float64]:
    """Return heights of fingertips to try, in metres; top: of the object."""
    deepest = max(_LOWEST_TIP, top - gripper.finger_depth + _TIP_GAP)
    tips = np.concatenate([[deepest], top - _ENGAGED])
    return np.unique(np.round(tips[tips >= deepest], 4))


def _why_none(least: float, gripper: ParallelGripper) -> str:
    if np.isfinite(least):
        return (
            f'It is too wide: the fingers would have to open by {100 * least:.1f} cm and open by '
            f'{100 * gripper.max_opening:.1f} cm.'
        )
    return 'Other things beside the object, or on it, leave no room for the fingers.'


def _judged(
    proposals: Proposals,
    whole: NDArray[np.float64],
    clearances: Clearances,
    frame: TableFrame,
    gripper: ParallelGripper,
    most: int,
) -> Grasps:
    few = whole[np.linspace(0, len(whole) - 1, min(len(whole), 2 * _MOST)).astype(np.intp)]
    few = few.astype(np.float32)
    theta = np.pi * np.arange(ANGLES) / ANGLES
    cos, sin = np.cos(theta)[:, None].astype(np.float32), np.sin(theta)[:, None].astype(np.float32)
    u = (few[:, 0] * cos + few[:, 1] * sin)[proposals.angle]
    v = (few[:, 1] * cos - few[:, 0] * sin)[proposals.angle]
    contacts = contacts_of(u, v, few[:, 2], proposals.u, proposals.v, proposals.tip, gripper)
    middle, width = contacts.u.mean(axis=1), np.ptp(contacts.u, axis=1)
    is_free, is_hidden = _collisions(proposals, contacts, clearances, gripper)
    quality = qualities(contacts, np.hypot(middle, proposals.v), is_hidden, gripper)
    if not is_free.any():
        return Grasps((), 'Other things beside the object leave no room for the gripper.')
    quality = np.where(is_free, quality, 0.0)
    if not quality.any():
        return Grasps((), 'Its sides are too steep: the fingers would slip off wherever they fit.')
    grasps: list[Grasp] = []
    kept: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for k in np.argsort(-quality, kind='stable'):
        if not quality[k] or len(grasps) == most:
            break
        place = np.array([middle[k], proposals.v[k]])
        angle = theta[proposals.angle[k]]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        position = np.array([*(turn @ place), proposals.tip[k]])
        closing = np.array([np.cos(angle), np.sin(angle), 0.0])
        if any(_is_near(position, closing, other) for other in kept):
            continue
        kept.append((position, closing))
        approach = np.array([0.0, 0.0, -1.0])
        axes = np.stack([np.cross(closing, approach), closing, approach])
        grasps.append(
            Grasp(
                frame.to_optical(position),
                (axes @ frame.axes).T,
                float(width[k]),
                float(quality[k]),
            )
        )
    return Grasps(tuple(grasps), '')


def _is_near(
    position: NDArray[np.float64],
    closing: NDArray[np.float64],
    other: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> bool:
    is_beside = np.linalg.norm(position - other[0]) < _APART
    return bool(is_beside and abs(closing @ other[1]) > np.cos(_TURNED))


def _collisions(
    proposals: Proposals, contacts: Contacts, clearances: Clearances, gripper: ParallelGripper
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which grasps (N,) touch nothing else, and whose fingers go to what could be hidden."""
    middle = np.nan_to_num(contacts.u.mean(axis=1))
    width = np.nan_to_num(np.ptp(contacts.u, axis=1))
    opening = gripper.opening_for(width)
    row, column = clearances.index_of(proposals.v), clearances.index_of(middle)
    limit = proposals.tip - _TIP_GAP
    is_free = clearances.palm[proposals.angle, row, column] <= limit + gripper.finger_depth
    is_hidden = np.zeros(len(row), bool)
    for side in (-0.5, 0.5):
        finger = clearances.index_of(middle + side * (opening + gripper.finger_thickness))
        is_free &= clearances.fingers[proposals.angle, row, finger] <= limit
        is_hidden |= clearances.hidden_fingers[proposals.angle, row, finger] > limit
    first, last = (clearances.index_of(contact) for contact in np.nan_to_num(contacts.u).T)
    cells = np.arange(SIDE)
    is_between = (cells >= first[:, None]) & (cells <= last[:, None])
    others = clearances.other_rows[proposals.angle, row]
    is_free &= ~((others > limit[:, None]) & is_between).any(axis=1)
    return is_free, is_hidden
