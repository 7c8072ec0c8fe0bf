"""Grasps of an object that stands or lies on a plane, from what a camera sees of it.

Fingers come down along the plane's normal. Candidates are sampled over closing axes, places and
heights, as samplers of antipodal grasps do on depth images (Mahler et al., "Dex-Net 2.0", RSS
2017), but on the object's points in space, completed by `mirror_completion`. docs/picking.md
explains it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.ball_completion import balls
from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.grasp import Grasp, Grasps
from iterprime_ros.geometry.grasp_choice import NO_ROOM, choose
from iterprime_ros.geometry.grasp_proposals import TIP_GAP, Clearances, propose
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE, HeightMap
from iterprime_ros.geometry.mirror_completion import mirrored
from iterprime_ros.geometry.table_frame import TableFrame

_LEAST_CELL = 0.0025  # m
_PITCH = 0.003  # m between points of surroundings
_FEWEST = 30  # points of an object
_DENSE = 8000  # points of an object's visible side
_MOST = 1000  # of them whose contacts are computed
_LOWEST_TIP = 0.004  # m above the plane
_GROUND = 0.002  # m; and
_SIGMAS = 3.0  # of the noise: how high the plane itself may seem to be
_ENGAGED = np.array([0.006, 0.010, 0.018, 0.028, 0.042])  # m, of a finger beside the object
_TIP_STEP = 0.002  # m between heights of fingertips, at least


def plan_grasps(
    points: NDArray[np.floating],
    view: DepthView,
    normal: NDArray[np.float64],
    distance: float,
    noise: float,
    gripper: ParallelGripper,
    most: int,
) -> Grasps:
    """Return the best grasps of an object, or why there is none.

    points: (N, 3) of the object's visible surface in the optical frame, in metres.
    view: the depth image round the object, at least the palm's length and the opening away.
    normal, distance: of the plane that it stands on, whose points X have normal @ X == distance; of
        length 1, downwards.
    noise: standard deviation of a depth, in metres.
    most: grasps.
    """
    if len(points) < _FEWEST:
        return Grasps((), f'Only {len(points)} depth points are on the object.')
    points = _evenly(points, _DENSE)
    chosen = _evenly(points, _MOST)
    frame = TableFrame.below(chosen.mean(axis=0, dtype=np.float64), normal, distance)
    visible = frame.from_optical(chosen)
    images, is_faced = mirrored(visible, view, frame, noise)
    parts = [visible, images]
    if not is_faced:
        parts.append(balls(visible, view, frame, noise))
    whole = np.concatenate(parts).astype(np.float64)
    top = float(whole[:, 2].max())
    if top < _LOWEST_TIP + TIP_GAP:
        return Grasps((), f'It is too flat to hold: {max(0.0, 1000 * top):.0f} mm high.')
    centre = (whole[:, :2].min(axis=0) + whole[:, :2].max(axis=0)) / 2
    shift = np.array([*centre, 0.0])
    frame = TableFrame(frame.to_optical(shift), frame.axes)
    whole -= shift
    radius = float(np.linalg.norm(whole[:, :2], axis=1).max())
    cell = max(_LEAST_CELL, 2 * (radius + _reach(gripper)) / SIDE)
    around, is_object = view.points(_PITCH)
    heights = HeightMap.of(
        np.concatenate([frame.from_optical(points), whole]),
        frame.from_optical(around[~is_object]),
        view,
        frame,
        cell,
        _GROUND + _SIGMAS * noise,
    )
    clearances = Clearances.of(heights, gripper)
    proposals, least = propose(clearances, gripper, _tips(top, gripper))
    is_too_wide = least > gripper.max_opening
    if not len(proposals.angle):
        return Grasps((), _too_wide(least, gripper) if is_too_wide else NO_ROOM)
    middle = _centre_of_mass(heights)
    choice = choose(proposals, whole, middle, clearances, gripper, most)
    if is_too_wide and not choice.grasps:
        return Grasps((), _too_wide(least, gripper))
    return Grasps(tuple(_in_optical(each, frame) for each in choice.grasps), choice.reason)


def _evenly(points: NDArray[np.floating], most: int) -> NDArray[np.floating]:
    return points[np.linspace(0, len(points) - 1, min(len(points), most)).astype(np.intp)]


def _reach(gripper: ParallelGripper) -> float:
    """Return how far a gripper reaches from the outline of an object, in metres."""
    return max(
        gripper.finger_thickness + 0.01,
        float(np.hypot(gripper.palm_length, gripper.palm_width)) / 2,
    )


def _tips(top: float, gripper: ParallelGripper) -> NDArray[np.float64]:
    """Return heights of fingertips to try, in metres; top: of the object."""
    deepest = max(_LOWEST_TIP, top - gripper.finger_depth + TIP_GAP)
    # Just above the lowest, too: the inside of a plate is a little higher than what it stands on.
    tips = np.concatenate([deepest + _TIP_STEP * np.arange(2), top - _ENGAGED])
    tips = np.sort(tips[(tips >= deepest) & (tips < top)])
    return tips[np.diff(tips, prepend=-1.0) >= 0.9 * _TIP_STEP]


def _too_wide(least: float, gripper: ParallelGripper) -> str:
    return (
        f'It is too wide: {100 * least:.0f} cm, and the fingers open by '
        f'{100 * gripper.max_opening:.1f} cm.'
    )


def _centre_of_mass(heights: HeightMap) -> NDArray[np.float64]:
    """Return where (2,) the middle of an object is, of one material and as high as it is seen."""
    weights = heights.objects.astype(np.float64)
    places = (np.arange(SIDE) - (SIDE - 1) / 2) * heights.cell
    return np.array([weights.sum(axis=0) @ places, weights.sum(axis=1) @ places]) / weights.sum()


def _in_optical(grasp: Grasp, frame: TableFrame) -> Grasp:
    """Return a grasp in a table frame as one in the optical frame."""
    position = frame.to_optical(grasp.position).astype(np.float64)
    return replace(grasp, position=position, rotation=frame.axes.T @ grasp.rotation)
