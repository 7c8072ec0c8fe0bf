"""What can follow an object through a clip: the tracker of a profile, and baselines."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.track import TrackedMask, TrackState
from iterprime_ros.tracking.tracker import Tracker

_STATES = {
    Status.FOUND: TrackState.TRACKING,
    Status.FOUND_SEVERAL: TrackState.TRACKING,
    Status.AMBIGUOUS: TrackState.UNSURE,
    Status.NOT_FOUND: TrackState.LOST,
    Status.INVALID: TrackState.LOST,
}


class Follower(Protocol):
    """Follows what a command means through the frames of a clip."""

    def start(self, command: str, /) -> None:
        """Follow what a command means from the next frame on, and forget the one before."""

    def follow(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
        pinhole: Pinhole | None,
        /,
    ) -> TrackedMask:
        """Return the object in the next frame, of any state.

        image: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 in metres, registered to the image; None without.
        pinhole: the calibration of the image; None without.
        """


class EveryFrame:
    """The baseline: every frame is asked anew, as if there were no other."""

    def __init__(self, model: IteRPrimE) -> None:
        self._model = model
        self._command, self._age = '', 0

    def start(self, command: str, /) -> None:
        """See Follower."""
        self._command, self._age = command, 0

    def follow(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
        pinhole: Pinhole | None,
        /,
    ) -> TrackedMask:
        """See Follower; AMBIGUOUS is UNSURE, NOT_FOUND is LOST."""
        answer = self._model.segment(self._model.embed(image, depth, pinhole), self._command)
        self._age += 1
        return as_tracked(answer, self._age - 1)


class TrackerFollower:
    """The tracker of a profile. Until there is an object to track, every frame is asked anew."""

    def __init__(self, model: IteRPrimE, tracker: Tracker) -> None:
        self._model, self._tracker = model, tracker
        self._command, self._waited, self._is_tracking = '', 0, False

    def start(self, command: str, /) -> None:
        """See Follower."""
        self._command, self._waited, self._is_tracking = command, 0, False

    def follow(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None,
        pinhole: Pinhole | None,
        /,
    ) -> TrackedMask:
        """See Follower."""
        if self._is_tracking:
            return self._tracker.step(image, depth, pinhole)
        answer = self._model.segment(self._model.embed(image, depth, pinhole), self._command)
        if answer.status in (Status.FOUND, Status.FOUND_SEVERAL):
            self._is_tracking = True
            return self._tracker.start(image, answer, depth, pinhole)
        self._waited += 1
        return as_tracked(answer, self._waited - 1)


def as_tracked(answer: Segmentation, age: int) -> TrackedMask:
    """Return an answer about one frame as a tracker would give it; its mask is the answer's."""
    state = _STATES[answer.status]
    probability = answer.match_probability
    is_known = state is not TrackState.LOST and not math.isnan(probability)
    return TrackedMask(answer.mask, state, probability if is_known else 0.0, age)
