"""Paths are smooth, end where they should, and are as fast as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.sim.paths import (
    RATE_HZ,
    bowed,
    frames_for,
    leg,
    minimum_jerk,
    round_each_other,
    top_speed,
)

PLACES = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)).map(np.array)


def test_a_minimum_jerk_leg_starts_and_ends_at_rest_and_has_least_jerk():
    time = np.linspace(0, 1, 2001)
    way = minimum_jerk(time)
    assert (way[0], way[-1]) == (0, 1)
    assert np.all(np.diff(way) >= 0)
    speed = np.gradient(way, time)
    assert speed[[0, -1]] == pytest.approx(0, abs=1e-3)
    assert speed.max() == pytest.approx(1.875, abs=1e-4)
    assert np.gradient(speed, time)[[1, -2]] == pytest.approx(0, abs=0.1)

    def jerk(values):
        third = np.diff(values, 3) * 2000**3
        return (third**2).sum() / 2000

    assert jerk(way) == pytest.approx(720, rel=0.01)  # the least there is, 720 D^2 / T^5
    # Anything added that leaves both ends at rest makes it worse.
    for bump in (time**3 * (1 - time) ** 3, np.sin(np.pi * time) ** 4):
        assert jerk(way + 0.05 * bump) > jerk(way)


def test_a_leg_waits_before_and_after():
    way = leg(30, 5, 10)
    assert np.all(way[:6] == 0)
    assert np.all(way[15:] == 1)
    assert way[10] == pytest.approx(0.5)


@given(distance=st.floats(0.01, 0.8), speed=st.floats(0.1, 1.0))
def test_a_leg_is_not_faster_than_asked_for(distance, speed):
    frames = frames_for(distance, speed)
    way = leg(frames + 10, 3, frames)
    assert top_speed(distance * way[:, None]) <= speed * (1 + 1e-9)
    if frames > 12:  # and not much slower
        assert top_speed(distance * way[:, None]) > 0.8 * speed


@given(start=PLACES, end=PLACES, bow=st.floats(-0.5, 0.5))
def test_a_bowed_path_ends_where_it_should(start, end, bow):
    points = bowed(start, end, bow, leg(20, 2, 15))
    assert points[0] == pytest.approx(start)
    assert points[-1] == pytest.approx(end)
    middle = bowed(start, end, bow, np.array([0.5]))[0]
    across = np.array([start[1] - end[1], end[0] - start[0]])
    assert middle == pytest.approx((start + end) / 2 + bow / 2 * across)


@given(start=PLACES, centre=PLACES, flattening=st.floats(0.3, 1.5), turn=st.sampled_from((-1, 1)))
def test_two_that_go_round_each_other_are_always_opposite(start, centre, flattening, turn):
    way = leg(20, 2, 15)
    one = round_each_other(start, centre, turn * np.pi, flattening, way)
    other = round_each_other(2 * centre - start, centre, turn * np.pi, flattening, way)
    assert one + other == pytest.approx(np.tile(2 * centre, (20, 1)))
    assert one[-1] == pytest.approx(other[0])
    reach = np.linalg.norm(start - centre)
    nearest = np.linalg.norm(one - centre, axis=1).min()
    assert nearest >= min(1, flattening) * reach - 1e-9


def test_a_path_of_one_point_stands_still():
    assert top_speed(np.zeros((1, 3))) == 0
    assert top_speed(np.array([[0.0, 0.0], [0.0, 0.1]])) == pytest.approx(0.1 * RATE_HZ)
