"""Coordinates on a plane against those of the plane that objects are measured on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iterprime_ros.geometry.table_frame import TableFrame
from iterprime_ros.spatial.supporting_plane import SupportingPlane

POINTS = arrays(np.float64, (5, 3), elements=st.floats(-2, 2))


@st.composite
def normals(draw):
    """Downward and away from the camera, as those of tables are."""
    normal = np.array([draw(st.floats(-0.5, 0.5)), 1.0, draw(st.floats(0.0, 3.0))])
    return normal / np.linalg.norm(normal)


@given(normals(), st.floats(0.2, 3.0), POINTS)
def test_points_come_back_and_heights_are_those_above_the_plane(normal, distance, points):
    frame = TableFrame.below(points[0], normal, distance)
    assert frame.axes @ frame.axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(frame.axes) == pytest.approx(1)
    assert normal @ frame.origin == pytest.approx(distance)
    on_table = frame.from_optical(points)
    assert frame.to_optical(on_table) == pytest.approx(points, abs=1e-9)
    plane = SupportingPlane.of(normal, distance)
    assert on_table[:, 2] == pytest.approx(plane.heights(points), abs=1e-9)
    flat = plane.on_plane(points) - plane.on_plane(points[:1])
    assert on_table[:, :2] == pytest.approx(flat, abs=1e-9)


def test_what_is_given_in_single_precision_stays_in_it():
    frame = TableFrame.below(np.zeros(3), np.array([0.0, 1.0, 0.0]), 0.5)
    points = np.ones((2, 3), np.float32)
    assert frame.from_optical(points).dtype == frame.to_optical(points).dtype == np.float32
