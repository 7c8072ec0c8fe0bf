"""Grasps as messages and as lines in rviz."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from iterprime_ros.geometry.grasp import Grasp, Grasps
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.grasps import add_grasps, grasp_marker

HEADER = Header(frame_id='optical')
NUMBERS = st.floats(-1, 1)


@st.composite
def grasps(draw):
    rotation = Rotation.random(random_state=draw(st.integers(0, 10**6))).as_matrix()
    position = np.array([draw(NUMBERS) for _ in range(3)])
    return Grasp(position, rotation, draw(st.floats(0.001, 0.1)), draw(st.floats(0, 1)))


@given(st.lists(grasps(), max_size=4))
def test_messages_have_the_pose_the_width_and_the_quality(planned):
    message = ReferredObject()
    add_grasps(message, Grasps(tuple(planned), '' if planned else 'It is too flat.'))
    assert message.grasps_text == ('' if planned else 'It is too flat.')
    assert len(message.grasps) == len(planned)
    for sent, grasp in zip(message.grasps, planned, strict=True):
        at, turn = sent.pose.position, sent.pose.orientation
        assert [at.x, at.y, at.z] == grasp.position.tolist()
        rotation = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
        assert rotation == pytest.approx(grasp.rotation, abs=1e-9)
        assert [sent.width, sent.quality] == pytest.approx([grasp.width, grasp.quality])


@given(st.lists(grasps(), min_size=1, max_size=3))
def test_lines_are_two_fingers_the_palm_and_the_closing_axis(planned):
    marker = grasp_marker(HEADER, planned, 0.06)
    assert (marker.type, marker.action) == (Marker.LINE_LIST, Marker.ADD)
    points = np.array([[p.x, p.y, p.z] for p in marker.points]).reshape(len(planned), 5, 2, 3)
    colours = np.array([[c.r, c.g, c.a] for c in marker.colors]).reshape(len(planned), 10, 3)
    for number, grasp in enumerate(planned):
        left, right, palm, stem, closing = (points[number] - grasp.position) @ grasp.rotation
        half = [0, grasp.width / 2, 0]
        assert closing == pytest.approx(np.stack([-np.array(half), half]), abs=1e-9)
        assert left[0] == pytest.approx(closing[0], abs=1e-9)
        assert right[0] == pytest.approx(closing[1], abs=1e-9)
        for finger in (left, right):
            assert finger[1] - finger[0] == pytest.approx([0, 0, -0.06], abs=1e-9)
        assert palm == pytest.approx(np.stack([left[1], right[1]]), abs=1e-9)
        assert stem[1] == pytest.approx([0, 0, -0.09], abs=1e-9)
        red, green, opacity = colours[number].mean(axis=0)
        assert [red, green] == pytest.approx([1 - grasp.quality, grasp.quality], abs=1e-6)
        assert (opacity == 1) == (number == 0)


def test_without_a_grasp_the_lines_go():
    assert grasp_marker(HEADER, [], 0.06).action == Marker.DELETE
