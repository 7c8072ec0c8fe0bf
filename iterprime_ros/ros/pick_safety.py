"""When a gripper must not move: what an answer, an image or the scene says against it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.scene_change import object_moved
from iterprime_ros.language.word_lists import words
from iterprime_ros.messages.depth_images import depth_of
from iterprime_ros.msg import Grasp, ReferredObject

# Verbs of commands that are carried out by picking something up; '' is a bare expression.
PICKING_VERBS = words('pick grab take get bring give hand pass fetch lift grasp') | {''}
_APART = 0.5  # seconds between an image and a depth image that it is compared by
_AHEAD = 0.5  # seconds that the clock of another machine may be ahead
_STATES = {ReferredObject.UNSURE: 'unsure', ReferredObject.LOST: 'lost'}


def reason_not_to_pick(answer: ReferredObject, now: float, max_age: float = 5.0) -> str:
    """Return why a gripper must not move for an answer, one sentence; '' where it may.

    It may for one object that was FOUND, at an order to pick something up or for a bare
    expression, on an image that is new enough, with a grasp.

    now: the time in seconds, by the clock that stamps the images.
    max_age: seconds that the image may be old.
    """
    if answer.status != ReferredObject.FOUND or answer.instance_count != 1:
        return answer.text or 'Nothing was found.'
    if answer.track_state in _STATES:
        return f'The object that is followed is {_STATES[answer.track_state]}.'
    if answer.action_verb not in PICKING_VERBS:
        return f'"{answer.action_verb}" is no order to pick something up.'
    stale = reason_not_fresh(answer.header, now, max_age)
    if stale:
        return stale
    if not answer.grasps:
        return answer.grasps_text or f'There is no grasp without depth: {answer.text}'
    return '' if _is_finite(answer.grasps[0]) else 'The grasp is not a number.'


def reason_not_fresh(header: Any, now: float, max_age: float) -> str:
    """Return why an image does not show how things are now, one sentence; '' where it does.

    header: of the image.
    now: the time in seconds, by the clock that stamps the images.
    max_age: in seconds.
    """
    stamp = seconds_of(header)
    if not stamp:
        return 'The image has no stamp, so nobody knows how old it is.'
    if now - stamp > max_age:
        return f'The image is {now - stamp:.1f} s old, more than {max_age:g} s.'
    if stamp - now > _AHEAD:
        return f'The image is from {stamp - now:.1f} s in the future: check the clocks.'
    return ''


def reason_not_to_close(answer: ReferredObject, before: Image | None, now: Image | None) -> str:
    """Return why a gripper at a grasp must not close, one sentence; '' where it may.

    answer: of the object that is grasped.
    before: the depth image nearest in time to the answer's image; None where there is none.
    now: the newest depth image; None where there is none that is new enough.
    """
    if before is None or abs(seconds_of(before.header) - seconds_of(answer.header)) > _APART:
        return "There is no depth image from when the answer's image was taken to compare with."
    if now is None:
        return 'There is no depth image of this moment, so the object may have moved.'
    try:
        moved = object_moved(_mask_of(answer), depth_of(before), depth_of(now))
    except IterprimeError as error:
        return str(error)
    return 'The object has moved.' if moved else ''


def seconds_of(header: Any) -> float:
    """Return a header's stamp in seconds."""
    return float(header.stamp.sec + header.stamp.nanosec / 1e9)


def _is_finite(grasp: Grasp) -> bool:
    position, turn = grasp.pose.position, grasp.pose.orientation
    numbers = (position.x, position.y, position.z, turn.x, turn.y, turn.z, turn.w, grasp.width)
    return all(map(math.isfinite, numbers))


def _mask_of(answer: ReferredObject) -> NDArray[np.bool_]:
    """Return the mask (H, W) of an answer."""
    full, roi = np.zeros((answer.image_height, answer.image_width), bool), answer.roi
    part = np.frombuffer(answer.mask.data, np.uint8).reshape(roi.height, roi.width)
    rows = slice(roi.y_offset, roi.y_offset + roi.height)
    full[rows, roi.x_offset : roi.x_offset + roi.width] = part > 0
    return full
