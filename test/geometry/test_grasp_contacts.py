"""Contacts of fingers against a plain loop, and against bodies whose normals are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.geometry.grasp_contacts import Contacts, contacts_of, qualities
from iterprime_ros.geometry.gripper import ParallelGripper

GRIPPER = ParallelGripper()
WIDE = np.array([[-0.05, 0.05]])
SEED = np.random.default_rng(5)


def contacts(points, tip, at=0.0, between=WIDE):
    """The contacts of one grasp that closes along x, with points (M, 3)."""
    u, v, heights = points.astype(np.float32).T
    return contacts_of(u[None], v[None], heights, between, np.array([at]), np.array([tip]), GRIPPER)


def plain_contact(points, tip, at, between):
    """Reach and turn of both sides, and the height between the fingers, point by point."""
    held = [
        (u, v - at, z - tip)
        for u, v, z in points
        if abs(v - at) <= GRIPPER.finger_width / 2
        and 0 <= z - tip <= GRIPPER.finger_depth
        and between[0] <= u <= between[1]
    ]
    if not held:
        return None
    sides, turns = [], []
    for sign in (1, -1):
        sides.append(min(sign * u for u, _, _ in held))
        halves = [[sign * u for u, v, _ in held if (v < 0) == is_before] for is_before in (0, 1)]
        both = [min(half) if half else np.inf for half in halves]
        turns.append(np.arctan(abs(both[0] - both[1]) / (GRIPPER.finger_width / 2)))
    return sides[0], -sides[1], max(turns), max(z for _, _, z in held)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-0.02, 0.02), st.floats(0.0, 0.03))
def test_contacts_are_those_of_the_plain_way(seed, at, tip):
    rng = np.random.default_rng(seed)
    points = rng.uniform([-0.06, -0.04, 0], [0.06, 0.04, 0.1], (60, 3)).astype(np.float32)
    at, tip = np.float32(at), np.float32(tip)
    found = contacts(points, tip, at)
    expected = plain_contact(points, tip, at, WIDE[0].astype(np.float32))
    if expected is None:
        assert np.isnan(found.u).all()
        assert qualities(found, np.zeros(1), np.zeros(1, bool), GRIPPER).tolist() == [0.0]
        return
    left, right, turn, height = expected
    assert found.u[0] == pytest.approx([left, right], abs=1e-6)
    assert found.depth[0] == pytest.approx(height, abs=1e-6)
    assert found.angle[0] >= turn - 1e-5  # it is the largest of several
    assert 0 <= qualities(found, np.zeros(1), np.zeros(1, bool), GRIPPER)[0] <= 1


def box(half, turned=0.0, height=0.05):
    """Points on the sides of an upright box, turned about its vertical axis, in radians."""
    points = SEED.uniform(-1, 1, (4000, 3)) * [*half, 0.5]
    axis = SEED.integers(2, size=len(points))
    points[np.arange(len(points)), axis] = np.sign(points[np.arange(len(points)), axis])
    points[np.arange(len(points)), axis] *= np.array(half)[axis]
    points[:, 2] = height * (points[:, 2] + 0.5)
    cos, sin = np.cos(turned), np.sin(turned)
    return points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])


def ball(radius):
    points = SEED.normal(size=(20000, 3))
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    return points + np.array([0, 0, radius])


@pytest.mark.parametrize('degrees', [0, 5, 10, 20])
def test_the_angle_to_a_box_is_that_by_which_it_is_turned(degrees):
    """Or that of the line between the corners at which the fingers touch it."""
    found = contacts(box((0.02, 0.04), np.radians(degrees)), 0.01)
    assert degrees - 1 <= np.degrees(found.angle[0]) <= 2 * degrees + 3
    assert np.ptp(found.u) == pytest.approx(
        0.04 / np.cos(np.radians(degrees)) + 0.024 * np.tan(np.radians(degrees)), abs=0.002
    )


def test_a_ball_is_held_below_its_middle_and_slips_out_above():
    radius = 0.03
    low, middle, high = (
        contacts(ball(radius), tip) for tip in (0.008, radius - 0.002, 1.6 * radius)
    )
    quality = [
        float(qualities(each, np.zeros(1), np.zeros(1, bool), GRIPPER)[0])
        for each in (low, middle, high)
    ]
    assert np.ptp(low.u) == pytest.approx(2 * radius, abs=1e-3)
    assert np.degrees(low.angle[0]) < 3
    # Where a finger's tip touches, the sphere leans by asin(0.6), and more above.
    assert np.degrees(high.angle[0]) > np.degrees(np.arcsin(0.6)) - 2
    assert quality[0] > quality[1] > 5 * quality[2]


def test_beside_the_middle_of_a_ball_it_turns_away():
    """By an angle between those at the finger's inner edge, which touches, and at its middle."""
    aside = np.degrees(contacts(ball(0.03), 0.008, at=0.02).angle[0])
    assert np.degrees(np.arcsin(0.008 / 0.03)) < aside < np.degrees(np.arcsin(0.02 / 0.03))


def test_what_ends_between_the_fingers_is_not_held():
    end = box((0.02, 0.04)) + np.array(
        [0, 0.045, 0]
    )  # only on one side of the middle of the fingers
    found = contacts(end, 0.01)
    assert found.angle[0] == pytest.approx(np.pi / 2)
    assert qualities(found, np.zeros(1), np.zeros(1, bool), GRIPPER)[0] < 1e-3


def test_the_wall_of_a_cup_is_held_though_it_leans_and_its_outside_is_not():
    """A cup that widens by 45 degrees towards the top, held by its wall and from outside."""
    angle, height = SEED.uniform(0, 2 * np.pi, 20000), SEED.uniform(0, 0.03, 20000)
    radius = 0.04 - height  # it narrows towards the top: fingers beside it are pushed up
    cone = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    outside = contacts(cone, 0.005)
    rim = contacts(cone, 0.005, between=np.array([[0.0, 0.05]]))
    assert np.tan(outside.angle[0]) == pytest.approx(1.5, abs=0.3)  # leaning counts by half more
    assert np.degrees(rim.angle[0]) < 10


def test_quality_falls_with_the_angle_the_distance_and_what_is_hidden():
    count = 6
    angles = np.radians(np.linspace(0, 50, count))
    u = np.tile([-0.02, 0.02], (count, 1))
    size = np.full((count, 2), 0.03)
    measured = Contacts(u, angles, size, np.full(count, 0.03))
    zeros, seen = np.zeros(count), np.zeros(count, bool)
    quality = qualities(measured, zeros, seen, GRIPPER)
    assert (np.diff(quality) < 0).all()
    assert 0.5 < quality[0] <= 1
    cone = np.degrees(np.arctan(GRIPPER.friction))
    half = np.interp(0.5 * quality[0], quality[::-1], np.degrees(angles)[::-1])
    assert half == pytest.approx(cone, abs=2)  # at the edge of the cone as good as not
    assert qualities(measured, zeros + 0.04, seen, GRIPPER) == pytest.approx(quality / 2)
    assert qualities(measured, zeros, ~seen, GRIPPER) == pytest.approx(0.7 * quality)
    small = Contacts(u, angles, 0.1 * size, np.full(count, 0.03))
    assert (qualities(small, zeros, seen, GRIPPER) < quality).all()
    wide = Contacts(2 * u, angles, size, np.full(count, 0.03))
    assert (qualities(wide, zeros, seen, GRIPPER) < quality).all()
