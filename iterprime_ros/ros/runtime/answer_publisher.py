"""From what came of a job to what others hear of it."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from iterprime_ros.geometry.surface import Surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros import views
from iterprime_ros.ros.camera_topics import CameraTopics
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.referred_object import (
    duration,
    mask_image,
    referred_object,
    unanswered,
)
from iterprime_ros.ros.runtime.action_server import SegmentActionServer
from iterprime_ros.ros.runtime.diagnostics import Diagnostics
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.localization import place_of
from iterprime_ros.ros.runtime.worker import Answered, Failed, failure_of

_TOLD = 80  # characters of a command in the log


class AnswerPublisher:
    """Publishes answers on the ports of their cameras, and ends goals with them.

    ports: by camera; none while the node is not configured. settings: returns the node's parameters
    as they are at that moment. All methods may be called from any thread.
    """

    def __init__(
        self,
        node: Node,
        ports: Mapping[str, CameraTopics],
        goals: SegmentActionServer,
        diagnostics: Diagnostics,
        settings: Callable[[], dict[str, Any]],
    ) -> None:
        self._log = node.get_logger()
        self._ports, self._goals = ports, goals
        self._diagnostics, self._settings = diagnostics, settings

    def deliver(self, job: Job, outcome: Answered | Failed) -> None:
        """Publish what came of a job. Raises nothing: a job that cannot be told of has failed."""
        place = None
        try:
            if isinstance(outcome, Answered):
                message, place = self._answer(job, outcome)
        except Exception as error:  # whatever the depth or a library has made of it
            outcome = failure_of(error)
        seconds = time.monotonic() - job.arrived
        if isinstance(outcome, Failed):
            self._log_cause(outcome)
            message = unanswered(
                job.message.header, job.request.command, outcome.status, outcome.text, seconds
            )
            self._diagnostics.count_failure(outcome.text)
        else:
            self._diagnostics.count_answer(seconds)
        self._send(job.camera, job.request, message)
        if isinstance(outcome, Answered):
            self._show(job, outcome, place)

    def refuse(self, camera: str, request: Request, text: str) -> None:
        """Answer a request that no job was made of; text: one sentence of why."""
        self._diagnostics.count_failure(text)
        message = unanswered(Header(), request.command, ReferredObject.ERROR, text)
        self._send(camera, request, message)

    def _answer(self, job: Job, outcome: Answered) -> tuple[ReferredObject, Surface | None]:
        place, note = None, ''
        settings, port = self._settings(), self._ports.get(job.camera)
        header, answer = job.message.header, outcome.answer
        if port and job.request.image is None and answer.mask.any():
            place, note = place_of(port, header, outcome, settings['depth_tolerance'])
        seconds = time.monotonic() - job.arrived
        message = referred_object(
            header, job.request.command, answer, place, settings['max_candidates'], seconds
        )
        message.text = ' '.join(filter(None, (message.text, note)))
        message.inference_time = duration(outcome.seconds)
        return message, place

    def _send(self, camera: str, request: Request, message: ReferredObject) -> None:
        told = f'"{message.command[:_TOLD]}": {message.text}'
        if self._settings()['mode'] == 'continuous' and request.goal is None:
            self._log.debug(told)
        else:
            self._log.info(told)
        self._publish(camera, 'result', lambda: message)
        if request.goal is not None:
            self._goals.finish(request.goal, message)

    def _show(self, job: Job, outcome: Answered, place: Surface | None) -> None:
        """Publish what someone listens to, and compute nothing else."""
        header, answer = job.message.header, outcome.answer
        made: dict[str, Callable[[], Any]] = {
            'mask': lambda: mask_image(header, answer.mask),
            'heatmap': lambda: to_image(answer.heatmap, '32FC1', header),
            'overlay': lambda: views.marked(header, outcome.rgb, answer.mask),
            'markers': lambda: views.markers(header, place, answer.text),
        }
        if place is not None:
            made['points'] = lambda: views.points(header, place)
            made['pose'] = lambda: views.pose(header, place)
        port = self._ports.get(job.camera)
        for output, make in made.items():
            if port and port.is_heard(output):
                self._publish(job.camera, output, make)

    def _publish(self, camera: str, output: str, make: Callable[[], Any]) -> None:
        """Publish a message where there is a port for it; a failure is logged, and ends nothing."""
        port = self._ports.get(camera)
        try:
            if port:
                port.publish(output, make())
        except Exception:  # the other outputs, and the next answer, may still be published
            self._log.error(f'{output} could not be published:\n{traceback.format_exc()}')

    def _log_cause(self, failed: Failed) -> None:
        if failed.cause is not None:
            trace = ''.join(traceback.format_exception(failed.cause))
            self._log.error(f'An answer failed where that was not expected:\n{trace}')
