"""Where two fingers can come down from above with an object between them."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE, HeightMap, highest_along, highest_beside

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
    row: (N,) int64, that of Clearances in which their middle is.
    v: (N,) float64, where that is along the axis a quarter turn further.
    tip: (N,) float64, height of the fingertips.
    """

    angle: NDArray[np.int64]
    u: NDArray[np.float64]
    row: NDArray[np.int64]
    v: NDArray[np.float64]
    tip: NDArray[np.float64]

    def at(self, index: NDArray[np.intp]) -> 'Proposals':
        """Return some of them."""
        return Proposals(*(getattr(self, each.name)[index] for each in fields(self)))


@dataclass(frozen=True)
class Clearances:
    """What is in the way of a gripper that comes down, along the turned axes of a height map.

    All maps are (ANGLES, R, SIDE) float32 heights in metres; they have some of its rows only.

    cell: in metres.
    rows: (R,) of the height map, which are a step apart and cross the object.
    object_rows: the object over the width of a finger.
    other_rows: likewise everything else that is seen.
    fingers: all that is seen, over a finger.
    hidden_fingers: likewise with the far sides of other things.
    palm: all that is seen, over the palm.
    """

    cell: float
    rows: NDArray[np.intp]
    object_rows: NDArray[np.float32]
    other_rows: NDArray[np.float32]
    fingers: NDArray[np.float32]
    hidden_fingers: NDArray[np.float32]
    palm: NDArray[np.float32]

    @classmethod
    def of(cls, heights: HeightMap, gripper: ParallelGripper) -> 'Clearances':
        """Return the clearances round an object."""
        cell = heights.cell
        objects, others, hidden = heights.turned(ANGLES)
        reach = np.flatnonzero(objects.any(axis=(0, 2)))
        step = max(1, round(_ROW_STEP / cell))
        rows = np.arange((SIDE - 1) // 2 % step, SIDE, step)
        rows = rows[(rows >= reach[0]) & (rows <= reach[-1])]
        width = (gripper.finger_width + 2 * _SLACK) / cell
        thickness = (gripper.finger_thickness + 2 * _SLACK) / cell
        object_rows, other_rows = (highest_beside(each, rows, width) for each in (objects, others))
        fingers = highest_along(np.maximum(object_rows, other_rows), thickness)
        hidden_fingers = fingers
        if hidden.any():
            hidden_rows = highest_beside(hidden, rows, width)
            hidden_fingers = np.maximum(fingers, highest_along(hidden_rows, thickness))
        palm = highest_beside(np.maximum(objects, others), rows, gripper.palm_width / cell)
        palm = highest_along(palm, gripper.palm_length / cell)
        return cls(cell, rows, object_rows, other_rows, fingers, hidden_fingers, palm)

    def columns_of(self, u: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the cells of places (...) along u."""
        index = np.rint(u / self.cell + (SIDE - 1) / 2)
        return np.clip(index, 0, SIDE - 1).astype(np.intp)


def propose(
    clearances: Clearances, gripper: ParallelGripper, tips: NDArray[np.float64]
) -> tuple[Proposals, float]:
    """Return the grasps whose fingers come down freely beside an object, and how wide it is.

    tips: (T,) heights of the fingertips, in metres.

    The second is its least width through the middle, in metres; 0 if it is lower than all tips.
    """
    cell = clearances.cell
    levels = tips.astype(np.float32)[:, None, None, None]
    free = (clearances.fingers <= levels - np.float32(TIP_GAP)).reshape(-1, SIDE)
    held = (clearances.object_rows > levels).reshape(-1, SIDE)
    # Along every line: where the left finger is free for the last time before something that is in
    # the way, and the right one for the first time behind it, or behind one of the next things.
    line, left = np.nonzero(free[:, :-1] & ~free[:, 1:])
    end_line, right = np.nonzero(~free[:, :-1] & free[:, 1:])
    first = np.searchsorted(end_line * SIDE + right, line * SIDE + left)
    pairs = first[:, None] + np.arange(_PAIRS)
    known = np.append(end_line, -1)
    pairs = np.minimum(pairs, len(end_line))
    is_pair = known[pairs] == line[:, None]
    line, left = (np.broadcast_to(each[:, None], pairs.shape)[is_pair] for each in (line, left))
    right = right[pairs[is_pair]] + 1
    totals = np.cumsum(held, axis=1, dtype=np.int16)
    is_held = totals[line, right] > totals[line, left]
    line, left, right = line[is_held], left[is_held], right[is_held]
    opening = (right - left) * cell - gripper.finger_thickness
    tip, angle, row = np.unravel_index(line, (len(tips), ANGLES, len(clearances.rows)))
    fits = opening <= gripper.max_opening
    tip, angle, row, left, right = (each[fits] for each in (tip, angle, row, left, right))
    middle = (SIDE - 1) / 2
    u = (np.stack([left, right], axis=1) - middle) * cell
    u += np.array([0.5, -0.5]) * gripper.finger_thickness
    v = (clearances.rows[row].astype(np.float64) - middle) * cell
    # Of a rim, too, the places are best where the closing axis goes through the middle.
    kept = _nearest(angle + ANGLES * tip, np.hypot(u.mean(axis=1) / 2, v))
    proposals = Proposals(angle[kept], u[kept], row[kept], v[kept], tips[tip[kept]])
    return proposals, _least_width(clearances, tips)


def _least_width(clearances: Clearances, tips: NDArray[np.float64]) -> float:
    """Return the least width of the object on lines through its middle, in metres."""
    row = int(np.abs(clearances.rows - (SIDE - 1) / 2).argmin())
    held = clearances.object_rows[None, :, row] > tips.astype(np.float32)[:, None, None]
    widths = SIDE - held.argmax(axis=2) - held[..., ::-1].argmax(axis=2)
    return clearances.cell * float(np.where(held.any(axis=2), widths, 0).min())


def _nearest(group: NDArray[np.intp], distance: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the members (N,) of each group that are nearest."""
    order = np.lexsort((distance, group))
    ordered = group[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < _MOST]
