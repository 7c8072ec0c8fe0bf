"""The tracks of the cameras: grounded once, then one step for each image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.errors import IterprimeError
from iterprime_ros.messages.registered_depth import RegisteredDepth
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.memory import OutOfMemoryError, is_out_of_memory
from iterprime_ros.tracking.propagation import Propagator
from iterprime_ros.tracking.track import TrackedMask
from iterprime_ros.tracking.tracked_answer import tracked_answer
from iterprime_ros.tracking.tracker import Tracker

_WHY_NOT = {
    Status.AMBIGUOUS: 'Nothing is tracked: say which one is meant.',
    Status.FOUND_SEVERAL: 'Nothing is tracked: only one object can be, so ask for one.',
    Status.NOT_FOUND: 'Nothing is tracked.',
}


class ImageSizeChangedError(IterprimeError):
    """An image of another size than those before it in a track."""


@dataclass(frozen=True)
class _Track:
    """An object that is followed.

    request: the request that it was found for.
    tracker: follows it.
    first: the answer on the image that it started on.
    """

    request: Request
    tracker: Tracker
    first: Segmentation


class Follower:
    """Follows at most one object for each camera. To be called from one thread.

    model: returns the pipeline with the settings of that moment.
    propagators: by camera.
    """

    def __init__(
        self, model: Callable[[], IteRPrimE], propagators: Mapping[str, Propagator]
    ) -> None:
        self._model, self._propagators = model, propagators
        self._tracks: dict[str, _Track] = {}

    def is_following(self, job: Job) -> bool:
        """Whether the track of a job's request goes on."""
        track = self._tracks.get(job.camera)
        return track is not None and track.request is job.request

    def answer(
        self,
        job: Job,
        rgb: NDArray[np.uint8],
        depth: RegisteredDepth | None,
        ground: Callable[[], Segmentation],
    ) -> tuple[Segmentation, TrackedMask | None]:
        """Return the answer on an image, and where the object is; None where nothing is tracked.

        rgb: (H, W, 3) uint8 RGB.
        ground: answers the command on this image; called only where no track goes on.

        An error ends the track. Raises OutOfMemoryError, ImageSizeChangedError, and what the
        pipeline and the tracker raise.
        """
        try:
            if self.is_following(job):
                return self._step(self._tracks[job.camera], rgb, depth)
            return self._start(job, rgb, depth, ground)
        except (MemoryError, RuntimeError) as error:
            self._tracks.pop(job.camera, None)
            if not is_out_of_memory(error):
                raise
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise OutOfMemoryError(
                'Memory ran out while the object was tracked: choose a smaller profile, or free '
                'memory on the device.'
            ) from error
        except Exception:
            self._tracks.pop(job.camera, None)
            raise

    def _start(
        self,
        job: Job,
        rgb: NDArray[np.uint8],
        depth: RegisteredDepth | None,
        ground: Callable[[], Segmentation],
    ) -> tuple[Segmentation, TrackedMask | None]:
        self._tracks.pop(job.camera, None)  # frees what it keeps before more is needed
        answer = ground()
        if answer.status is not Status.FOUND:
            note = _WHY_NOT.get(answer.status)
            return replace(answer, notes=(*answer.notes, note)) if note else answer, None
        model = self._model()
        tracker = Tracker(model, self._propagators[job.camera], model.profile.tracking)
        tracked = tracker.start(rgb, answer, *_given(depth))
        self._tracks[job.camera] = _Track(job.request, tracker, answer)
        return answer, tracked

    def _step(
        self, track: _Track, rgb: NDArray[np.uint8], depth: RegisteredDepth | None
    ) -> tuple[Segmentation, TrackedMask]:
        (height, width), (now_height, now_width) = track.first.mask.shape, rgb.shape[:2]
        if (height, width) != (now_height, now_width):
            raise ImageSizeChangedError(
                f'The images have {now_width} x {now_height} pixels and no longer {width} x '
                f'{height}.'
            )
        tracked = track.tracker.step(rgb, *_given(depth))
        return tracked_answer(track.first, tracked), tracked


def _given(depth: RegisteredDepth | None) -> tuple:
    return (None, None) if depth is None else (depth.metres, depth.pinhole)
