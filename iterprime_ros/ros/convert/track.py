"""What is known of a track as messages."""

import math

import numpy as np
from geometry_msgs.msg import Point, PoseStamped, PoseWithCovarianceStamped, Vector3
from std_msgs.msg import Header

from iterprime_ros.answer import Candidate as CandidateMask
from iterprime_ros.geometry.constant_velocity import MotionEstimate
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.referred_object import candidate_message, pose_of
from iterprime_ros.tracking.track import TrackedMask, TrackState

TRACK_STATES = {
    TrackState.TRACKING: ReferredObject.TRACKING,
    TrackState.UNSURE: ReferredObject.UNSURE,
    TrackState.LOST: ReferredObject.LOST,
}
_NAN = float('nan')
_ANY_ANGLE = math.pi**2 / 3  # rad^2, of an angle of which nothing is known: uniform over a turn


def add_track(
    message: ReferredObject, track_id: int, tracked: TrackedMask, estimate: MotionEstimate | None
) -> None:
    """Write the track into the message of its answer on an image.

    track_id: the track's number.
    tracked: the object in the image.
    estimate: the filtered position of the object; None where it has none.
    """
    message.track_id = track_id
    message.track_state = TRACK_STATES[tracked.state]
    message.track_age = tracked.age
    message.track_confidence = tracked.confidence
    if tracked.age:
        message.ranked_by = ''  # nothing was ranked
    if tracked.state is TrackState.UNSURE and tracked.mask.any():
        message.image_height, message.image_width = tracked.mask.shape
        guess = CandidateMask(tracked.mask, _NAN, _NAN, _NAN)
        message.candidates = [candidate_message(message.header, guess)]
    if estimate is not None:
        message.track_position = Point(**dict(zip('xyz', estimate.position, strict=True)))
        message.track_position_covariance = estimate.covariance[:3, :3].ravel()
        message.track_velocity = Vector3(**dict(zip('xyz', estimate.state[3:], strict=True)))
        message.track_velocity_covariance = estimate.covariance[3:, 3:].ravel()


def filtered_pose(header: Header, surface: Surface, estimate: MotionEstimate) -> PoseStamped:
    """Return the pose of the box round a surface, its centre where the filter says."""
    pose = pose_of(surface.box)
    pose.position = Point(**dict(zip('xyz', estimate.position, strict=True)))
    return PoseStamped(header=header, pose=pose)


def pose_with_covariance(
    header: Header, surface: Surface, estimate: MotionEstimate
) -> PoseWithCovarianceStamped:
    """Return `filtered_pose` with its covariance, (6, 6) row-major over x, y, z and rotations.

    The orientation is of this image alone and may turn by whole axes from one image to the next, so
    that its variance is that of an unknown angle.
    """
    message = PoseWithCovarianceStamped(header=header)
    message.pose.pose = filtered_pose(header, surface, estimate).pose
    covariance = _ANY_ANGLE * np.eye(6)
    covariance[:3, :3] = estimate.position_covariance
    message.pose.covariance = covariance.ravel()
    return message
