"""What is known of a track as messages."""

import math
from typing import Any

import numpy as np

from iterprime_ros.answer import Candidate as CandidateMask
from iterprime_ros.geometry.constant_velocity import MotionEstimate
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages.message_classes import MessageClasses
from iterprime_ros.messages.referred_object import candidate_message, named, pose_of
from iterprime_ros.tracking.track import TrackedMask, TrackState

_NAN = float('nan')
_ANY_ANGLE = math.pi**2 / 3  # rad^2, of an angle of which nothing is known: uniform over a turn


def add_track(
    classes: MessageClasses,
    message: Any,
    track_id: int,
    tracked: TrackedMask,
    estimate: MotionEstimate | None,
) -> None:
    """Write the track into the message of its answer on an image.

    track_id: the track's number.
    tracked: the object in the image.
    estimate: the filtered position of the object; None where it has none.
    """
    message.track_id = track_id
    message.track_state = getattr(type(message), tracked.state.name)
    message.track_age = tracked.age
    message.track_confidence = tracked.confidence
    if tracked.age:
        message.ranked_by = ''  # nothing was ranked
    if tracked.state is TrackState.UNSURE and tracked.mask.any():
        message.image_height, message.image_width = tracked.mask.shape
        guess = CandidateMask(tracked.mask, _NAN, _NAN, _NAN)
        message.candidates = [candidate_message(classes, message.header, guess)]
    if estimate is not None:
        message.track_position = named(classes.Point, 'xyz', estimate.position)
        message.track_position_covariance = estimate.covariance[:3, :3].ravel()
        message.track_velocity = named(classes.Vector3, 'xyz', estimate.state[3:])
        message.track_velocity_covariance = estimate.covariance[3:, 3:].ravel()


def filtered_pose(
    classes: MessageClasses, header: Any, surface: Surface, estimate: MotionEstimate
) -> Any:
    """Return the pose of the box round a surface, its centre where the filter says."""
    pose = pose_of(classes, surface.box)
    pose.position = named(classes.Point, 'xyz', estimate.position)
    return classes.PoseStamped(header=header, pose=pose)


def pose_with_covariance(
    classes: MessageClasses, header: Any, surface: Surface, estimate: MotionEstimate
) -> Any:
    """Return `filtered_pose` with its covariance, (6, 6) row-major over x, y, z and rotations.

    The orientation is of this image alone and may turn by whole axes from one image to the next, so
    that its variance is that of an unknown angle.
    """
    message = classes.PoseWithCovarianceStamped(header=header)
    message.pose.pose = filtered_pose(classes, header, surface, estimate).pose
    covariance = _ANY_ANGLE * np.eye(6)
    covariance[:3, :3] = estimate.position_covariance
    message.pose.covariance = covariance.ravel()
    return message
