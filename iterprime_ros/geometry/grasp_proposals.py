"""Where two fingers can come down from above with an object between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE, HeightMap, widest

ANGLES = 16  # closing axes, over half a turn
_ROW_STEP = 0.005  # m between grasps beside each other
_SLACK = 0.002  # m, by which a finger may be off
TIP_GAP = 0.0015  # m, between a fingertip, or the palm, and what is below it
_PAIRS = 3  # parts of an object, counted from one finger, among which the other finger is
_MOST = 3  # proposals of one closing axis and one height, those nearest to the middle


@dataclass(frozen=True)
class Proposals:
    """N grasps from above in the table frame; positions along the turned axes, in metres.

    angle: (N,) int64, of the closing axis, in parts pi / ANGLES from x.
    u: (N, 2) float64, where along the closing axis the inner sides of the fingers are.
    v: (N,) float64, their middle along the axis a quarter turn further.
    tip: (N,) float64, height of the fingertips.
    """

    angle: NDArray[np.int64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]
    tip: NDArray[np.float64]

    def at(self, index: NDArray[np.intp]) -> 'Proposals':
        """Return some of them."""
        return Proposals(self.angle[index], self.u[index], self.v[index], self.tip[index])


@dataclass(frozen=True)
class Clearances:
    """What is in the way of a gripper that comes down, at every place along every closing axis.

    cell: in metres.
    object_rows: (ANGLES, SIDE, SIDE), height of the object over the width of a finger.
    other_rows: likewise of everything else that is seen.
    fingers: of all that is seen, over a finger.
    hidden_fingers: of what other things could hide, too.
    palm: of all that is seen, over the palm.
    """

    cell: float
    object_rows: NDArray[np.float32]
    other_rows: NDArray[np.float32]
    fingers: NDArray[np.float32]
    hidden_fingers: NDArray[np.float32]
    palm: NDArray[np.float32]

    @classmethod
    def of(cls, heights: HeightMap, gripper: ParallelGripper) -> 'Clearances':
        """Return the clearances round an object."""
        objects, others, hidden = heights.turned(ANGLES)
        width = (gripper.finger_width + 2 * _SLACK) / heights.cell
        thickness = (gripper.finger_thickness + 2 * _SLACK) / heights.cell
        object_rows, other_rows = widest(objects, 1, width), widest(others, 1, width)
        rows = np.maximum(object_rows, other_rows)
        fingers = widest(rows, thickness, 1)
        sides = gripper.palm_length / heights.cell, gripper.palm_width / heights.cell
        return cls(
            heights.cell,
            object_rows,
            other_rows,
            fingers,
            np.maximum(fingers, widest(hidden, thickness, width)),
            widest(np.maximum(objects, others), *sides),
        )

    def index_of(self, place: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the cell of places (...) along u or v."""
        index = np.rint(place / self.cell + (SIDE - 1) / 2)
        return np.clip(index, 0, SIDE - 1).astype(np.intp)


def propose(
    clearances: Clearances, gripper: ParallelGripper, tips: NDArray[np.float64]
) -> tuple[Proposals, float]:
    """Return the grasps whose fingers come down freely beside an object, and how wide it is.

    tips: (T,) heights of the fingertips, in metres.

    The second is the least distance that free fingers need to have, in metres, whatever the
    gripper's is; infinite where fingers are free nowhere.
    """
    cell = clearances.cell
    rows = _rows(clearances)
    free = clearances.fingers[:, rows][None] <= tips[:, None, None, None] - TIP_GAP
    held = clearances.object_rows[:, rows][None] > tips[:, None, None, None]
    before = np.cumsum(held, axis=3)
    shape = free.shape
    flat = free.reshape(-1, SIDE)
    starts = np.flatnonzero(flat[:, :-1] & ~flat[:, 1:])
    ends = np.flatnonzero(~flat[:, :-1] & flat[:, 1:])
    line_of_end = ends // (SIDE - 1)
    first = np.searchsorted(ends, starts)[:, None] + np.arange(_PAIRS)
    is_there = first < len(ends)
    first = np.where(is_there, first, 0)
    line = np.broadcast_to((starts // (SIDE - 1))[:, None], first.shape)
    if not len(ends):
        return Proposals(*(np.empty(s) for s in ((0,), (0, 2), (0,), (0,)))), float('inf')
    is_there &= line_of_end[first] == line
    line, left, right = (
        each[is_there]
        for each in (
            line,
            np.broadcast_to((starts % (SIDE - 1))[:, None], first.shape),
            ends[first] % (SIDE - 1) + 1,
        )
    )
    totals = before.reshape(-1, SIDE)
    is_held = totals[line, right] > totals[line, left]
    line, left, right = line[is_held], left[is_held], right[is_held]
    opening = (right - left) * cell - gripper.finger_thickness
    least = float(opening.min(initial=np.inf))
    fits = opening <= gripper.max_opening
    line, left, right = line[fits], left[fits], right[fits]
    tip, angle, row = np.unravel_index(line, shape[:3])
    middle = (SIDE - 1) / 2
    u = (np.stack([left, right], axis=1) - middle) * cell
    u += np.array([0.5, -0.5]) * gripper.finger_thickness
    v = (rows[row] - middle) * cell
    kept = _nearest(angle + ANGLES * tip, np.hypot(u.mean(axis=1), v))
    return Proposals(angle[kept], u[kept], v[kept], tips[tip[kept]]), least


def _rows(clearances: Clearances) -> NDArray[np.intp]:
    """Return rows of the turned maps in which the object may be, a step apart."""
    reach = np.flatnonzero((clearances.object_rows > 0).any(axis=(0, 2)))
    step = max(1, round(_ROW_STEP / clearances.cell))
    middle = (SIDE - 1) // 2
    rows = np.arange(middle % step, SIDE, step)
    return rows[(rows >= reach[0]) & (rows <= reach[-1])]


def _nearest(group: NDArray[np.intp], distance: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the members (N,) of each group that are nearest."""
    order = np.lexsort((distance, group))
    ordered = group[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < _MOST]
