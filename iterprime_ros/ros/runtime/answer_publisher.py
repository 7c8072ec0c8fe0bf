"""Publishes what the worker computed on the topics of the camera, and ends action goals."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from iterprime_ros.answer import Status
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import CameraTopics
from iterprime_ros.ros.convert import visualization
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.referred_object import (
    duration,
    empty_referred_object,
    mask_image,
    referred_object,
)
from iterprime_ros.ros.runtime.action_server import SegmentActionServer
from iterprime_ros.ros.runtime.diagnostics import Diagnostics
from iterprime_ros.ros.runtime.failures import JobFailure, log_cause, unexpected_failure
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.localization import Localizer
from iterprime_ros.ros.runtime.worker import JobAnswer

_LOGGED = 80  # characters of a command in the log


def printable(text: str) -> str:
    """Return a text as one log line: without control characters, so that it forges no other."""
    return ''.join(each if each.isprintable() else ' ' for each in text)


class AnswerPublisher:
    """Publishes answers on the topics of their cameras, and finishes goals with them.

    topics: by camera; empty while the node is not configured.
    settings: returns the node's parameters as they are at that moment.
    localizer: finds where an object is in 3D.

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
    ) -> None:
        self._log = node.get_logger()
        self._topics, self._action_server = topics, action_server
        self._diagnostics, self._settings = diagnostics, settings
        self._localizer = localizer

    def publish_outcome(self, job: Job, outcome: JobAnswer | JobFailure) -> None:
        """Publish the outcome of a job. Raises nothing: an answer that cannot be sent failed."""
        surface = None
        try:
            if isinstance(outcome, JobAnswer):
                message, surface = self._answer_message(job, outcome)
        except Exception as error:  # of any type, from depth or a library
            outcome = unexpected_failure(error)
        seconds = time.monotonic() - job.frame.arrived
        if isinstance(outcome, JobFailure):
            log_cause(self._log, outcome)
            message = empty_referred_object(
                job.frame.image.header, job.request.command, outcome.status, outcome.text, seconds
            )
            self._diagnostics.count_failure(outcome.text)
        else:
            self._diagnostics.count_answer(seconds)
        self._send(job.camera, job.request, message)
        if isinstance(outcome, JobAnswer):
            self._publish_visualization(job, outcome, surface)

    def refuse(self, camera: str, request: Request, text: str) -> None:
        """Answer a request that never became a job; text: one sentence that says why."""
        self._diagnostics.count_failure(text)
        message = empty_referred_object(Header(), request.command, ReferredObject.ERROR, text)
        self._send(camera, request, message)

    def _answer_message(
        self, job: Job, outcome: JobAnswer
    ) -> tuple[ReferredObject, Surface | None]:
        surface, notes = None, [outcome.depth_note]
        header, answer = job.frame.image.header, outcome.answer
        if outcome.depth is not None and answer.instance_count == 1:
            depth, mask = outcome.depth, answer.mask
            surface, why_not = self._localizer.surface_of(depth, outcome.rgb, mask)
            notes.append(why_not)
        if answer.status is Status.INVALID:
            notes = []  # a command that cannot be parsed has nothing to do with depth
        seconds = time.monotonic() - job.frame.arrived
        most = self._settings()['max_candidates']
        message = referred_object(header, job.request.command, answer, surface, most, seconds)
        message.text = ' '.join(filter(None, (message.text, *notes)))
        message.inference_time = duration(outcome.seconds)
        return message, surface

    def _send(self, camera: str, request: Request, message: ReferredObject) -> None:
        name = f'{camera}: ' if camera else ''
        line = printable(f'{name}"{message.command[:_LOGGED]}": {message.text}')
        if self._settings()['mode'] == 'continuous' and request.goal is None:
            self._log.debug(line)
        else:
            self._log.info(line)
        self._publish(camera, 'result', lambda: message)
        if request.goal is not None:
            self._action_server.finish(request.goal, message)

    def _publish_visualization(self, job: Job, outcome: JobAnswer, surface: Surface | None) -> None:
        """Publish what has a subscriber, and compute nothing else."""
        header, answer = job.frame.image.header, outcome.answer
        makers: dict[str, Callable[[], Any]] = {
            'mask': lambda: mask_image(header, answer.mask),
            'heatmap': lambda: to_image(answer.heatmap, '32FC1', header),
            'overlay': lambda: visualization.overlay_image(
                header, outcome.rgb, [each.mask for each in answer.instances]
            ),
            'markers': lambda: visualization.markers(header, surface, answer.text),
        }
        if surface is not None:
            makers['points'] = lambda: visualization.points(header, surface)
            makers['pose'] = lambda: visualization.pose(header, surface)
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
