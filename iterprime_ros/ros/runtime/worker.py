"""Answers jobs one after another in a thread of its own, so that the executor never waits."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage

from iterprime_ros.answer import Segmentation, resized
from iterprime_ros.dialogue.exchange import Exchange, Turn, take_turn
from iterprime_ros.errors import (
    InvalidDepthError,
    IterprimeError,
    StoppedError,
    WeightsMismatchError,
)
from iterprime_ros.messages.encodings import decoded, rgb_of
from iterprime_ros.messages.registered_depth import RegisteredDepth
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.ros.runtime.failures import JobFailure, unexpected_failure
from iterprime_ros.ros.runtime.follower import Follower, ImageSizeChangedError
from iterprime_ros.ros.runtime.job_queue import Job, JobQueue, Request
from iterprime_ros.ros.runtime.localization import Localizer
from iterprime_ros.ros.runtime.memory import OutOfMemoryError, is_out_of_memory
from iterprime_ros.speech.recognizer import Hypothesis
from iterprime_ros.tracking.track import TrackedMask

_DEACTIVATED = 'The node was deactivated.'
_TRACK_ENDED = 'The track was ended.'
CANCELLED = 'The goal was cancelled.'


@dataclass(frozen=True)
class JobAnswer:
    """The answer to a job.

    rgb: (H, W, 3) uint8 RGB, the image.
    answer: the answer on it.
    depth: depth and calibration of the image; None without.
    depth_note: one sentence that says why there is no depth, or what it came too late for; '' where
        it came in time, and where the camera has none.
    seconds: time that the models took.
    heard: the command as it was received; of several that may have been said, which one it is
        taken for.
    tracked: the object of the request's track in the image; None without a track.
    exchange: the question that follows; None without one.
    """

    rgb: NDArray[np.uint8]
    answer: Segmentation
    depth: RegisteredDepth | None
    depth_note: str
    seconds: float
    heard: str
    tracked: TrackedMask | None = None
    exchange: Exchange | None = None

    @property
    def keeps_track(self) -> bool:
        """Whether the request has a track, which goes on."""
        return self.tracked is not None


# Called with a job, its outcome, and what tells at that moment whether it is still wanted.
PublishOutcome = Callable[[Job, JobAnswer | JobFailure, Callable[[], bool]], None]
ReportRound = Callable[[Job, int, NDArray[np.float32], float], None]


class Worker:
    """Takes jobs from a queue until it is closed.

    model: returns the pipeline with the settings of that moment.
    follower: follows the objects of the requests that want a track.
    localizer: reads the depth of a frame before inference.
    publish_outcome: called in the worker's thread with every finished job; it must raise nothing.
    report_round: called in the worker's thread with every round of a job that came from a goal.
    settings: returns the node's parameters as they are at that moment.
    """

    def __init__(
        self,
        job_queue: JobQueue,
        model: Callable[[], IteRPrimE],
        follower: Follower,
        localizer: Localizer,
        publish_outcome: PublishOutcome,
        report_round: ReportRound,
        settings: Callable[[], dict[str, Any]],
    ) -> None:
        self._job_queue, self._model, self._follower = job_queue, model, follower
        self._localizer = localizer
        self._publish_outcome, self._report_round = publish_outcome, report_round
        self._settings = settings
        self._heard: dict[str, tuple[Request, str]] = {}  # by camera, of the last one
        self._thread = threading.Thread(target=self._run, name='iterprime worker', daemon=True)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._current: Job | None = None
        self._before: Worker | None = None

    def start(self, after: 'Worker | None' = None) -> None:
        """Begin, once another worker has ended."""
        self._before = after
        self._thread.start()

    def stop(self) -> Job | None:
        """End after the round that is being computed, without waiting for it.

        Returns the job whose outcome will not be published.
        """
        with self._lock:
            self._stopped.set()
            return self._current

    def join(self, seconds: float | None) -> bool:
        """Wait for the end, with None as long as it takes, and return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._before:
            self._before.join(None)
            self._before = None
        while (job := self._job_queue.take()) and self._set_current(job):
            outcome = self._outcome(job)
            if self._set_current(None):
                outcome = self._with_late_depth(job, outcome)
                is_wanted = partial(self._job_queue.settle, job, outcome.keeps_track)
                self._publish_outcome(job, outcome, is_wanted)
            del job, outcome  # their images need not be kept until the next ones come

    def _set_current(self, job: Job | None) -> bool:
        """Note the current job, unless the worker was stopped; return whether it goes on."""
        with self._lock:
            if not self._stopped.is_set():
                self._current = job
            return not self._stopped.is_set()

    def _outcome(self, job: Job) -> JobAnswer | JobFailure:
        try:
            message = job.frame.image
            is_compressed = isinstance(message, CompressedImage)
            rgb = (
                decoded(message, self._settings()['max_pixels'])
                if is_compressed
                else rgb_of(message)
            )
            depth, note = self._localizer.depth_of(job.frame, rgb.shape[:2])
            began = time.monotonic()
            turn, tracked = self._answer_or_follow(job, rgb, depth)
            seconds = time.monotonic() - began
            return JobAnswer(rgb, turn.answer, depth, note, seconds, turn.heard, tracked, turn.next)
        except StoppedError:
            failure = JobFailure(ReferredObject.ERROR, self._reason_to_stop(job))
        except (OutOfMemoryError, WeightsMismatchError, ImageSizeChangedError) as error:
            failure = JobFailure(ReferredObject.ERROR, str(error))
        except IterprimeError as error:
            failure = JobFailure(ReferredObject.INVALID, str(error))
        except Exception as error:  # whatever a model raises, the next image may be answered
            failure = unexpected_failure(error)
        return replace(failure, keeps_track=self._follower.is_following(job))

    def _answer_or_follow(
        self, job: Job, rgb: NDArray[np.uint8], depth: RegisteredDepth | None
    ) -> tuple[Turn, TrackedMask | None]:
        if not job.request.track_id:
            return self._turn(job, rgb, depth), None
        taken: list[Turn] = []

        def ground() -> Segmentation:
            taken.append(self._turn(job, rgb, depth))
            return taken[-1].answer

        answer, tracked = self._follower.answer(job, rgb, depth, ground)
        turn = taken[-1] if taken else Turn(self._heard_of(job), answer)
        return replace(turn, answer=answer), tracked

    def _heard_of(self, job: Job) -> str:
        """Return what the command of a job was taken for on an image before."""
        request, heard = self._heard.get(job.camera, (None, ''))
        return heard if request is job.request else job.request.command

    def _reason_to_stop(self, job: Job) -> str:
        """Return why the job is no longer wanted, '' while it is."""
        if self._stopped.is_set():
            return _DEACTIVATED
        if not self._job_queue.stands(job):
            return _TRACK_ENDED
        goal = job.request.goal
        return CANCELLED if goal is not None and goal.is_cancel_requested else ''

    def _with_late_depth(self, job: Job, outcome: JobAnswer | JobFailure) -> JobAnswer | JobFailure:
        """Return an outcome with the depth that came while it was computed, for its position."""
        completed = self._job_queue.with_late_depth(job)
        if isinstance(outcome, JobFailure) or completed is job:
            return outcome
        depth, note = self._localizer.depth_of(completed.frame, outcome.rgb.shape[:2])
        if depth is not None and _has_relation(outcome.answer):
            note = 'Depth came too late for the relations, which were judged in the image alone.'
        return replace(outcome, depth=depth, depth_note=note)

    def _turn(self, job: Job, rgb: NDArray[np.uint8], depth: RegisteredDepth | None) -> Turn:
        def on_round(number: int, heatmap: NDArray[np.float32], probability: float) -> None:
            self._report_round(job, number, heatmap, probability)

        def should_stop() -> bool:
            return bool(self._reason_to_stop(job))

        def segment(frame: Frame, command: str) -> Segmentation:
            return model.segment(frame, command, listener, should_stop)

        def turn_on(frame: Frame) -> Turn:
            turn = take_turn(model, frame, hypotheses, request.exchange, segment)
            self._heard[job.camera] = (request, turn.heard)
            asks = request.goal is None and self._settings()['reply_timeout'] > 0
            return turn if asks else replace(turn, next=None)

        model, request = self._model(), job.request
        hypotheses = request.hypotheses or (Hypothesis(request.command, 1.0),)
        listener = None if request.goal is None else on_round
        try:
            return turn_on(_embedded(model, rgb, depth))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            listener = None  # the rounds start again
            turn = turn_on(_embedded(model, _halved(rgb), depth))
            note = 'Memory ran out; the answer is from the image at half its size.'
            half = replace(turn.answer, notes=(*turn.answer.notes, note))
            return replace(turn, answer=resized(half, (rgb.shape[0], rgb.shape[1])))
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError(
                'Memory ran out, even at half the image size: choose a smaller profile, or free '
                'memory on the device.'
            ) from error


def _has_relation(answer: Segmentation) -> bool:
    """Whether depth could have decided between the objects of an answer."""
    if answer.parts is None or answer.command is None:
        return False
    phrases = answer.command.phrase.noun_phrases()
    return any(each.relations or each.superlatives for each in phrases)


def _embedded(model: IteRPrimE, rgb: NDArray[np.uint8], depth: RegisteredDepth | None) -> Frame:
    """Encode an image (H, W, 3) uint8 RGB with its depth, whose calibration is scaled to it."""
    if depth is None:
        return model.embed(rgb)
    pinhole = depth.pinhole.resized(rgb.shape[1], rgb.shape[0])
    try:
        return model.embed(rgb, depth.metres, pinhole)
    except InvalidDepthError:  # half of an odd number of a few pixels is another shape
        return model.embed(rgb)


def _halved(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rgb[::2, ::2])
