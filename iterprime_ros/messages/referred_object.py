"""Answers as ReferredObject messages."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Candidate as CandidateMask
from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.geometry.oriented_box import OrientedBox
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages.images import mask_image
from iterprime_ros.messages.message_classes import Make, MessageClasses

_NAN = float('nan')


def referred_object(
    classes: MessageClasses,
    header: Any,
    command: str,
    answer: Segmentation,
    surface: Surface | None,
    max_candidates: int,
    seconds: float,
) -> Any:
    """Return the message of an answer; the answer's notes follow its sentence.

    header: of the image.
    command: the command as it was received.
    answer: the answer.
    surface: visible surface of the object; None without depth, and unless it is one object.
    max_candidates: most candidates beside what is found; the objects of FOUND_SEVERAL all count as
        found.
    seconds: from the image's arrival to now.
    """
    text = ' '.join((answer.text, *answer.notes))
    message = empty_referred_object(classes, header, command, 0, text, seconds)
    message.status = getattr(type(message), answer.status.name)
    message.match_probability = answer.match_probability
    parsed = answer.command
    if parsed:
        message.action_verb = parsed.action_verb or ''
        message.expression = parsed.expression
        if parsed.primary_word:
            message.primary_word = parsed.expression[slice(*parsed.primary_word)]
    if answer.status.has_mask:
        message.image_height, message.image_width = answer.mask.shape
        message.roi = roi_of(classes, answer.mask)
        message.mask = cropped_mask_image(classes, header, answer.mask, message.roi)
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
            candidate_message(classes, header, each) for each in answer.candidates[first:last]
        ]
    if surface:
        message.point_count = surface.point_count
        message.centroid = named(classes.Point, 'xyz', surface.centroid)
        message.box = pose_of(classes, surface.box)
        message.size = named(classes.Vector3, 'xyz', surface.box.size)
    return message


def empty_referred_object(
    classes: MessageClasses, header: Any, command: str, status: int, text: str, seconds: float = 0.0
) -> Any:
    """Return the message of an answer without an object; text: one sentence that says why."""
    nowhere = classes.Point(x=_NAN, y=_NAN, z=_NAN)
    unoriented = classes.Quaternion(x=_NAN, y=_NAN, z=_NAN, w=_NAN)
    return classes.ReferredObject(
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
        box=classes.Pose(position=nowhere, orientation=unoriented),
        track_position=nowhere,
        track_position_covariance=np.full(9, _NAN),
        track_velocity=classes.Vector3(x=_NAN, y=_NAN, z=_NAN),
        track_velocity_covariance=np.full(9, _NAN),
        processing_time=duration(classes, seconds),
    )


def duration(classes: MessageClasses, seconds: float) -> Any:
    """Return a duration of at least 0 s as a message."""
    return classes.Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))


def cropped_mask_image(
    classes: MessageClasses, header: Any, mask: NDArray[np.bool_], roi: Any
) -> Any:
    """Return the part of a mask (H, W) bool inside its bounding box as mono8."""
    rows, columns = roi_slices(roi)
    return mask_image(classes, header, mask[rows, columns])


def roi_slices(roi: Any) -> tuple[slice, slice]:
    """Return the rows and columns of a bounding box."""
    return (
        slice(roi.y_offset, roi.y_offset + roi.height),
        slice(roi.x_offset, roi.x_offset + roi.width),
    )


def roi_of(classes: MessageClasses, mask: NDArray[np.bool_]) -> Any:
    """Return the tight bounding box of a mask (H, W), all zeros for an empty one."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return classes.RegionOfInterest()
    return classes.RegionOfInterest(
        x_offset=int(columns[0]),
        y_offset=int(rows[0]),
        width=int(columns[-1] - columns[0] + 1),
        height=int(rows[-1] - rows[0] + 1),
    )


def pose_of(classes: MessageClasses, box: OrientedBox) -> Any:
    """Return the pose of a box."""
    return classes.Pose(
        position=named(classes.Point, 'xyz', box.position),
        orientation=named(classes.Quaternion, 'xyzw', box.orientation),
    )


def candidate_message(classes: MessageClasses, header: Any, candidate: CandidateMask) -> Any:
    """Return the message of a mask that may be the object."""
    roi = roi_of(classes, candidate.mask)
    return classes.Candidate(
        chance=candidate.chance,
        heatmap_mean=candidate.heatmap_mean,
        heatmap_overlap=candidate.heatmap_overlap,
        predicted_iou=candidate.predicted_iou,
        roi=roi,
        mask=cropped_mask_image(classes, header, candidate.mask, roi),
    )


def named(make: Make, names: str, values: Iterable[float]) -> Any:
    """Return a message whose fields have the names of one letter, as x, y and z."""
    return make(**{name: float(value) for name, value in zip(names, values, strict=True)})
