"""An object that a command refers to: looked for until it is found, and followed from there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.track import TrackedMask
from iterprime_ros.tracking.tracker import Tracker


@dataclass(frozen=True, eq=False)
class FollowedObject:
    """What is known in a frame of the object that a command refers to.

    command: as it was sent.
    answer: to the command: the one that the track began with, or the newest before that.
    tracked: None before the track.
    """

    command: str
    answer: Segmentation
    tracked: TrackedMask | None

    @property
    def expression(self) -> str:
        """The referring expression of the command."""
        return self.answer.command.expression if self.answer.command else self.command

    @property
    def state(self) -> str:
        """A word or two for a person: TRACKING, UNSURE, LOST, or why there is no track."""
        return self.tracked.state.name if self.tracked else self.answer.status.value.upper()


class Following:
    """Answers a command on every few frames until its object is found, then follows that.

    command: what to follow; of several objects that it means, the first.
    model: answers.
    tracker: follows; of this command alone.
    """

    def __init__(self, command: str, model: IteRPrimE, tracker: Tracker) -> None:
        self._command, self._model, self._tracker = command, model, tracker
        self._newest: FollowedObject | None = None
        self._frames = 0

    @property
    def search_every(self) -> int:
        """Frames from one search to the next, before the object is found."""
        return self._model.profile.tracking.search_every

    def step(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
    ) -> FollowedObject:
        """Return what is known of the object in the next frame.

        image: (H, W, 3) uint8 RGB.
        depth, pinhole: as in IteRPrimE.embed.

        Raises InvalidCommandError for a command that cannot be used.
        """
        self._newest = self._next(image, depth, pinhole, self._newest)
        self._frames += 1
        return self._newest

    def _next(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
        pinhole: Pinhole | None,
        newest: FollowedObject | None,
    ) -> FollowedObject:
        if newest and newest.tracked:
            now = self._tracker.step(image, depth, pinhole)
            return FollowedObject(self._command, newest.answer, now)
        if newest and self._frames % self.search_every:
            return newest
        answer = self._model.segment(self._model.embed(image, depth, pinhole), self._command)
        if answer.status is Status.INVALID:
            raise InvalidCommandError(answer.text)
        is_found = answer.status in (Status.FOUND, Status.FOUND_SEVERAL)
        tracked = self._tracker.start(image, answer, depth, pinhole) if is_found else None
        return FollowedObject(self._command, answer, tracked)
