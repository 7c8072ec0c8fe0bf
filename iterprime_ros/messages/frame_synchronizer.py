"""Pairs the images of a camera with depth and calibration, before anything is computed on them."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_KEPT = 8  # images, and depth images, that wait for each other
_SECOND = 1_000_000_000  # nanoseconds
_CLOSE = 0.25  # of the tolerance; depth that near is taken although nearer depth may follow


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """An image with the depth and the calibration that belong to it.

    image: message of the image.
    arrived: when it arrived, in seconds of time.monotonic().
    stamp: of its header, in nanoseconds.
    depth: message of the depth image, None where none belongs to it.
    camera_info: message of the calibration, None where none has arrived.
    expects_depth: whether the camera publishes depth.
    """

    image: Any
    arrived: float
    stamp: int = 0
    depth: Any = None
    camera_info: Any = None
    expects_depth: bool = False


class FrameSynchronizer:
    """Finds the newest image whose depth has arrived, or is no longer waited for.

    tolerance: seconds by which the stamps of an image and its depth may differ.
    wait: seconds for which an image waits for its depth.

    Of the depth images within the tolerance the one with the nearest stamp is taken. Depth arrives
    in the order of its stamps, so that the first one after an image ends its waiting.
    """

    def __init__(self, tolerance: float, wait: float) -> None:
        self.tolerance, self.wait = tolerance, wait
        self._frames: list[CameraFrame] = []
        self._depths: OrderedDict[int, Any] = OrderedDict()
        self._camera_info: Any = None

    def add_image(self, message: Any, stamp: int, now: float, expects_depth: bool) -> int:
        """Add an image, and return how many older ones it displaces."""
        waiting = [frame for frame in self._frames if self._waits(frame, now)]
        displaced = len(self._frames) - len(waiting[-_KEPT + 1 :])
        frame = CameraFrame(message, now, stamp, expects_depth=expects_depth)
        self._frames = [*waiting[-_KEPT + 1 :], frame]
        return displaced

    def add_depth(self, message: Any, stamp: int) -> None:
        """Add a depth image."""
        self._depths[stamp] = message
        self._depths.move_to_end(stamp)  # a bag that is played again repeats its stamps
        while len(self._depths) > _KEPT:
            self._depths.popitem(last=False)

    def set_camera_info(self, message: Any) -> None:
        """Set the calibration of all images that are taken from now on."""
        self._camera_info = message

    def newest(self, now: float, after: float = float('-inf')) -> CameraFrame | None:
        """Return the newest complete frame without removing it, None where there is none.

        after: the earliest arrival.
        """
        for frame in reversed(self._frames):
            if frame.arrived < after:
                return None
            depth, is_final = self._depth_of(frame)
            if is_final or not self._waits(frame, now):
                return replace(frame, depth=depth, camera_info=self._camera_info)
        return None

    def completed(self, frame: CameraFrame) -> CameraFrame:
        """Return a frame with what it lacks and has arrived since, or the frame itself."""
        if not frame.expects_depth or (frame.depth is not None and frame.camera_info is not None):
            return frame
        depth = self._depth_of(frame)[0] if frame.depth is None else frame.depth
        info = self._camera_info if frame.camera_info is None else frame.camera_info
        if depth is frame.depth and info is frame.camera_info:
            return frame
        return replace(frame, depth=depth, camera_info=info)

    def remove_until(self, arrived: float) -> int:
        """Remove the image that arrived then and all older ones; return how many were older."""
        kept = [frame for frame in self._frames if frame.arrived > arrived]
        older = len(self._frames) - len(kept) - 1
        self._frames = kept
        return max(0, older)

    def deadline(self, now: float, after: float) -> float | None:
        """Return when the next image that arrived `after` stops waiting, None where none waits."""
        return min(
            (
                frame.arrived + self.wait
                for frame in self._frames
                if frame.arrived >= after and self._waits(frame, now)
            ),
            default=None,
        )

    def _waits(self, frame: CameraFrame, now: float) -> bool:
        return frame.expects_depth and now < frame.arrived + self.wait

    def _depth_of(self, frame: CameraFrame) -> tuple[Any, bool]:
        return nearest_depth(self._depths, frame.stamp, self.tolerance)


def nearest_depth(depths: Mapping[int, Any], stamp: int, tolerance: float) -> tuple[Any, bool]:
    """Return the nearest depth within the tolerance, and whether no nearer one can follow.

    depths: messages by their stamps, in nanoseconds.
    stamp: of the image, in nanoseconds.
    tolerance: seconds by which the stamps may differ.
    """
    limit = 1e9 * tolerance
    apart = {each: abs(each - stamp) for each in depths}
    near = [each for each in apart if apart[each] <= limit]
    best = min(near, key=apart.__getitem__, default=None)
    # A far later stamp is of a bag that is played again, and ends no waiting.
    follows = any(0 <= each - stamp <= _SECOND for each in depths)
    if best is None:
        return None, follows
    return depths[best], follows or apart[best] <= _CLOSE * limit
