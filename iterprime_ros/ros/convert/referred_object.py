"""Answers as ReferredObject messages."""

from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Header

from iterprime_ros.answer import Candidate as CandidateMask
from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.geometry.oriented_box import OrientedBox
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.msg import Candidate, ReferredObject
from iterprime_ros.ros.convert.images import from_image, to_image

STATUSES = {
    Status.FOUND: ReferredObject.FOUND,
    Status.FOUND_SEVERAL: ReferredObject.FOUND_SEVERAL,
    Status.NOT_FOUND: ReferredObject.NOT_FOUND,
    Status.AMBIGUOUS: ReferredObject.AMBIGUOUS,
    Status.INVALID: ReferredObject.INVALID,
}
_NAN = float('nan')


def referred_object(
    header: Header,
    command: str,
    answer: Segmentation,
    surface: Surface | None,
    max_candidates: int,
    seconds: float,
) -> ReferredObject:
    """Return the message of an answer; the answer's notes follow its sentence.

    header: of the image.
    command: the command as it was received.
    answer: the answer.
    surface: visible surface of the object; None without depth, and unless it is one object.
    max_candidates: most candidates beside what is found; the objects of FOUND_SEVERAL all count as
        found.
    seconds: from the image's arrival to now.
    """
    message = empty_referred_object(
        header, command, STATUSES[answer.status], ' '.join((answer.text, *answer.notes)), seconds
    )
    message.match_probability = answer.match_probability
    parsed = answer.command
    if parsed:
        message.action_verb = parsed.action_verb or ''
        message.expression = parsed.expression
        if parsed.primary_word:
            message.primary_word = parsed.expression[slice(*parsed.primary_word)]
    if answer.status.has_mask:
        message.image_height, message.image_width = answer.mask.shape
        message.roi = roi_of(answer.mask)
        message.mask = cropped_mask_image(header, answer.mask, message.roi)
        message.instance_count = answer.instance_count
        message.ranked_by = answer.ranked_by
        first, last = answer.instance_count, answer.instance_count + max_candidates
        if answer.status is Status.FOUND_SEVERAL:
            first = 0  # each of the objects is listed, too
        if answer.instance_count == 1:
            best, *_ = answer.candidates
            message.chance = best.chance
            message.heatmap_mean = best.heatmap_mean
            message.heatmap_overlap = best.heatmap_overlap
            message.predicted_iou = best.predicted_iou
        message.candidates = [
            candidate_message(header, each) for each in answer.candidates[first:last]
        ]
    if surface:
        message.point_count = surface.point_count
        message.centroid = _named(Point, 'xyz', surface.centroid)
        message.box = pose_of(surface.box)
        message.size = _named(Vector3, 'xyz', surface.box.size)
    return message


def empty_referred_object(
    header: Header, command: str, status: int, text: str, seconds: float = 0.0
) -> ReferredObject:
    """Return the message of an answer without an object; text: one sentence that says why."""
    nowhere = Point(x=_NAN, y=_NAN, z=_NAN)
    unoriented = Quaternion(x=_NAN, y=_NAN, z=_NAN, w=_NAN)
    return ReferredObject(
        header=header,
        command=command,
        status=status,
        text=text,
        match_probability=_NAN,
        chance=_NAN,
        heatmap_mean=_NAN,
        heatmap_overlap=_NAN,
        predicted_iou=_NAN,
        centroid=nowhere,
        box=Pose(position=nowhere, orientation=unoriented),
        track_position=nowhere,
        track_position_covariance=np.full(9, _NAN),
        track_velocity=Vector3(x=_NAN, y=_NAN, z=_NAN),
        track_velocity_covariance=np.full(9, _NAN),
        processing_time=duration(seconds),
    )


def duration(seconds: float) -> Duration:
    """Return a duration of at least 0 s as a message."""
    return Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))


def mask_image(header: Header, mask: NDArray[np.bool_]) -> Image:
    """Return a mask (H, W) bool as mono8, 255 on the object."""
    return to_image(np.where(mask, np.uint8(255), np.uint8(0)), 'mono8', header)


def cropped_mask_image(header: Header, mask: NDArray[np.bool_], roi: RegionOfInterest) -> Image:
    """Return the part of a mask (H, W) bool inside its bounding box as mono8."""
    rows, columns = roi_slices(roi)
    return mask_image(header, mask[rows, columns])


def full_mask(message: ReferredObject) -> NDArray[np.bool_]:
    """Return the mask (H, W) bool of an answer at the size of its image; (0, 0) without one."""
    return _full_size(message, message)


def instance_masks(message: ReferredObject) -> list[NDArray[np.bool_]]:
    """Return the masks (H, W) bool of the objects that FOUND_SEVERAL lists; none otherwise."""
    if message.status != ReferredObject.FOUND_SEVERAL:
        return []
    return [_full_size(message, each) for each in message.candidates[: message.instance_count]]


def _full_size(message: ReferredObject, part: ReferredObject | Candidate) -> NDArray[np.bool_]:
    """Return the mask of an answer or of its candidate at the size (H, W) of its image."""
    full = np.zeros((message.image_height, message.image_width), dtype=bool)
    if part.mask.width:
        full[roi_slices(part.roi)] = from_image(part.mask) > 0
    return full


def roi_slices(roi: RegionOfInterest) -> tuple[slice, slice]:
    """Return the rows and columns of a bounding box."""
    return (
        slice(roi.y_offset, roi.y_offset + roi.height),
        slice(roi.x_offset, roi.x_offset + roi.width),
    )


def roi_of(mask: NDArray[np.bool_]) -> RegionOfInterest:
    """Return the tight bounding box of a mask (H, W), all zeros for an empty one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return RegionOfInterest()
    return RegionOfInterest(
        x_offset=int(columns[0]),
        y_offset=int(rows[0]),
        width=int(columns[-1] - columns[0] + 1),
        height=int(rows[-1] - rows[0] + 1),
    )


def pose_of(box: OrientedBox) -> Pose:
    """Return the pose of a box."""
    return Pose(
        position=_named(Point, 'xyz', box.position),
        orientation=_named(Quaternion, 'xyzw', box.orientation),
    )


def candidate_message(header: Header, candidate: CandidateMask) -> Candidate:
    """Return the message of a mask that may be the object."""
    roi = roi_of(candidate.mask)
    return Candidate(
        chance=candidate.chance,
        heatmap_mean=candidate.heatmap_mean,
        heatmap_overlap=candidate.heatmap_overlap,
        predicted_iou=candidate.predicted_iou,
        roi=roi,
        mask=cropped_mask_image(header, candidate.mask, roi),
    )


def _named(kind: Any, names: str, values: NDArray[np.float64]) -> Any:
    return kind(**{name: float(value) for name, value in zip(names, values, strict=True)})
