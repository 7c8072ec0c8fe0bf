"""The node: camera images and commands in; masks, heatmaps and 3D positions out."""

import ctypes
import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from std_msgs.msg import Empty
from transformers.utils import logging

from iterprime_ros.errors import IterprimeError, StoppedError
from iterprime_ros.msg import SpokenCommand
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import load_profile
from iterprime_ros.ros.camera_topics import CameraCallbacks, CameraTopics
from iterprime_ros.ros.convert.spoken_command import hypotheses_of
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.runtime.action_server import SegmentActionServer, report_round
from iterprime_ros.ros.runtime.answer_publisher import AnswerPublisher
from iterprime_ros.ros.runtime.diagnostics import Diagnostics
from iterprime_ros.ros.runtime.dialogues import Dialogues
from iterprime_ros.ros.runtime.follower import Follower
from iterprime_ros.ros.runtime.job_queue import JobQueue
from iterprime_ros.ros.runtime.loading import load_in_thread
from iterprime_ros.ros.runtime.localization import Localizer
from iterprime_ros.ros.runtime.parameters import (
    LIVE_PARAMETERS,
    MODEL_PARAMETERS,
    camera_names,
    declared_values,
    problem_of,
    thresholds,
    warn_of_unknown_parameters,
    with_thresholds,
)
from iterprime_ros.ros.runtime.request_desk import RequestDesk
from iterprime_ros.ros.runtime.worker import Worker
from iterprime_ros.tracking.propagation import Propagator

_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
_STOP_QOS = QoSProfile(depth=1)
_EXPIRY_PERIOD = 0.1  # seconds between checks for requests whose image does not arrive


@dataclass(frozen=True)
class _Work:
    """What exists while the node is active.

    job_queue: the images and requests that wait.
    worker: the thread that answers them.
    """

    job_queue: JobQueue
    worker: Worker


_Transition = Callable[['SegmentNode', LifecycleState], TransitionCallbackReturn]


