"""What was last told of the track of each camera, and the filters of their positions."""

from dataclasses import dataclass

from iterprime_ros.geometry.centre_covariance import centre_covariance
from iterprime_ros.geometry.constant_velocity import MotionEstimate, filtered
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages.frame_synchronizer import CameraFrame
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.runtime.job_queue import Job, Request

_STATE_NAMES = {
    ReferredObject.TRACKING: 'TRACKING',
    ReferredObject.UNSURE: 'UNSURE',
    ReferredObject.LOST: 'LOST',
}


@dataclass(frozen=True)
class _Motion:
    """The filtered position of a track.

    request: the request that the track was started for.
    estimate: after the last image in which the object was measured.
    """

    request: Request
    estimate: MotionEstimate


class TrackBook:
    """One track for each camera. `filtered` is for one thread, the rest for one at a time."""

    def __init__(self) -> None:
        self._told: dict[str, ReferredObject] = {}
        self._motions: dict[str, _Motion] = {}

    def told(self, camera: str, request: Request) -> ReferredObject | None:
        """Return the last message of a request's track, None where it has none (yet)."""
        message = self._told.get(camera)
        is_its = message is not None and message.track_id == request.track_id != 0
        return message if is_its else None

    def note(
        self, camera: str, request: Request, message: ReferredObject, keeps_track: bool
    ) -> bool:
        """Note a message about a track, and return whether it says something new."""
        before = self.told(camera, request)
        if keeps_track:
            self._told[camera] = message
        elif before is not None:
            del self._told[camera]
        if before is None or not keeps_track:
            return True
        return (before.track_state, before.status) != (message.track_state, message.status)

    def states(self) -> str:
        """Return the numbers and states of all tracks in one line."""
        return ', '.join(
            f'{camera + ": " if camera else ""}{told.track_id} {_STATE_NAMES[told.track_state]}'
            for camera, told in sorted(self._told.items())
        )

    def filtered(self, job: Job, pinhole: Pinhole, surface: Surface) -> MotionEstimate:
        """Return where the object of a job's track is, after its surface in the job's image.

        pinhole: of the image.
        """
        motion = self._motions.get(job.camera)
        before = motion.estimate if motion and motion.request is job.request else None
        pixel = float(surface.centroid[2]) / pinhole.fx
        covariance = centre_covariance(surface.points, pixel)
        estimate = filtered(before, _seconds(job.frame), surface.box.position, covariance)
        self._motions[job.camera] = _Motion(job.request, estimate)
        return estimate


def _seconds(frame: CameraFrame) -> float:
    """Return when an image was taken: its stamp, or its arrival where a driver sets no stamps."""
    return 1e-9 * frame.stamp if frame.stamp else frame.arrived
