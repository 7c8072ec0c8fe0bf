"""What waits for the worker: the newest image of each camera, and the requests about it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Request:
    """A command, from the command topic or from an action goal.

    command: the text.
    goal: handle of the action goal; None for a command from the topic.
    image: message of the image to search; None for the next image of the camera.
    arrived: seconds of time.monotonic().
    """

    command: str
    goal: Any = None
    image: Any = None
    arrived: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, eq=False)
class Job:
    """A request and the image that it is answered on.

    camera: name of the camera, '' for the only one.
    request: the request.
    image: message of the image.
    arrived: when the image arrived, in seconds of time.monotonic().
    """

    camera: str
    request: Request
    image: Any
    arrived: float


@dataclass(frozen=True, eq=False)
class _QueuedImage:
    message: Any
    arrived: float


@dataclass
class _Slot:
    """What waits for one camera.

    image: the newest image that no job has taken.
    request: a request that is answered once.
    continuous: a request that is answered on every image.
    dropped: images of the continuous request that no job has taken.
    """

    image: _QueuedImage | None = None
    request: Request | None = None
    continuous: Request | None = None
    dropped: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether the request can be answered now: with its own image, or one that came after."""
        if self.request is None:
            return False
        if self.request.image is not None:
            return True
        return self.image is not None and self.image.arrived >= self.request.arrived


class JobQueue:
    """Gives the worker one job at a time, cameras in turn.

    A request waits for the first image that arrives after it; a continuous request is answered on
    every image that the worker can keep up with. A newer image replaces an older one, and a newer
    request an older one. All methods may be called from any thread.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._slots = {name: _Slot() for name in cameras}
        self._turn = list(cameras)
        self._changed = threading.Condition()
        self._closed = False

    def put_image(self, camera: str, message: Any) -> None:
        """Add an image, which replaces one that no job has taken."""
        with self._changed:
            slot = self._slots[camera]
            if slot.image is not None and slot.continuous is not None:
                slot.dropped += 1
            slot.image = _QueuedImage(message, time.monotonic())
            self._changed.notify()

    def put_request(self, camera: str, request: Request) -> Request | None:
        """Add a request, and return the one that it replaces."""
        with self._changed:
            slot = self._slots[camera]
            replaced, slot.request = slot.request, request
            self._changed.notify()
            return replaced

    def set_continuous(self, camera: str, request: Request | None) -> None:
        """Answer a request on every image from now on; None ends that."""
        with self._changed:
            self._slots[camera].continuous = request
            self._changed.notify()

    def withdraw(self, goal: Any) -> bool:
        """Remove the request of a goal, and return whether it was still waiting."""
        with self._changed:
            for slot in self._slots.values():
                if slot.request and slot.request.goal is goal:
                    slot.request = None
                    return True
            return False

    def expired(self, seconds: float) -> list[tuple[str, Request]]:
        """Remove and return the requests that have waited for an image for so many seconds."""
        limit = time.monotonic() - seconds
        late = []
        with self._changed:
            for camera, slot in self._slots.items():
                request = slot.request
                if request and request.arrived < limit and not slot.is_ready:
                    slot.request = None
                    late.append((camera, request))
        return late

    def take(self) -> Job | None:
        """Wait for a job and return it; None once the queue is closed."""
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
        """Wake the worker for the last time, and return the requests that no job has taken."""
        with self._changed:
            self._closed = True
            left = [(name, slot.request) for name, slot in self._slots.items() if slot.request]
            self._slots = {name: _Slot() for name in self._slots}
            self._changed.notify_all()
            return left

    def dropped(self, camera: str) -> int:
        """Return how many images of a continuous request no job has taken."""
        with self._changed:
            return self._slots[camera].dropped

    def _job(self, camera: str) -> Job | None:
        slot = self._slots[camera]
        request, image = slot.request, slot.image
        if request is not None and slot.is_ready:
            slot.request = None
            if request.image is not None:
                return Job(camera, request, request.image, request.arrived)
        elif slot.continuous is not None and image is not None and request is None:
            request = slot.continuous
        else:
            return None
        slot.image = None
        return Job(camera, request, image.message, image.arrived) if request and image else None
