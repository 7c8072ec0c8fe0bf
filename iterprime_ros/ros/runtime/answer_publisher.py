"""Publishes what the worker computed on the topics of the camera, and ends action goals."""

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header, String

from iterprime_ros.answer import Status
from iterprime_ros.geometry.constant_velocity import MotionEstimate
from iterprime_ros.geometry.grasp import Grasps
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages.registered_depth import thinned
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import CameraTopics
from iterprime_ros.ros.convert import visualization
from iterprime_ros.ros.convert.grasps import add_grasps
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.referred_object import (
    duration,
    empty_referred_object,
    mask_image,
    referred_object,
)
from iterprime_ros.ros.convert.track import add_track, filtered_pose, pose_with_covariance
from iterprime_ros.ros.runtime.action_server import SegmentActionServer, report_answer
from iterprime_ros.ros.runtime.diagnostics import Diagnostics
from iterprime_ros.ros.runtime.dialogues import Dialogues
from iterprime_ros.ros.runtime.failures import JobFailure, log_cause, unexpected_failure
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.localization import Localizer
from iterprime_ros.ros.runtime.track_book import TrackBook
from iterprime_ros.ros.runtime.worker import CANCELLED, JobAnswer

_LOGGED = 80  # characters of a command in the log
_REPLACED = 'Another command took the place of this one.'
# They would take longer than a step of the track.
_NO_GRASPS = Grasps((), 'A track has grasps with its first answer only: ask again for new ones.')


def printable(text: str) -> str:
    """Return a text as one log line: without control characters, so that it forges no other."""
    return ''.join(each if each.isprintable() else ' ' for each in text)


@dataclass(frozen=True)
class _Located:
    """Where the object of an answer is, and how to grasp it; None for what is not known.

    surface: what is seen of it.
    estimate: its filtered position and motion, of a track.
    grasps: of the node's gripper.
    """

    surface: Surface | None = None
    estimate: MotionEstimate | None = None
    grasps: Grasps | None = None


