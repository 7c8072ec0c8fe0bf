"""Tracks as messages: what is said of each state, and the poses."""

import math

import numpy as np
import pytest
from std_msgs.msg import Header

from iterprime_ros.geometry.constant_velocity import MotionEstimate
from iterprime_ros.geometry.oriented_box import OrientedBox
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.convert.referred_object import empty_referred_object, full_mask, roi_slices
from iterprime_ros.ros.convert.track import add_track, filtered_pose, pose_with_covariance
from iterprime_ros.tracking.track import TrackedMask, TrackState

ESTIMATE = MotionEstimate(1.0, np.arange(1.0, 7.0), np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) + 0.125)
SURFACE = Surface(
    1,
    np.zeros(3),
    OrientedBox(np.full(3, 9.0), np.array([0.0, 0.6, 0.0, 0.8]), np.ones(3)),
    np.zeros((1, 3), np.float32),
    np.zeros((1, 3), np.uint8),
)


def message_of(tracked, status, estimate=None):
    message = empty_referred_object(Header(frame_id='optical'), 'a command', status, 'Said.')
    add_track(message, 7, tracked, estimate)
    return message


def mask_of(*pixels):
    mask = np.zeros((6, 8), bool)
    mask[tuple(zip(*pixels, strict=True))] = True
    return mask


def test_a_track_is_its_number_its_age_and_its_motion():
    tracked = TrackedMask(mask_of((1, 2)), TrackState.TRACKING, 0.75, 12)
    message = message_of(tracked, ReferredObject.FOUND, ESTIMATE)
    assert (message.track_id, message.track_age) == (7, 12)
    assert (message.track_state, message.track_confidence) == (ReferredObject.TRACKING, 0.75)
    position, velocity = message.track_position, message.track_velocity
    assert (position.x, position.y, position.z) == (1, 2, 3)
    assert (velocity.x, velocity.y, velocity.z) == (4, 5, 6)
    for said, there in (
        (message.track_position_covariance, slice(0, 3)),
        (message.track_velocity_covariance, slice(3, 6)),
    ):
        assert np.array_equal(np.reshape(said, (3, 3)), ESTIMATE.covariance[there, there])


def test_a_guess_is_a_candidate_and_no_answer():
    guess = mask_of((1, 2), (3, 5))
    message = message_of(TrackedMask(guess, TrackState.UNSURE, 0.25, 3), ReferredObject.NOT_FOUND)
    assert message.track_state == ReferredObject.UNSURE
    assert not full_mask(message).any()
    (candidate,) = message.candidates
    seen = np.zeros((message.image_height, message.image_width), bool)
    seen[roi_slices(candidate.roi)] = from_image(candidate.mask) > 0
    assert np.array_equal(seen, guess)
    assert math.isnan(candidate.chance)


@pytest.mark.parametrize('state', [TrackState.UNSURE, TrackState.LOST])
def test_without_a_guess_nothing_is_claimed(state):
    nowhere = TrackedMask(np.zeros((6, 8), bool), state, 0.0, 3)
    message = message_of(nowhere, ReferredObject.NOT_FOUND)
    assert (message.candidates, message.image_width, message.track_confidence) == ([], 0, 0)
    assert math.isnan(message.track_position.x)
    assert np.isnan(message.track_velocity_covariance).all()


def test_poses_are_the_box_where_the_filter_says():
    header = Header(frame_id='optical')
    pose, whole = (
        make(header, SURFACE, ESTIMATE) for make in (filtered_pose, pose_with_covariance)
    )
    assert (pose.header, whole.header) == (header, header)
    assert (pose.pose.position.x, pose.pose.position.z) == (1, 3)
    assert (pose.pose.orientation.y, pose.pose.orientation.w) == (0.6, 0.8)
    assert whole.pose.pose == pose.pose
    covariance = np.reshape(whole.pose.covariance, (6, 6))
    assert np.array_equal(covariance[:3, :3], ESTIMATE.covariance[:3, :3])
    assert not covariance[:3, 3:].any()
    angles = np.linspace(-math.pi, math.pi, 100_001)
    assert np.diag(covariance)[3:] == pytest.approx([np.mean(angles**2)] * 3, rel=1e-3)