def _ended_by_interrupt(transition: _Transition) -> _Transition:
    """End the node at a transition that Ctrl-C interrupts; rclpy would log an error after it."""

    @wraps(transition)
    def checked(node: 'SegmentNode', state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        finally:
            if not node.context.ok():
                raise SystemExit(0)

    return checked


class SegmentNode(LifecycleNode):
    """Segments in camera images what commands refer to; the README lists its interface."""

    def __init__(self) -> None:
        # destroy_node() needs these where a parameter turns out to be wrong.
        self._work: _Work | None = None
        self._last_worker: Worker | None = None
        self._topics: dict[str, CameraTopics] = {}
        super().__init__('segment')
        values = declared_values(self, MODEL_PARAMETERS)
        self._profile = load_profile(values['profile'])
        self._device, self._offline = values['device'], values['offline']
        self._subscribed = (
            values['image_transport'], values['use_depth'], values['reliability']
        )  # fmt: skip
        self._cameras = camera_names(values['cameras'])
        self._specs = {**LIVE_PARAMETERS, **thresholds(self._profile)}
        self._settings = declared_values(self, self._specs)
        self._model: IteRPrimE | None = None
        self._propagators: dict[str, Propagator] = {}
        self._diagnostics = Diagnostics(self, self._dropped)
        self._action_server = SegmentActionServer(
            self,
            self._cameras,
            lambda camera, request: self._desk.take_goal(camera, request),
            lambda goal: self._desk.cancel(goal),
        )
        self._localizer = Localizer(lambda: self._settings, values['rectified'], self.get_logger())
        dialogues = Dialogues()
        self._answer_publisher = AnswerPublisher(
            self,
            self._topics,
            self._action_server,
            self._diagnostics,
            lambda: self._settings,
            self._localizer,
            dialogues,
        )
        self._desk = RequestDesk(
            lambda: self._settings, self._topics, self._answer_publisher, dialogues
        )
        self.create_subscription(Empty, 'stop', lambda _: dialogues.end(), _STOP_QOS)
        self.add_on_set_parameters_callback(self._on_parameters)
        autostart = self.declare_parameter('autostart', False).value
        warn_of_unknown_parameters(self)
        if autostart:
            self._autostart = self.create_timer(0.0, self._start_up)
        else:
            self.get_logger().info(
                'Not configured: "ros2 lifecycle set NODE configure" loads the models, then '
                '"activate" starts the node; -p autostart:=true does both at start.'
            )

    def _start_up(self) -> None:
        """Configure and activate; a node that fails to ends, so that its launch learns of it."""
        self._autostart.cancel()
        is_active = self.trigger_configure() == _SUCCESS and self.trigger_activate() == _SUCCESS
        if not is_active and self.context.ok():
            raise SystemExit(1)

    # Transitions

    @_ended_by_interrupt
    def on_configure(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Load the weights."""
        log = self.get_logger()
        chosen = self.get_parameter('profile').value
        log.info(f'Loading the models of profile {chosen} on device {self._device} ...')
        began = time.monotonic()
        try:
            loaded = load_in_thread(
                chosen, self._device, self._offline, self._cameras, self.context.ok
            )
        except StoppedError:
            return _FAILURE
        except IterprimeError as error:
            log.error(str(error))
            return _FAILURE
        except Exception:  # whatever a library raises, the node can be configured again
            log.error(f'Unexpected error while loading:\n{traceback.format_exc()}')
            return _FAILURE
        settings = with_thresholds(self._profile, self._settings)
        self._model, self._propagators = loaded.model.with_profile(settings), loaded.propagators
        log.info(f'Loaded in {time.monotonic() - began:.1f} s.')
        if self._profile.notice:
            log.warning(self._profile.notice)
        callbacks = CameraCallbacks(
            self._on_image,
            self._on_depth,
            self._on_camera_info,
            self._desk.take_command,
            self._on_spoken_command,
        )
        for name in self._cameras:
            self._topics[name] = CameraTopics(self, name, callbacks)
        return _SUCCESS

    @_ended_by_interrupt
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        super().on_activate(state)
        # ROS time may stand still, where use_sim_time is set and nobody publishes /clock.
        self._expiry_timer = self.create_timer(
            _EXPIRY_PERIOD,
            self._desk.check_images,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        job_queue = JobQueue(self._cameras)
        self._configure_queue(job_queue)
        worker = Worker(
            job_queue,
            self._current_model,
            Follower(self._current_model, self._propagators),
            self._localizer,
            self._answer_publisher.publish_outcome,
            report_round,
            lambda: self._settings,
        )
        worker.start(after=self._last_worker)
        self._work, self._last_worker = _Work(job_queue, worker), worker
        self._desk.open(job_queue)
        for topics in self._topics.values():
            topics.subscribe(*self._subscribed)
        names = ', '.join(topics.image_topic for topics in self._topics.values())
        self.get_logger().info(f'Waiting for images on {names}.')
        return _SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; what is being computed ends with its round."""
        self._stop_work('The node was deactivated.')
        return super().on_deactivate(state)

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Free the models' memory, at the latest when the last round is over."""
        self._release()
        return _SUCCESS

    def on_shutdown(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """End."""
        self._stop_work('The node shuts down.')
        self._release()
        return _SUCCESS

    def destroy_node(self) -> None:
        """End the work before the node goes."""
        self._stop_work('The node shuts down.')
        if self._last_worker:
            self._last_worker.join(1.0)
        super().destroy_node()

    def _stop_work(self, why: str) -> None:
        if self._work is None:
            return
        work, self._work = self._work, None
        self._desk.close()
        self.destroy_timer(self._expiry_timer)
        for topics in self._topics.values():
            topics.unsubscribe()
        unfinished = work.job_queue.close()
        job = work.worker.stop()
        if job and not job.request.track_id:
            is_once = job.request.goal or self._settings['mode'] == 'once'
            unfinished += [(job.camera, job.request)] if is_once else []
        for camera, request in unfinished:
            self._answer_publisher.refuse(camera, request, why)

    def _release(self) -> None:
        for topics in self._topics.values():
            topics.destroy()
        self._topics.clear()
        self._model, self._propagators = None, {}
        if self._last_worker and self._last_worker.join(0.0):
            self._last_worker = None
        _free_memory()

    # Images

    def _on_image(self, camera: str, message: Any, stamp: int, expects_depth: bool) -> None:
        if self._work:
            self._diagnostics.count_frame(camera, stamp)
            self._work.job_queue.put_image(camera, message, stamp, expects_depth)

    def _on_depth(self, camera: str, message: Any, stamp: int) -> None:
        if self._work:
            self._work.job_queue.put_depth(camera, message, stamp)

    def _on_camera_info(self, camera: str, message: Any) -> None:
        if self._work:
            self._work.job_queue.put_camera_info(camera, message)

    def _on_spoken_command(self, camera: str, message: SpokenCommand) -> None:
        hypotheses = hypotheses_of(message)
        self._desk.take_command(camera, hypotheses[0].text if hypotheses else '', hypotheses)

    def _configure_queue(self, job_queue: JobQueue) -> None:
        job_queue.max_waiting = self._settings['max_waiting']
        job_queue.set_depth_matching(
            self._settings['depth_tolerance'], self._settings['depth_wait']
        )

    def _dropped(self) -> int:
        return sum(map(self._work.job_queue.dropped, self._cameras)) if self._work else 0

    def _current_model(self) -> IteRPrimE:
        if self._model is None:
            raise StoppedError('The node was cleaned up.')
        return self._model

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        changed = {each.name: each.value for each in parameters if each.name in self._specs}
        for name, value in changed.items():
            if problem := problem_of(self._specs[name], name, value):
                return SetParametersResult(successful=False, reason=problem)
        before, self._settings = self._settings, {**self._settings, **changed}
        if self._work:
            self._configure_queue(self._work.job_queue)
        if self._model:
            self._model = self._model.with_profile(with_thresholds(self._profile, self._settings))
        mode = self._settings['mode']
        if mode != before['mode']:
            self._desk.end_standing(f'The mode is {mode} now.')
        return SetParametersResult(successful=True)


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    # glibc keeps what was freed in small pieces: some 80 MB after a full-size model.
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim:
        trim(0)


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    logging.disable_progress_bar()  # a log is no terminal
    try:
        code = run(SegmentNode, arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except (IterprimeError, ValueError) as error:
        print(error, file=sys.stderr)
        code = 2
    if threading.active_count() > 1:
        # A thread inside a model cannot be stopped; leaving it to the interpreter's end may crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
