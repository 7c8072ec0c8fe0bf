"""What is answered about an image of a bag, as the messages that the node publishes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.bag_files.definitions import message_classes
from iterprime_ros.bag_files.pairing import DEPTH_TOLERANCE, RecordedImage
from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.centre_covariance import centre_covariance
from iterprime_ros.geometry.constant_velocity import MotionEstimate, filtered
from iterprime_ros.geometry.surface import Surface, surface
from iterprime_ros.messages.encodings import decoded, rgb_of
from iterprime_ros.messages.images import mask_image, to_image
from iterprime_ros.messages.referred_object import referred_object
from iterprime_ros.messages.registered_depth import RegisteredDepth, registered_depth, thinned
from iterprime_ros.messages.surfaces import points, pose
from iterprime_ros.messages.track import add_track, filtered_pose, pose_with_covariance
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.track import TrackedMask
from iterprime_ros.tracking.tracked_answer import tracked_answer
from iterprime_ros.tracking.tracker import Tracker
from iterprime_ros.video_files.following import FollowedObject, Following

_MAX_CANDIDATES = 3  # as the node's max_candidates


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of the object of a command in an image.

    number: of the command, counted from 0.
    command: as it was given.
    answer: to it.
    tracked: the object, where it is followed.
    track_id: of the track, 0 without one.
    """

    number: int
    command: str
    answer: Segmentation
    tracked: TrackedMask | None = None
    track_id: int = 0

    @property
    def state(self) -> str:
        """A word or two for a person: found, tracking, ..."""
        return self.tracked.state.value if self.tracked else self.answer.status.value


class Answerer(Protocol):
    """Answers commands on the images of a camera, in their order."""

    def answer(self, rgb: NDArray[np.uint8], depth: RegisteredDepth | None) -> list[Answer]:
        """Return what is new: an answer to each command that was looked for in this image."""


class EveryImage:
    """Answers all commands on every image alone."""

    def __init__(self, model: IteRPrimE, commands: Sequence[str]) -> None:
        self._model, self._commands = model, commands

    def answer(self, rgb: NDArray[np.uint8], depth: RegisteredDepth | None) -> list[Answer]:
        """Return an answer to each command."""
        frame = self._model.embed(rgb, *_given(depth, rgb))
        answers = self._model.segment_many(frame, self._commands)
        told = zip(self._commands, answers, strict=True)
        return [Answer(number, *each) for number, each in enumerate(told)]


class FollowedObjects:
    """Looks for the object of each command until it is found, and follows it from there.

    new_tracker: returns what follows one object.
    """

    def __init__(
        self, model: IteRPrimE, commands: Sequence[str], new_tracker: Callable[[], Tracker]
    ) -> None:
        self._commands = commands
        self._followings = [Following(each, model, new_tracker()) for each in commands]
        self._newest: list[FollowedObject | None] = [None] * len(commands)

    def answer(self, rgb: NDArray[np.uint8], depth: RegisteredDepth | None) -> list[Answer]:
        """Return an answer to each command whose object is followed, or was looked for."""
        answers = []
        for n, following in enumerate(self._followings):
            followed = following.step(rgb, *_given(depth, rgb))
            if followed is not self._newest[n]:
                answers.append(_followed_answer(n, self._commands[n], followed))
            self._newest[n] = followed
        return answers


def _followed_answer(number: int, command: str, followed: FollowedObject) -> Answer:
    tracked, answer = followed.tracked, followed.answer
    if tracked is None:
        return Answer(number, command, answer)
    if tracked.age:
        answer = tracked_answer(answer, tracked)
    return Answer(number, command, answer, tracked, number + 1)


def _given(depth: RegisteredDepth | None, rgb: NDArray[np.uint8]) -> tuple[Any, Any]:
    """Return what the pipeline is given of depth."""
    if depth is None:
        return None, None
    return depth.metres, depth.pinhole.resized(rgb.shape[1], rgb.shape[0])


def decoded_image(message: Any) -> NDArray[np.uint8]:
    """Return an image, compressed or not, as (H, W, 3) uint8 RGB; raises InvalidMessageError."""
    return decoded(message) if hasattr(message, 'format') else rgb_of(message)


def depth_of(image: RecordedImage, size: tuple[int, int]) -> tuple[RegisteredDepth | None, str]:
    """Return depth and calibration of an image of a size (H, W), or None and a sentence why not."""
    if image.frame.expects_depth and image.frame.depth is None:
        return (
            None,
            f'No depth image has a stamp within {DEPTH_TOLERANCE:g} s of that of the image.',
        )
    return registered_depth(image.frame, size, DEPTH_TOLERANCE, is_rectified=False)


class AnswerMessages:
    """Makes the messages of answers, and filters the positions of what is followed."""

    def __init__(self) -> None:
        self._estimates: dict[int, MotionEstimate] = {}

    def messages(
        self,
        image: RecordedImage,
        rgb: NDArray[np.uint8],
        depth: RegisteredDepth | None,
        depth_note: str,
        answer: Answer,
    ) -> dict[str, Any]:
        """Return the messages of an answer by the names of the node's outputs.

        rgb: (H, W, 3) uint8, the image.
        depth, depth_note: what `depth_of` returns.

        Times are 0: a bag is answered to the same bytes wherever and however fast.
        """
        classes, header = message_classes(), image.frame.image.header
        found, tracked = answer.answer, answer.tracked
        is_carried = tracked is not None and tracked.age > 0
        seen, why_not = None, ''
        if depth is not None and found.instance_count == 1:
            seen, why_not = _surface(depth, rgb, found.mask, is_carried)
        notes = (*found.notes, *filter(None, (depth_note, why_not)))
        if found.status is not Status.INVALID:
            found = replace(found, notes=notes)
        result = referred_object(classes, header, answer.command, found, seen, _MAX_CANDIDATES, 0.0)
        estimate = None
        if tracked is not None:
            if depth is not None and seen is not None:
                estimate = self._filtered(answer.track_id, image, depth, seen)
            add_track(classes, result, answer.track_id, tracked, estimate)
        made = {'result': result, 'mask': mask_image(classes, header, found.mask)}
        if not is_carried:
            made['heatmap'] = to_image(classes, found.heatmap, '32FC1', header)
        if seen is not None:
            made['points'] = points(classes, header, seen)
            made['pose'] = pose(classes, header, seen)
        if seen is not None and estimate is not None:
            made['pose'] = filtered_pose(classes, header, seen, estimate)
            made['pose_with_covariance'] = pose_with_covariance(classes, header, seen, estimate)
        return made

    def _filtered(
        self, track_id: int, image: RecordedImage, depth: RegisteredDepth, seen: Surface
    ) -> MotionEstimate:
        """Return where the object of a track is, after its surface in an image."""
        pixel = float(seen.centroid[2]) / depth.pinhole.fx
        covariance = centre_covariance(seen.points, pixel)
        seconds = 1e-9 * (image.frame.stamp or image.time)
        before = self._estimates.get(track_id)
        estimate = filtered(before, seconds, seen.box.position, covariance)
        self._estimates[track_id] = estimate
        return estimate


def _surface(
    depth: RegisteredDepth, rgb: NDArray[np.uint8], mask: NDArray[np.bool_], is_carried: bool
) -> tuple[Surface | None, str]:
    """Return the visible surface under a mask, or None and a sentence that says why not."""
    if is_carried:
        depth = thinned(depth, mask)
    try:
        return surface(depth.metres, mask, rgb, depth.pinhole), ''
    except IterprimeError as error:
        return None, str(error)
