"""The images of a bag with the depth and the calibration that belong to them."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from iterprime_ros.messages.frame_synchronizer import CameraFrame, nearest_depth

DEPTH_TOLERANCE = 0.02  # seconds, as the node's depth_tolerance
_WAIT = 1.0  # seconds of the bag for which an image waits for its depth; a bag can be patient
_KEPT = 32  # depth images


@dataclass(frozen=True, eq=False)
class RecordedImage:
    """An image with the depth and the calibration that belong to it.

    time: when it was recorded (log time), in nanoseconds.
    frame: the messages.
    """

    time: int
    frame: CameraFrame


class ImagePairing:
    """Pairs images with depth as the node does, and loses none.

    expects_depth: whether images wait for depth and calibration.

    Of the depth images within DEPTH_TOLERANCE the one with the nearest stamp is taken, and the
    newest calibration.
    """

    def __init__(self, expects_depth: bool) -> None:
        self._expects_depth = expects_depth
        self._waiting: deque[RecordedImage] = deque()
        self._depths: OrderedDict[int, Any] = OrderedDict()
        self._camera_info: Any = None

    def add_image(self, message: Any, time: int) -> None:
        """Add an image, recorded at a time in nanoseconds."""
        stamp = stamp_of(message.header)
        frame = CameraFrame(message, 1e-9 * time, stamp, expects_depth=self._expects_depth)
        self._waiting.append(RecordedImage(time, frame))

    def add_depth(self, message: Any) -> None:
        """Add a depth image."""
        stamp = stamp_of(message.header)
        self._depths[stamp] = message
        self._depths.move_to_end(stamp)
        while len(self._depths) > _KEPT:
            self._depths.popitem(last=False)

    def set_camera_info(self, message: Any) -> None:
        """Set the calibration of all images that are taken from now on."""
        self._camera_info = message

    def taken(self, now: int | None) -> Iterator[RecordedImage]:
        """Yield, and remove, the images that wait no longer, in the order of their log times.

        now: the log time that the bag has come to, in nanoseconds; None at its end.
        """
        while self._waiting:
            image = self._waiting[0]
            depth, is_final = nearest_depth(self._depths, image.frame.stamp, DEPTH_TOLERANCE)
            is_late = now is None or now >= image.time + 1e9 * _WAIT
            is_whole = is_final and self._camera_info is not None
            if self._expects_depth and not is_whole and not is_late:
                return
            self._waiting.popleft()
            frame = replace(image.frame, depth=depth, camera_info=self._camera_info)
            yield replace(image, frame=frame)


def stamp_of(header: Any) -> int:
    """Return the stamp of a header in nanoseconds."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
