"""Where commands and goals go: answered once, on every image, or followed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import CameraTopics
from iterprime_ros.ros.runtime.answer_publisher import AnswerPublisher
from iterprime_ros.ros.runtime.dialogues import Dialogues
from iterprime_ros.ros.runtime.job_queue import JobQueue, Request
from iterprime_ros.speech.recognizer import Hypothesis

_INACTIVE = 'The node is not active: activate it first (ros2 lifecycle set NODE activate).'
_OWN_IMAGE = 'An image of its own cannot be followed: leave image empty, or follow false.'
_EMPTY = 'The command is empty.'


class RequestDesk:
    """Takes commands and goals while the node is active. To be called by the executor alone.

    settings: returns the node's parameters as they are at that moment.
    topics: by camera.
    answer_publisher: answers what never becomes a job.
    dialogues: the questions that wait for a reply.
    """

    def __init__(
        self,
        settings: Callable[[], dict[str, Any]],
        topics: Mapping[str, CameraTopics],
        answer_publisher: AnswerPublisher,
        dialogues: Dialogues,
    ) -> None:
        self._settings, self._topics = settings, topics
        self._answer_publisher, self._dialogues = answer_publisher, dialogues
        self._job_queue: JobQueue | None = None
        self._track_ids = count(1)
        self._silent: dict[str, Request] = {}

    def open(self, job_queue: JobQueue) -> None:
        """Put requests into a queue from now on."""
        self._job_queue, self._silent = job_queue, {}
        self._dialogues.end()

    def close(self) -> None:
        """Refuse every request from now on."""
        self._job_queue = None

    def take_command(
        self, camera: str, command: str, hypotheses: tuple[Hypothesis, ...] = ()
    ) -> None:
        """Do with a command what the mode says; hypotheses: what may have been said in its place.

        It may be the reply to a question.
        """
        if self._job_queue is None:
            return
        settings = self._settings()
        mode, wait = settings['mode'], settings['reply_timeout']
        exchange = self._dialogues.take(camera, wait)
        request = Request(command, hypotheses=hypotheses, exchange=exchange)
        if mode == 'once':
            self._ask(self._job_queue, camera, request)
        elif mode == 'continuous':
            self._stand(self._job_queue, camera, request)
        elif command.strip():
            self._follow(self._job_queue, camera, request)
        else:
            ended = self._job_queue.set_standing(camera, None) or request
            self._answer_publisher.end(camera, ended, ReferredObject.INVALID, _EMPTY)

    def take_goal(self, camera: str, request: Request) -> None:
        """Answer the request of a goal once, or follow what it refers to, in every mode."""
        if self._job_queue is None:
            self._answer_publisher.refuse(camera, request, _INACTIVE)
        elif not request.goal.request.follow:
            self._ask(self._job_queue, camera, request)
        elif request.image is None:
            self._follow(self._job_queue, camera, request)
        else:
            self._answer_publisher.end(camera, request, ReferredObject.INVALID, _OWN_IMAGE)

    def cancel(self, goal: Any) -> None:
        """End a goal that waits or is followed; another one ends with its round."""
        withdrawn = self._job_queue.withdraw(goal) if self._job_queue else None
        if withdrawn:
            self._answer_publisher.end_cancelled(*withdrawn)

    def end_standing(self, why: str) -> None:
        """End what the command topics have set to be answered on every image; why: a sentence."""
        job_queue = self._job_queue
        if job_queue is None:
            return
        for camera in self._topics:
            request = job_queue.standing(camera)
            if request is None or request.goal is not None:
                continue
            job_queue.set_standing(camera, None)
            if request.track_id:
                self._answer_publisher.end(camera, request, ReferredObject.ERROR, why)

    def check_images(self) -> None:
        """Refuse the requests whose image does not arrive, and say so of tracks, once a silence."""
        if self._job_queue is None:
            return
        seconds = self._settings()['frame_timeout']
        for camera, request in self._job_queue.expired(seconds):
            self._answer_publisher.refuse(camera, request, self._no_image(camera, seconds))
        silent = self._job_queue.silent(seconds)
        for camera, request in silent:
            self._on_silence(self._job_queue, camera, request, self._no_image(camera, seconds))
        self._silent = dict(silent)

    def _on_silence(self, job_queue: JobQueue, camera: str, request: Request, text: str) -> None:
        if request.goal is not None and not self._topics[camera].has_camera:
            if job_queue.withdraw(request.goal):
                self._answer_publisher.refuse(camera, request, text)
        elif self._silent.get(camera) is not request:
            self._answer_publisher.report_silence(
                camera,
                request,
                f'{text} The track goes on when images return.',
                lambda: job_queue.standing(camera) is request,
            )

    def _no_image(self, camera: str, seconds: float) -> str:
        cause = self._topics[camera].missing_image_cause()
        return f'No image arrived within {seconds:g} s: {cause}'

    def _ask(self, job_queue: JobQueue, camera: str, request: Request) -> None:
        if not job_queue.put_request(camera, request):
            self._answer_publisher.refuse(
                camera,
                request,
                f'{job_queue.max_waiting} commands wait already (max_waiting): send this one again '
                'when they are answered.',
            )

    def _follow(self, job_queue: JobQueue, camera: str, request: Request) -> None:
        self._stand(job_queue, camera, replace(request, track_id=next(self._track_ids)))

    def _stand(self, job_queue: JobQueue, camera: str, request: Request) -> None:
        before = job_queue.set_standing(camera, request)
        if before is not None and before.track_id:
            self._answer_publisher.end_replaced(camera, before)