class AnswerPublisher:
    """Publishes answers on the topics of their cameras, and finishes goals with them.

    topics: by camera; empty while the node is not configured.
    settings: returns the node's parameters as they are at that moment.
    localizer: finds where an object is in 3D.
    dialogues: where the questions that are asked wait for their reply.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        node: Node,
        topics: Mapping[str, CameraTopics],
        action_server: SegmentActionServer,
        diagnostics: Diagnostics,
        settings: Callable[[], dict[str, Any]],
        localizer: Localizer,
        dialogues: Dialogues,
    ) -> None:
        self._log = node.get_logger()
        self._topics, self._action_server = topics, action_server
        self._diagnostics, self._settings = diagnostics, settings
        self._localizer, self._dialogues = localizer, dialogues
        self._tracks = TrackBook()
        self._lock = threading.Lock()

    def publish_outcome(
        self, job: Job, outcome: JobAnswer | JobFailure, is_wanted: Callable[[], bool]
    ) -> None:
        """Publish the outcome of a job. Raises nothing: an answer that cannot be sent failed.

        is_wanted: whether the job's track was not ended meanwhile; asked once.
        """
        located = _Located()
        try:
            if isinstance(outcome, JobAnswer):
                message, located = self._answer_message(job, outcome)
        except Exception as error:  # of any type, from depth or a library
            outcome = replace(unexpected_failure(error), keeps_track=outcome.keeps_track)
        seconds = time.monotonic() - job.frame.arrived
        with self._lock:  # the executor's thread may end the track at this moment
            if not is_wanted():
                return
            if isinstance(outcome, JobFailure):
                log_cause(self._log, outcome)
                message = self._failure_message(job.camera, job.request, outcome)
                message.header = job.frame.image.header
                message.processing_time = duration(seconds)
                self._diagnostics.count_failure(outcome.text)
                self._dialogues.put_back(job.camera, job.request.exchange)
            else:
                self._diagnostics.count_answer(seconds)
                if outcome.tracked is not None and outcome.tracked.age:
                    self._diagnostics.count_step(outcome.seconds)
            question = self._question(job, outcome)  # before anybody can reply to it
            self._send(job.camera, job.request, message, outcome.keeps_track)
            if question:
                self._publish(job.camera, 'question', lambda: String(data=question))
        if isinstance(outcome, JobAnswer):
            self._publish_visualization(job, outcome, located)

    def _question(self, job: Job, outcome: JobAnswer | JobFailure) -> str:
        """Return the question that is to be asked, '' for none, and wait for its reply."""
        if isinstance(outcome, JobFailure) or outcome.exchange is None:
            return ''
        is_new = self._dialogues.ask(job.camera, job.request, outcome.exchange)
        return outcome.exchange.question.text if is_new else ''

    def refuse(self, camera: str, request: Request, text: str) -> None:
        """Answer a request that never became a job, or end its track; text: why, one sentence."""
        self._diagnostics.count_failure(text)
        self._dialogues.put_back(camera, request.exchange)
        self.end(camera, request, ReferredObject.ERROR, text)

    def end(self, camera: str, request: Request, status: int, text: str) -> None:
        """Send the last answer to a request; text: one sentence that says why it is the last."""
        with self._lock:
            message = self._failure_message(camera, request, JobFailure(status, text))
            self._send(camera, request, message, keeps_track=False)

    def end_replaced(self, camera: str, request: Request) -> None:
        """End the track of a request in whose place another came, whose answer will follow."""
        with self._lock:
            failure = JobFailure(ReferredObject.ERROR, _REPLACED)
            message = self._failure_message(camera, request, failure)
            self._note(camera, request, message, keeps_track=False)
            if request.goal is not None:
                self._action_server.finish(request.goal, message)

    def end_cancelled(self, camera: str, request: Request) -> None:
        """End a goal that its client cancelled; with its last answer, where it has a track."""
        with self._lock:
            last = self._tracks.told(camera, request)
            failure = JobFailure(ReferredObject.ERROR, CANCELLED)
            message = self._failure_message(camera, request, failure)
            if last is not None:
                self._note(camera, request, message, keeps_track=False)
                self._publish(camera, 'result', lambda: message)
            self._action_server.finish(request.goal, last or message)

    def report_silence(
        self, camera: str, request: Request, text: str, is_wanted: Callable[[], bool]
    ) -> None:
        """Say that no image comes for a track, which goes on with the next one.

        is_wanted: whether the track was not ended meanwhile; asked once.
        """
        failure = JobFailure(ReferredObject.ERROR, text, keeps_track=True)
        with self._lock:
            if is_wanted():
                self._diagnostics.count_failure(text)
                message = self._failure_message(camera, request, failure)
                self._send(camera, request, message, keeps_track=True)

    def _answer_message(self, job: Job, outcome: JobAnswer) -> tuple[ReferredObject, '_Located']:
        surface, estimate, grasps, notes = None, None, None, [outcome.depth_note]
        header, answer = job.frame.image.header, outcome.answer
        if outcome.depth is not None and answer.instance_count == 1:
            depth, mask = outcome.depth, answer.mask
            is_carried = outcome.tracked is not None and outcome.tracked.age > 0
            if is_carried:
                depth = thinned(depth, mask)
            surface, why_not = self._localizer.surface_of(depth, outcome.rgb, mask)
            notes.append(why_not)
            if is_carried:
                grasps = _NO_GRASPS
            elif surface is not None:
                grasps = self._localizer.grasps_of(depth, mask, surface)
            if surface is not None and outcome.tracked is not None:
                estimate = self._tracks.filtered(job, outcome.depth.pinhole, surface)
        if answer.status is Status.INVALID:
            notes = []  # a command that cannot be parsed has nothing to do with depth
        seconds = time.monotonic() - job.frame.arrived
        most = self._settings()['max_candidates']
        message = referred_object(header, outcome.heard, answer, surface, most, seconds)
        message.text = ' '.join(filter(None, (message.text, *notes)))
        message.inference_time = duration(outcome.seconds)
        if outcome.tracked is not None:
            add_track(message, job.request.track_id, outcome.tracked, estimate)
        if grasps is not None:
            add_grasps(message, grasps)
        return message, _Located(surface, estimate, grasps)

    def _failure_message(
        self, camera: str, request: Request, failure: JobFailure
    ) -> ReferredObject:
        """Return an answer without an object, which may be one of a track, or its end."""
        message = empty_referred_object(Header(), request.command, failure.status, failure.text)
        last = self._tracks.told(camera, request)
        if last is not None:
            message.track_id, message.track_age = last.track_id, last.track_age
        if failure.keeps_track:
            message.track_state = ReferredObject.UNSURE
        elif last is not None:
            message.text = f'{failure.text} The track ended.'
        return message

    def _send(
        self, camera: str, request: Request, message: ReferredObject, keeps_track: bool
    ) -> None:
        is_new = self._note(camera, request, message, keeps_track)
        name = f'{camera}: ' if camera else ''
        line = printable(f'{name}"{message.command[:_LOGGED]}": {message.text}')
        is_continuous = self._settings()['mode'] == 'continuous' and request.goal is None
        if is_continuous or not is_new:
            self._log.debug(line)
        else:
            self._log.info(line)
        self._publish(camera, 'result', lambda: message)
        if request.goal is not None:
            finish = report_answer if keeps_track else self._action_server.finish
            finish(request.goal, message)

    def _note(
        self, camera: str, request: Request, message: ReferredObject, keeps_track: bool
    ) -> bool:
        """Note a message about a track, and return whether it says something new."""
        is_new = self._tracks.note(camera, request, message, keeps_track)
        self._diagnostics.set_tracks(self._tracks.states())
        return is_new

    def _publish_visualization(self, job: Job, outcome: JobAnswer, located: '_Located') -> None:
        """Publish what has a subscriber, and compute nothing else."""
        surface, estimate = located.surface, located.estimate
        grasps = located.grasps.grasps if located.grasps is not None else ()
        finger_depth = self._settings()['gripper_finger_depth']
        header, answer, tracked = job.frame.image.header, outcome.answer, outcome.tracked
        shown = [each.mask for each in answer.instances]
        makers: dict[str, Callable[[], Any]] = {
            'mask': lambda: mask_image(header, answer.mask),
            'overlay': lambda: visualization.overlay_image(header, outcome.rgb, shown),
            'markers': lambda: visualization.markers(
                header, surface, answer.text, grasps, finger_depth
            ),
        }
        if tracked is None or not tracked.age:
            makers['heatmap'] = lambda: to_image(answer.heatmap, '32FC1', header)
        elif not shown:
            shown = [answer.mask, tracked.mask]  # a guess is the second, in the second colour
        if surface is not None:
            makers['points'] = lambda: visualization.points(header, surface)
            makers['pose'] = lambda: visualization.pose(header, surface)
        if surface is not None and estimate is not None:
            makers['pose'] = lambda: filtered_pose(header, surface, estimate)
            makers['pose_with_covariance'] = lambda: pose_with_covariance(header, surface, estimate)
        topics = self._topics.get(job.camera)
        for output, make in makers.items():
            if topics and topics.has_subscriber(output):
                self._publish(job.camera, output, make)

    def _publish(self, camera: str, output: str, make: Callable[[], Any]) -> None:
        """Publish a message on a camera's topic; a failure is logged, and ends nothing."""
        topics = self._topics.get(camera)
        try:
            if topics:
                topics.publish(output, make())
        except Exception:  # the other outputs, and the next answer, may still be published
            self._log.error(f'{output} could not be published:\n{traceback.format_exc()}')
