"""What waits for the worker: of each camera its newest frame, and what is asked of it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Request:
    """Something asked: a command, and the action goal that it came with, if it did.

    arrived: seconds of time.monotonic(). image: a message to look at instead of a camera's frame.
    """

    command: str
    goal: Any = None
    image: Any = None
    arrived: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, eq=False)
class QueuedImage:
    """A frame: its message, and the second of time.monotonic() at which it came."""

    message: Any
    arrived: float


@dataclass(frozen=True, eq=False)
class Job:
    """A request and the image that it is to be answered on; camera: its name."""

    camera: str
    request: Request
    message: Any
    arrived: float


@dataclass
class _Place:
    frame: QueuedImage | None = None
    request: Request | None = None
    standing: Request | None = None
    dropped: int = 0


class JobQueue:
    """Hands the worker one job at a time, each camera in its turn.

    A request waits for the first frame that comes after it; a standing request is put to every
    frame that there is time for. The newest frame takes the place of an older one, and the newest
    request that of an older one. All methods may be called from any thread.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._places = {name: _Place() for name in cameras}
        self._turn = list(cameras)
        self._changed = threading.Condition()
        self._closed = False

    def put_frame(self, camera: str, message: Any) -> None:
        """Leave a frame; it takes the place of one that nobody has looked at."""
        with self._changed:
            place = self._places[camera]
            if place.frame is not None and place.standing is not None:
                place.dropped += 1
            place.frame = QueuedImage(message, time.monotonic())
            self._changed.notify()

    def put_request(self, camera: str, request: Request) -> Request | None:
        """Leave a request, and return the one that it takes the place of."""
        with self._changed:
            place = self._places[camera]
            replaced, place.request = place.request, request
            self._changed.notify()
            return replaced

    def set_continuous(self, camera: str, request: Request | None) -> None:
        """Put a request to every frame from now on; None ends that."""
        with self._changed:
            self._places[camera].standing = request
            self._changed.notify()

    def withdraw(self, goal: Any) -> bool:
        """Take the request of a goal back; return whether it was still waiting."""
        with self._changed:
            for place in self._places.values():
                if place.request and place.request.goal is goal:
                    place.request = None
                    return True
            return False

    def expired(self, seconds: float) -> list[tuple[str, Request]]:
        """Take back and return the requests that have waited for a frame for so long."""
        limit = time.monotonic() - seconds
        late = []
        with self._changed:
            for camera, place in self._places.items():
                request = place.request
                if request and request.arrived < limit and not _ready(place):
                    place.request = None
                    late.append((camera, request))
        return late

    def take(self) -> Job | None:
        """Wait for a job and return it; None once the job_queue is closed."""
        with self._changed:
            while not self._closed:
                for camera in self._turn:
                    job = self._job(camera)
                    if job:
                        self._turn.remove(camera)
                        self._turn.append(camera)
                        return job
                self._changed.wait()
            return None

    def close(self) -> list[tuple[str, Request]]:
        """End all waiting, and return the requests that were never taken."""
        with self._changed:
            self._closed = True
            left = [(name, place.request) for name, place in self._places.items() if place.request]
            self._places = {name: _Place() for name in self._places}
            self._changed.notify_all()
            return left

    def dropped(self, camera: str) -> int:
        """Return how many frames of a standing request were never looked at."""
        with self._changed:
            return self._places[camera].dropped

    def _job(self, camera: str) -> Job | None:
        place = self._places[camera]
        request, frame = place.request, place.frame
        if request is not None and _ready(place):
            place.request = None
            if request.image is not None:
                return Job(camera, request, request.image, request.arrived)
        elif place.standing is not None and frame is not None and request is None:
            request = place.standing
        else:
            return None
        place.frame = None
        return Job(camera, request, frame.message, frame.arrived) if request and frame else None


def _ready(place: _Place) -> bool:
    """Whether there is what the waiting request is to be answered on."""
    if place.request is None:
        return False
    if place.request.image is not None:
        return True
    return place.frame is not None and place.frame.arrived >= place.request.arrived
