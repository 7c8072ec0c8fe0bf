"""Answers jobs one after another in a thread of its own, so that nothing else ever waits."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage

from iterprime_ros.errors import IterprimeError, WeightsMismatchError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import Candidate, IteRPrimE, Segmentation
from iterprime_ros.ros.convert.encodings import decoded, rgb_of
from iterprime_ros.ros.runtime.job_queue import Job, JobQueue


class StoppedError(IterprimeError):
    """Work that nobody wants any more."""


class OutOfMemoryError(IterprimeError):
    """A device whose memory does not suffice."""


@dataclass(frozen=True)
class Answered:
    """A picture (H, W, 3) uint8 RGB, the answer on it, and the seconds that the models took."""

    rgb: NDArray[np.uint8]
    answer: Segmentation
    seconds: float


@dataclass(frozen=True)
class Failed:
    """Why there is no answer: one of ReferredObject's statuses, and a sentence.

    cause: what was raised, where nobody expected it.
    """

    status: int
    text: str
    cause: Exception | None = None


def failure_of(error: Exception) -> Failed:
    """Return what to say of an error that nobody expected."""
    first = (str(error).strip() or 'no reason given').splitlines()[0]
    return Failed(ReferredObject.ERROR, f'{type(error).__name__}: {first}', error)


Deliver = Callable[[Job, Answered | Failed], None]
Watch = Callable[[Job, int, NDArray[np.float32], float], None]


class Worker:
    """Takes jobs from a job_queue until it is closed.

    model: returns the pipeline as it is set at that moment. deliver, watch: called in the worker's
    thread with what came of a job and with every round; watch may raise StoppedError, deliver must
    raise nothing.
    """

    def __init__(
        self, job_queue: JobQueue, model: Callable[[], IteRPrimE], deliver: Deliver, watch: Watch
    ) -> None:
        self._desk, self._model, self._deliver, self._watch = job_queue, model, deliver, watch
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
        """End with the round that is being computed, without waiting for it.

        Returns the job that will not be delivered any more.
        """
        with self._lock:
            self._stopped.set()
            return self._current

    def join(self, seconds: float | None) -> bool:
        """Wait for the end, None: as long as it takes, and return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._before:
            self._before.join(None)
            self._before = None
        while (job := self._desk.take()) and self._take_on(job):
            self._do(job)
            del job  # a picture need not be kept until the next one comes

    def _do(self, job: Job) -> None:
        outcome = self._outcome(job)
        if self._take_on(None):
            self._deliver(job, outcome)

    def _take_on(self, job: Job | None) -> bool:
        """Note what is worked on, unless this was stopped; return whether it goes on."""
        with self._lock:
            if not self._stopped.is_set():
                self._current = job
            return not self._stopped.is_set()

    def _outcome(self, job: Job) -> Answered | Failed:
        try:
            message = job.message
            rgb = decoded(message) if isinstance(message, CompressedImage) else rgb_of(message)
            began = time.monotonic()
            answer = self._answer(job, rgb)
            return Answered(rgb, answer, time.monotonic() - began)
        except (StoppedError, OutOfMemoryError, WeightsMismatchError) as error:
            return Failed(ReferredObject.ERROR, str(error))
        except IterprimeError as error:
            return Failed(ReferredObject.INVALID, str(error))
        except Exception as error:  # whatever a model raises, the next frame may be answered
            return failure_of(error)

    def _answer(self, job: Job, rgb: NDArray[np.uint8]) -> Segmentation:
        def watch(number: int, heatmap: NDArray[np.float32], probability: float) -> None:
            if self._stopped.is_set():
                raise StoppedError('The node was deactivated.')
            self._watch(job, number, heatmap, probability)

        model, command = self._model(), job.request.command
        try:
            return model.segment(rgb, command, watch)
        except (MemoryError, RuntimeError) as error:
            if not _is_lack_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            return _enlarged(model.segment(_halved(rgb), command), rgb.shape[:2])
        except (MemoryError, RuntimeError) as error:
            if not _is_lack_of_memory(error):
                raise
            raise OutOfMemoryError(
                'Memory ran out, on half the picture too: choose a smaller profile, or free the '
                'device.'
            ) from error


def _is_lack_of_memory(error: Exception) -> bool:
    """Whether an error says so; PyTorch's on the CPU is a RuntimeError like any other."""
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or (
        'allocate memory' in str(error)
    )


def _halved(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rgb[::2, ::2])


def _enlarged(answer: Segmentation, size: tuple[int, ...]) -> Segmentation:
    """Return an answer on half a picture as one on the whole."""

    def doubled(plane: NDArray[Any]) -> NDArray[Any]:
        return plane.repeat(2, axis=0).repeat(2, axis=1)[: size[0], : size[1]]

    return replace(
        answer,
        mask=doubled(answer.mask),
        heatmap=doubled(answer.heatmap),
        candidates=tuple(
            Candidate(doubled(each.mask), each.score, each.confidence) for each in answer.candidates
        ),
        notes=(*answer.notes, 'Memory ran out; this is from the picture at half its size.'),
    )


def loaded(profile: str, device: str, offline: bool, wanted: Callable[[], bool]) -> IteRPrimE:
    """Return a pipeline, loaded in a thread so that this one can give up.

    wanted: asked ten times a second; once it says no, StoppedError is raised at once.
    Raises what loading raises.
    """
    found: list[IteRPrimE | Exception] = []

    def load() -> None:
        try:
            found.append(IteRPrimE.from_profile(profile, device, offline))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=load, name='iterprime loader', daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
        if not wanted():
            raise StoppedError('Loading was given up.')
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]
