"""The node: camera images and commands in; masks, heatmaps and places out."""

import re
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.action import ActionServer, CancelResponse
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_msgs.msg import Header

from iterprime_ros.action import Segment
from iterprime_ros.errors import InvalidSettingError, IterprimeError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import Profile, profile
from iterprime_ros.ros import views
from iterprime_ros.ros.answers import mask_image, referred_object, unanswered
from iterprime_ros.ros.camera_port import CameraPort, nanoseconds_of
from iterprime_ros.ros.desk import Desk, Job, Request
from iterprime_ros.ros.diagnostics import Diagnostics
from iterprime_ros.ros.images import to_image
from iterprime_ros.ros.parameters import MODELS, WORK, declared, problem_of, thresholds
from iterprime_ros.ros.place import place_of
from iterprime_ros.ros.running import run
from iterprime_ros.ros.worker import Answered, Failed, StoppedError, Worker, loaded

_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')
_LOOKOUT = 0.1  # seconds between looks for requests whose frame does not come
_INACTIVE = 'The node is not active: activate it first (ros2 lifecycle set NODE activate).'


@dataclass(frozen=True)
class _Work:
    """What an active node has: what waits, and who does it."""

    desk: Desk
    worker: Worker


class SegmentNode(LifecycleNode):
    """Finds in camera images what commands refer to; see the README for its interface."""

    def __init__(self) -> None:
        # Needed to end a node whose parameters turn out to be wrong.
        self._work: _Work | None = None
        self._last_worker: Worker | None = None
        self._ports: dict[str, CameraPort] = {}
        super().__init__('segment')
        values = declared(self, MODELS)
        self._profile = _profile(values['profile'])
        self._device, self._offline = values['device'], values['offline']
        self._transport, self._use_depth = values['image_transport'], values['use_depth']
        self._cameras = _camera_names(values['cameras'])
        self._described = {**WORK, **thresholds(self._profile)}
        self._settings = declared(self, self._described)
        self._model: IteRPrimE | None = None
        self._finished: deque[tuple[Any, ReferredObject, bool]] = deque()
        self._wake = self.create_guard_condition(self._finish_goals)
        self._diagnostics = Diagnostics(self, self._dropped)
        self._servers = [self._action_server(name) for name in self._cameras]
        self.add_on_set_parameters_callback(self._on_parameters)
        autostart = self.declare_parameter('autostart', False).value
        if autostart:
            self._autostart = self.create_timer(0.0, self._start_up)

    def _action_server(self, camera: str) -> ActionServer:
        """Return a server of goals about a camera; in every state, so that each has an answer."""
        return ActionServer(
            self,
            Segment,
            f'~/{camera}/segment' if camera else '~/segment',
            execute_callback=_never,
            handle_accepted_callback=partial(self._on_goal, camera),
            cancel_callback=self._on_cancel,
        )

    def _start_up(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() is _SUCCESS:
            self.trigger_activate()

    # Transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the weights, and say where."""
        log = self.get_logger()
        chosen = self.get_parameter('profile').value
        log.info(f'Loading the models of profile {chosen} on device {self._device} ...')
        began = time.monotonic()
        try:
            model = loaded(chosen, self._device, self._offline, self.context.ok)
        except StoppedError:
            return _FAILURE
        except IterprimeError as error:
            log.error(str(error))
            return _FAILURE
        except Exception as error:  # whatever a library raises, the node can be configured again
            log.error(f'Loading failed: {type(error).__name__}: {error}')
            return _FAILURE
        self._model = model.with_profile(self._set_profile())
        log.info(f'Loaded in {time.monotonic() - began:.1f} s.')
        if self._profile.notice:
            log.warning(self._profile.notice)
        self._ports = {
            name: CameraPort(self, name, self._on_image, self._on_command) for name in self._cameras
        }
        return _SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen."""
        super().on_activate(state)
        desk = Desk(self._cameras)
        worker = Worker(desk, self._current_model, self._deliver, self._watch_round)
        worker.start(after=self._last_worker)
        self._work, self._last_worker = _Work(desk, worker), worker
        for port in self._ports.values():
            port.subscribe(self._transport, self._use_depth)
        self._lookout = self.create_timer(_LOOKOUT, self._answer_late_requests)
        topics = ', '.join(port.image_topic for port in self._ports.values())
        self.get_logger().info(f'Listening for images on {topics}.')
        return _SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; what is being computed ends with its round."""
        self._stop_work('The node was deactivated.')
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give the models' memory back, at the latest when the last round is over."""
        self._forget()
        return _SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End."""
        self._stop_work('The node shuts down.')
        self._forget()
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
        self.destroy_timer(self._lookout)
        for port in self._ports.values():
            port.unsubscribe()
        unfinished = work.desk.close()
        job = work.worker.stop()
        if job and (job.request.goal or self._settings['mode'] == 'once'):
            unfinished.append((job.camera, job.request))
        for camera, request in unfinished:
            self._refuse(camera, request, ReferredObject.ERROR, why)

    def _forget(self) -> None:
        for port in self._ports.values():
            port.destroy()
        self._ports = {}
        self._model = None
        if self._last_worker and self._last_worker.join(0.0):
            self._last_worker = None
        _return_memory()

    # What comes in

    def _on_image(self, camera: str, message: Any) -> None:
        if self._work:
            self._diagnostics.count_frame(camera, nanoseconds_of(message))
            self._work.desk.put_frame(camera, message)

    def _dropped(self) -> int:
        return sum(map(self._work.desk.dropped, self._cameras)) if self._work else 0

    def _on_command(self, camera: str, command: str) -> None:
        request = Request(command)
        if self._work and self._settings['mode'] == 'continuous':
            self._work.desk.set_standing(camera, request)
        elif self._work:
            self._ask(self._work.desk, camera, request)

    def _ask(self, desk: Desk, camera: str, request: Request) -> None:
        replaced = desk.put_request(camera, request)
        if replaced:
            self._refuse(
                camera, replaced, ReferredObject.ERROR, 'A newer command came before a frame did.'
            )

    def _on_goal(self, camera: str, goal: Any) -> None:
        request = Request(goal.request.command, goal, _image_in(goal.request))
        if self._work:
            self._ask(self._work.desk, camera, request)
        else:
            self._refuse(camera, request, ReferredObject.ERROR, _INACTIVE)

    def _on_cancel(self, goal: Any) -> CancelResponse:
        """Accept; a goal that still waits ends at once, another one after its round."""
        if self._work and self._work.desk.withdraw(goal):
            message = unanswered(
                Header(), goal.request.command, ReferredObject.ERROR, 'The goal was cancelled.'
            )
            self._finish(goal, message, succeeded=False)
        return CancelResponse.ACCEPT

    def _answer_late_requests(self) -> None:
        seconds = self._settings['frame_timeout']
        for camera, request in self._work.desk.expired(seconds) if self._work else ():
            topic = self._ports[camera].image_topic
            self._refuse(
                camera,
                request,
                ReferredObject.ERROR,
                f'No image came on {topic} within {seconds:g} s: is the camera running, and its '
                'topic remapped to this one?',
            )

    # What goes out

    def _current_model(self) -> IteRPrimE:
        if self._model is None:
            raise StoppedError('The node was cleaned up.')
        return self._model

    def _watch_round(self, job: Job, number: int, heatmap: Any, probability: float) -> None:
        goal = job.request.goal
        if goal is None:
            return
        if goal.is_cancel_requested:
            raise StoppedError('The goal was cancelled.')
        goal.publish_feedback(
            Segment.Feedback(
                round=number,
                match_probability=probability,
                heatmap=to_image(heatmap, '32FC1', job.message.header),
            )
        )

    def _deliver(self, job: Job, outcome: Answered | Failed) -> None:
        """Publish what came of a job; called by the worker."""
        port, header = self._ports[job.camera], job.message.header
        seconds = time.monotonic() - job.arrived
        command = job.request.command
        if isinstance(outcome, Failed):
            message = unanswered(header, command, outcome.status, outcome.text, seconds)
            self._diagnostics.count_failure(outcome.text)
            self._send(port, job.request, message)
            return
        answer = outcome.answer
        place, note = None, ''
        if self._use_depth and job.request.image is None and answer.mask.any():
            place, note = place_of(port, header, outcome, self._settings['depth_tolerance'])
        message = referred_object(
            header, command, answer, place, self._settings['max_candidates'], seconds
        )
        message.text = ' '.join(filter(None, (message.text, note)))
        self._diagnostics.count_answer(seconds)
        self._send(port, job.request, message)
        self._show(port, header, outcome, place)

    def _send(self, port: CameraPort, request: Request, message: ReferredObject) -> None:
        port.publish('result', message)
        if request.goal is not None:
            succeeded = message.status not in (ReferredObject.INVALID, ReferredObject.ERROR)
            self._finish(request.goal, message, succeeded)

    def _show(self, port: CameraPort, header: Header, outcome: Answered, place: Any) -> None:
        """Publish what someone listens to, and compute nothing else."""
        answer = outcome.answer
        made = {
            'mask': lambda: mask_image(header, answer.mask),
            'heatmap': lambda: to_image(answer.heatmap, '32FC1', header),
            'overlay': lambda: views.marked(header, outcome.rgb, answer.mask),
            'markers': lambda: views.markers(header, place, answer.text),
        }
        if place:
            made['points'] = lambda: views.points(header, place)
            made['pose'] = lambda: views.pose(header, place)
        for output, make in made.items():
            if port.is_heard(output):
                port.publish(output, make())

    def _refuse(self, camera: str, request: Request, status: int, text: str) -> None:
        message = unanswered(Header(), request.command, status, text)
        self._diagnostics.count_failure(text)
        if camera in self._ports:
            self._send(self._ports[camera], request, message)
        elif request.goal is not None:
            self._finish(request.goal, message, succeeded=False)

    def _finish(self, goal: Any, message: ReferredObject, succeeded: bool) -> None:
        """Have the executor's thread end a goal."""
        self._finished.append((goal, message, succeeded))
        self._wake.trigger()

    def _finish_goals(self) -> None:
        while self._finished:
            goal, message, succeeded = self._finished.popleft()
            goal.execute(lambda handle, m=message, s=succeeded: _ended(handle, m, s))

    # Parameters

    def _set_profile(self) -> Profile:
        answer = {name: self._settings[name] for name in ('match_threshold', 'ambiguity_margin')}
        return self._profile.model_copy(
            update={
                'answer': self._profile.answer.model_copy(update=answer),
                'grounding': self._profile.grounding.model_copy(
                    update={'rounds': self._settings['rounds']}
                ),
            }
        )

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        changed = {each.name: each.value for each in parameters if each.name in self._described}
        for name, value in changed.items():
            if problem := problem_of(self._described[name], name, value):
                return SetParametersResult(successful=False, reason=problem)
        self._settings = {**self._settings, **changed}
        if self._model:
            self._model = self._model.with_profile(self._set_profile())
        if changed.get('mode') == 'once' and self._work:
            for camera in self._cameras:
                self._work.desk.set_standing(camera, None)
        return SetParametersResult(successful=True)


def _ended(goal: Any, message: ReferredObject, succeeded: bool) -> Segment.Result:
    if goal.is_cancel_requested:
        goal.canceled()
    elif succeeded:
        goal.succeed()
    else:
        goal.abort()
    return Segment.Result(object=message)


def _never(goal: Any) -> Segment.Result:
    raise RuntimeError('A goal is executed when its answer is there.')


def _image_in(goal: Segment.Goal) -> Any:
    return goal.image if goal.image.width and goal.image.height else None


def _profile(name: str) -> Profile:
    return profile(name)


def _camera_names(given: list[str]) -> list[str]:
    names = list(given) or ['']
    if names == ['']:
        return names
    for name in names:
        if not _CAMERA_NAME.fullmatch(name):
            raise InvalidSettingError(
                f'cameras: "{name}" is no name: use letters, digits and underscores, a letter '
                'first.'
            )
    if len(set(names)) < len(names):
        raise InvalidSettingError(f'cameras: a name is given twice in {", ".join(names)}.')
    return names


def _return_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        code = run(SegmentNode, arguments)
    except (IterprimeError, ValueError) as error:
        print(error, file=sys.stderr)
        code = 2
    if threading.active_count() > 1:
        # A thread inside a model cannot be stopped; leaving it to the interpreter's end may crash.
        import os

        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
