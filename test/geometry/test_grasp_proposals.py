"""Proposed grasps against a plain search along every line of every turned map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.geometry.grasp_proposals import ANGLES, TIP_GAP, Clearances, propose
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.height_map import SIDE, HeightMap

CELL = 0.003
GRIPPER = ParallelGripper()
TIPS = np.array([0.004, 0.02])
MIDDLE = (SIDE - 1) / 2


def map_with(objects, others=()):
    """A height map with boxes: first and last row, first and last column, height in metres."""
    maps = []
    for boxes in (objects, others):
        heights = np.zeros((SIDE, SIDE), np.float32)
        for top, bottom, left, right, height in boxes:
            part = heights[top : bottom + 1, left : right + 1]
            part[...] = np.maximum(part, height)
        maps.append(heights)
    return HeightMap(CELL, *maps, np.zeros((SIDE, SIDE), np.float32))


def plain_pairs(clearances, tips):
    """Every place of two fingers: a free cell, things in the way, the next free cell, and so on."""
    pairs = set()
    for t, tip in enumerate(tips):
        free = clearances.fingers <= np.float32(tip) - np.float32(TIP_GAP)
        held = clearances.object_rows > np.float32(tip)
        for k, m in np.ndindex(free.shape[:2]):
            for left in range(SIDE - 1):
                if not free[k, m, left] or free[k, m, left + 1]:
                    continue
                ends = [n for n in range(left + 1, SIDE) if free[k, m, n] and not free[k, m, n - 1]]
                for right in ends[:3]:
                    opening = (right - left) * CELL - GRIPPER.finger_thickness
                    if held[k, m, left + 1 : right + 1].any():
                        pairs.add((t, k, m, left, right, opening <= GRIPPER.max_opening))
    return pairs


BOXES = st.tuples(
    st.integers(20, 60), st.integers(0, 18), st.integers(20, 60), st.integers(0, 18),
    st.sampled_from([0.003, 0.01, 0.04, 0.1]),
).map(lambda box: (box[0], box[0] + box[1], box[2], box[2] + box[3], box[4]))  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.lists(BOXES, min_size=1, max_size=3), st.lists(BOXES, max_size=2))
def test_fingers_are_where_the_plain_search_puts_them(objects, others):
    clearances = Clearances.of(map_with(objects, others), GRIPPER)
    pairs = plain_pairs(clearances, TIPS)
    proposals, least = propose(clearances, GRIPPER, TIPS)
    row = int(np.abs(clearances.rows - MIDDLE).argmin())
    widths = []
    for tip, line in ((tip, line) for tip in TIPS for line in clearances.object_rows[:, row]):
        cells = np.flatnonzero(line > np.float32(tip))
        widths.append((cells[-1] - cells[0] + 1) * CELL if len(cells) else 0.0)
    assert least == pytest.approx(min(widths))
    fitting = {pair[:5] for pair in pairs if pair[5]}
    half = np.array([-0.5, 0.5]) * GRIPPER.finger_thickness
    for n in range(len(proposals.angle)):
        left, right = np.rint((proposals.u[n] + half) / CELL + MIDDLE).astype(int)
        tip = int(np.flatnonzero(proposals.tip[n] == TIPS)[0])
        assert (tip, proposals.angle[n], proposals.row[n], left, right) in fitting
        row = clearances.rows[proposals.row[n]]
        assert proposals.v[n] == pytest.approx((row - MIDDLE) * CELL)
    groups = {pair[:2] for pair in fitting}
    assert {
        (int(np.flatnonzero(tip == TIPS)[0]), angle)
        for tip, angle in zip(proposals.tip, proposals.angle.tolist(), strict=True)
    } == groups


def test_a_bar_is_held_across_and_not_along():
    bar = map_with([(46, 49, 25, 70, 0.05)])  # 14 cm along x, 1 cm along y
    proposals, _ = propose(Clearances.of(bar, GRIPPER), GRIPPER, TIPS)
    turn = np.abs(proposals.angle - ANGLES // 2)  # from closing along y
    assert len(turn)
    assert turn.max() < ANGLES // 2  # never along it, for which it is too long
    assert (turn == 0).any()


def test_what_is_too_wide_in_the_middle_says_how_wide_it_is():
    block = map_with([(28, 67, 28, 67, 0.05)])  # 12 cm
    proposals, least = propose(Clearances.of(block, GRIPPER), GRIPPER, TIPS)
    assert least == pytest.approx(0.12, abs=0.015)
    assert (np.abs(proposals.v) > 0.02).all()  # across its corners only


def test_between_walls_there_is_no_room_for_a_finger():
    walls = [(0, 95, 0, 41, 0.1), (0, 95, 54, 95, 0.1), (0, 41, 0, 95, 0.1), (54, 95, 0, 95, 0.1)]
    pit = map_with([(46, 49, 46, 49, 0.05)], walls)  # 1 cm, and 1 cm round it
    proposals, least = propose(Clearances.of(pit, GRIPPER), GRIPPER, TIPS)
    assert not len(proposals.angle)
    assert least < 0.03


def test_the_palm_is_stopped_by_what_stands_beside_the_object():
    beside = map_with([(46, 49, 46, 49, 0.03)], [(46, 49, 62, 64, 0.2)])  # 4 cm away, 20 cm high
    clearances = Clearances.of(beside, GRIPPER)
    row = int(np.argmin(np.abs(clearances.rows - MIDDLE)))
    column = int(clearances.columns_of(np.zeros(1))[0])
    assert clearances.palm[0, row, column] == pytest.approx(0.2)  # the palm lies along x
    assert clearances.palm[ANGLES // 2, row, column] == pytest.approx(0.03)
    assert clearances.fingers[0, row, column] == pytest.approx(0.03)
