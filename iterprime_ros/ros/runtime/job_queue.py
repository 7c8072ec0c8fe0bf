"""What waits for the worker: the newest frames of each camera, and the requests about them."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from iterprime_ros.dialogue.exchange import Exchange
from iterprime_ros.messages.frame_synchronizer import CameraFrame, FrameSynchronizer
from iterprime_ros.speech.recognizer import Hypothesis


@dataclass(frozen=True, eq=False)
class Request:
    """A command, from the command topic or from an action goal.

    command: the text; of what was spoken, the likeliest one.
    goal: handle of the action goal; None for a command from the topic.
    image: message of the image to search; None for the next image of the camera.
    track_id: number of the track that it starts; 0 where nothing is to be tracked.
    hypotheses: what may have been said, best first; none for a command that was not spoken.
    exchange: the question that it may be a reply to.
    arrived: seconds of time.monotonic().
    """

    command: str
    goal: Any = None
    image: Any = None
    track_id: int = 0
    hypotheses: tuple[Hypothesis, ...] = ()
    exchange: Exchange | None = None
    arrived: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, eq=False)
class Job:
    """A request and the frame that it is answered on.

    camera: name of the camera, '' for the only one.
    request: the request.
    frame: the image with its depth and calibration.
    """

    camera: str
    request: Request
    frame: CameraFrame


class _Slot:
    """What waits for one camera.

    frames: the newest images.
    last: the frame that the last job took, until a newer one is complete.
    requests: requests that are answered once, oldest first.
    standing: a request that is answered on every frame.
    is_taken: whether a job took the standing request.
    is_tracked: whether it has a track.
    heard: when the newest image arrived.
    dropped: images of the standing request that no job took.
    """

    def __init__(self) -> None:
        self.frames = FrameSynchronizer(tolerance=0.0, wait=0.0)
        self.last: CameraFrame | None = None
        self.requests: deque[Request] = deque()
        self.standing: Request | None = None
        self.is_taken = self.is_tracked = False
        self.heard = float('-inf')
        self.dropped = 0

    def set_standing(self, request: Request | None) -> Request | None:
        """Put a request, or none, in the place of the standing one, and return that."""
        before, self.standing = self.standing, request
        self.is_taken = self.is_tracked = False
        return before

    def frame_for(self, request: Request, now: float) -> CameraFrame | None:
        """Return the frame that a request can be answered on now: the newest since it arrived."""
        if request.image is not None:
            return CameraFrame(request.image, request.arrived)
        newest = self.frames.newest(now, request.arrived)
        if newest is None and self.last and self.last.arrived >= request.arrived:
            return self.frames.completed(self.last)
        return newest

    def standing_frame(self, now: float) -> CameraFrame | None:
        """Return the frame that the standing request can be answered on now."""
        if self.standing is None:
            return None
        # A track starts on an image that is newer than its command.
        after = self.standing.arrived if self.standing.track_id else float('-inf')
        return self.frames.newest(now, after)

    def take(self, frame: CameraFrame) -> None:
        """Remove a frame and all older ones."""
        older = self.frames.remove_until(frame.arrived)
        if self.standing is not None:
            self.dropped += older
        self.last = frame


class JobQueue:
    """Gives the worker one job at a time, cameras in turn.

    Requests of a camera are answered in the order of their arrival, each on the newest frame that
    arrived after it; a standing request is answered on every frame that the worker can keep up
    with. A newer image replaces an older one. All methods may be called from any thread.

    max_waiting: most requests that wait for a camera.
    """

    def __init__(self, cameras: Sequence[str], max_waiting: int = 8) -> None:
        self.max_waiting = max_waiting
        self._slots = {name: _Slot() for name in cameras}
        self._turn = list(cameras)
        self._changed = threading.Condition()
        self._closed = False

    def set_depth_matching(self, tolerance: float, wait: float) -> None:
        """Set by how many seconds stamps may differ, and how long images wait for their depth."""
        with self._changed:
            for slot in self._slots.values():
                slot.frames.tolerance, slot.frames.wait = tolerance, wait
            self._changed.notify()

    def put_image(
        self, camera: str, message: Any, stamp: int = 0, expects_depth: bool = False
    ) -> None:
        """Add an image; stamp: in nanoseconds; expects_depth: whether depth will follow."""
        with self._changed:
            slot = self._slots[camera]
            displaced = slot.frames.add_image(message, stamp, time.monotonic(), expects_depth)
            if slot.standing is not None:
                slot.dropped += displaced
            slot.heard = time.monotonic()
            self._changed.notify()

    def put_depth(self, camera: str, message: Any, stamp: int) -> None:
        """Add a depth image; stamp: in nanoseconds."""
        with self._changed:
            self._slots[camera].frames.add_depth(message, stamp)
            self._changed.notify()

    def put_camera_info(self, camera: str, message: Any) -> None:
        """Set the calibration of a camera."""
        with self._changed:
            self._slots[camera].frames.set_camera_info(message)

    def put_request(self, camera: str, request: Request) -> bool:
        """Add a request, and return whether there was room for it."""
        with self._changed:
            requests = self._slots[camera].requests
            if len(requests) >= self.max_waiting:
                return False
            requests.append(request)
            self._changed.notify()
            return True

    def set_standing(self, camera: str, request: Request | None) -> Request | None:
        """Answer a request on every frame from now on; None ends that.

        Returns the standing request whose place it takes.
        """
        with self._changed:
            before = self._slots[camera].set_standing(request)
            self._changed.notify()
            return before

    def standing(self, camera: str) -> Request | None:
        """Return the request of a camera that is answered on every frame."""
        with self._changed:
            return self._slots[camera].standing

    def stands(self, job: Job) -> bool:
        """Whether the answer to a job is wanted: its track was not ended, nor replaced."""
        with self._changed:
            slot = self._slots[job.camera]
            return not job.request.track_id or slot.standing is job.request

    def settle(self, job: Job, goes_on: bool) -> bool:
        """Note that a job has its answer, and return whether that is wanted.

        goes_on: whether the job's request has a track, which further frames belong to.
        """
        with self._changed:
            slot = self._slots[job.camera]
            if not job.request.track_id:
                return True
            if slot.standing is not job.request:
                return False
            if goes_on:
                slot.is_tracked = True
            else:
                slot.set_standing(None)
            return True

    def withdraw(self, goal: Any) -> tuple[str, Request] | None:
        """Remove the request of a goal that waits or is followed.

        Returns its camera and the request, None for a goal of another state.
        """
        with self._changed:
            for camera, slot in self._slots.items():
                for request in slot.requests:
                    if request.goal is goal:
                        slot.requests.remove(request)
                        return camera, request
                standing = slot.standing
                if standing is not None and standing.goal is goal:
                    slot.set_standing(None)
                    return camera, standing
            return None

    def expired(self, seconds: float) -> list[tuple[str, Request]]:
        """Remove and return the requests that have waited for an image for so many seconds.

        A standing request waits for its first image only where a track is wanted.
        """
        now = time.monotonic()
        late = []
        with self._changed:
            for camera, slot in self._slots.items():
                for request in list(slot.requests):
                    if request.arrived < now - seconds and not slot.frame_for(request, now):
                        slot.requests.remove(request)
                        late.append((camera, request))
                first = slot.standing
                if first is None or not first.track_id or slot.is_taken:
                    continue
                if first.arrived < now - seconds and not slot.standing_frame(now):
                    slot.set_standing(None)
                    late.append((camera, first))
        return late

    def silent(self, seconds: float) -> list[tuple[str, Request]]:
        """Return the requests with a track whose camera sent no image for so many seconds."""
        now = time.monotonic()
        with self._changed:
            return [
                (camera, slot.standing)
                for camera, slot in self._slots.items()
                if slot.standing and slot.is_tracked and slot.heard < now - seconds
            ]

    def take(self) -> Job | None:
        """Wait for a job and return it; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for camera in self._turn:
                    job = self._job(camera, now)
                    if job:
                        self._turn.remove(camera)
                        self._turn.append(camera)
                        return job
                self._changed.wait(self._seconds_to_wait(now))
            return None

    def with_late_depth(self, job: Job) -> Job:
        """Return a job with depth and calibration that came since it was taken, or the job."""
        with self._changed:
            frame = self._slots[job.camera].frames.completed(job.frame)
        return job if frame is job.frame else replace(job, frame=frame)

    def close(self) -> list[tuple[str, Request]]:
        """Wake the worker for the last time, and return the requests that it leaves unanswered.

        These are those that no job took, and those with a track or on the way to one.
        """
        with self._changed:
            self._closed = True
            left = [(name, each) for name, slot in self._slots.items() for each in slot.requests]
            left += [
                (name, slot.standing)
                for name, slot in self._slots.items()
                if slot.standing and slot.standing.track_id
            ]
            self._slots = {name: _Slot() for name in self._slots}
            self._changed.notify_all()
            return left

    def dropped(self, camera: str) -> int:
        """Return how many images of a standing request no job took."""
        with self._changed:
            return self._slots[camera].dropped

    def _job(self, camera: str, now: float) -> Job | None:
        slot = self._slots[camera]
        for request in slot.requests:
            frame = slot.frame_for(request, now)
            if frame is not None:
                slot.requests.remove(request)
                if request.image is None:
                    slot.take(frame)
                return Job(camera, request, frame)
        if slot.requests or slot.standing is None:
            return None
        newest = slot.standing_frame(now)
        if newest is None:
            return None
        slot.take(newest)
        slot.is_taken = True
        return Job(camera, slot.standing, newest)

    def _seconds_to_wait(self, now: float) -> float | None:
        """Return the seconds until an image stops waiting for its depth, None where none does."""
        deadlines = []
        for slot in self._slots.values():
            if slot.requests or slot.standing:
                after = slot.requests[0].arrived if slot.requests else float('-inf')
                deadlines.append(slot.frames.deadline(now, after))
        known = [deadline for deadline in deadlines if deadline is not None]
        return max(0.0, min(known) - now) if known else None
