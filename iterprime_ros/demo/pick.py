"""Says a command to the simulated robot, replies to questions, and films what comes of it."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus, GoalStatusArray
from numpy.typing import NDArray
from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import SetBool

from iterprime_ros.action import Pick
from iterprime_ros.demo.pick_film import FilmFrame, heatmap_picture, write_film
from iterprime_ros.errors import IterprimeError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.convert.referred_object import full_mask
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.pick_safety import reason_not_to_pick, seconds_of

_CHECK_PERIOD = 0.05  # seconds
_FILM_PERIOD = 0.15  # seconds between two frames
_BEFORE_REPLY = 1.0  # seconds
_RETRY_PERIOD = 15.0  # seconds until what was not answered is said again
_TIMEOUT = 120.0  # seconds for the whole pick, once everybody is ready
_AFTERWARDS = 0.5  # seconds that are filmed after the end
_MOST_KEPT = 60  # images, for the heatmap of one of them
_RESULT_QOS = QoSProfile(depth=10)
_STATUS_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_STAGES = {
    Pick.Feedback.APPROACHING: 'Approaching.',
    Pick.Feedback.WAITING: 'Looking again, whether it is still there.',
    Pick.Feedback.CLOSING: 'Closing.',
    Pick.Feedback.LIFTING: 'Lifting.',
    Pick.Feedback.HOLDING: 'Holding.',
    Pick.Feedback.RETREATING: 'Going back.',
}
_UNTOUCHED = (Pick.Feedback.APPROACHING, Pick.Feedback.WAITING)


class PickFailedError(IterprimeError):
    """Nothing was lifted; the message says why."""


class DemoPick(Node):
    """Ends once the pick has ended and its film is written.

    Beside it run the simulated robot, the segment node and examples/voice_pick.py.
    """

    def __init__(self) -> None:
        super().__init__('demo_pick')
        descriptor = ParameterDescriptor(
            description='What is said: a command, then the replies to the questions.',
            type=ParameterType.PARAMETER_STRING_ARRAY,
            read_only=True,
        )
        says = self.declare_parameter('says', ['the mug'], descriptor).value
        self._to_say = list(says)
        self._voices = (
            [self.create_client(SetBool, f'voice_{number}/talk') for number in range(len(says))]
            if self.declare_parameter('voice', False).value
            else []
        )
        self._out = Path(self.declare_parameter('out', 'out/pick.gif').value)
        self._images: dict[int, NDArray[np.uint8]] = {}
        self._film: list[FilmFrame] = []
        self._said = self._answered = ''
        self._mask: NDArray[np.bool_] | None = None
        self._heatmap: NDArray[np.uint8] | None = None
        self._is_heard = True  # what was said last
        self._due: float | None = None  # when the next thing is said
        self._spoken_at = self._filmed_at = float('-inf')
        self._started_at: float | None = None
        self._end: tuple[float, str] | None = None  # when the film ends, and why nothing was lifted
        self._is_asked = False
        self._command = self.create_publisher(String, 'command', 10)
        self.create_subscription(Image, 'image', self._on_image, qos_profile_sensor_data)
        self.create_subscription(Image, 'segment/heatmap', self._on_heatmap, _RESULT_QOS)
        self.create_subscription(ReferredObject, 'segment/result', self._on_answer, _RESULT_QOS)
        self.create_subscription(String, 'segment/question', self._on_question, _RESULT_QOS)
        self.create_subscription(
            Pick.Impl.FeedbackMessage, 'pick/_action/feedback', self._on_feedback, _RESULT_QOS
        )
        self.create_subscription(
            GoalStatusArray, 'pick/_action/status', self._on_status, _STATUS_QOS
        )
        self._outcome = self.create_client(Pick.Impl.GetResultService, 'pick/_action/get_result')
        self.create_timer(_CHECK_PERIOD, self._go_on)

    @property
    def _is_ready(self) -> bool:
        """Whether everybody is there: the camera, the segment node, and the glue to the robot."""
        return bool(
            self._images
            and self._command.get_subscription_count()
            and self.count_publishers('segment/result')
            and self.count_subscribers('segment/result') > 1
            and self._outcome.service_is_ready()
            and all(voice.service_is_ready() for voice in self._voices)
        )

    def _go_on(self) -> None:
        now = time.monotonic()
        if self._end is not None:
            if now > self._end[0]:
                self._finish(self._end[1])
            return
        if self._started_at is None:
            if not self._is_ready:
                return
            self._started_at = self._due = now
        if now - self._started_at > _TIMEOUT:
            self._end_with(f'The pick did not end within {_TIMEOUT:g} s: this machine may be busy.')
        if self._due is not None and now >= self._due:
            self._say(self._to_say.pop(0))
            self._due = None
        elif not self._is_heard and now - self._spoken_at > _RETRY_PERIOD:
            self._say(self._said)

    def _say(self, words: str) -> None:
        if words != self._said:
            print(f'> {words}', flush=True)
        self._said, self._is_heard, self._spoken_at = words, False, time.monotonic()
        if self._voices:
            voice = self._voices[len(self._voices) - len(self._to_say) - 1]
            voice.call_async(SetBool.Request(data=True))
        else:
            self._command.publish(String(data=words))

    def _on_question(self, question: String) -> None:
        if not self._is_heard:
            return  # it is about what was said twice
        self._tell(question.data)
        if self._to_say:
            self._due = time.monotonic() + _BEFORE_REPLY
        else:
            self._end_with('A question is open, and there is no reply to it.')

    def _on_answer(self, answer: ReferredObject) -> None:
        if self._is_heard or (answer.command != self._said and not self._voices):
            return
        if self._voices:
            print(f'Heard "{answer.command}".', flush=True)
        is_without_depth = answer.status == ReferredObject.FOUND and not answer.point_count
        if answer.status == ReferredObject.ERROR or is_without_depth:
            print(f'{answer.text} Saying it again.', file=sys.stderr)
            return
        self._is_heard = True
        if answer.status == ReferredObject.AMBIGUOUS:
            return  # a question follows
        self._mask = full_mask(answer) if answer.mask.width else None
        self._tell(answer.text)
        reason = reason_not_to_pick(answer, seconds_of(answer.header))
        if reason:
            self._end_with(reason)

    def _on_heatmap(self, heatmap: Image) -> None:
        rgb = self._images.get(nanoseconds_of(heatmap.header))
        if rgb is not None:
            self._heatmap = heatmap_picture(rgb, from_image(heatmap))

    def _on_image(self, message: Image) -> None:
        rgb = from_image(message)
        self._images[nanoseconds_of(message.header)] = rgb
        if len(self._images) > _MOST_KEPT:
            del self._images[min(self._images)]
        if self._said and time.monotonic() - self._filmed_at >= _FILM_PERIOD:
            self._filmed_at = time.monotonic()
            self._film.append(
                FilmFrame(
                    self._filmed_at, rgb, self._mask, self._heatmap, self._said, self._answered
                )
            )

    def _on_feedback(self, message: Any) -> None:
        stage = message.feedback.stage
        self._tell(_STAGES[stage], is_printed=False)
        if stage not in _UNTOUCHED:
            self._mask = None

    def _on_status(self, message: GoalStatusArray) -> None:
        goals = message.status_list
        if goals and goals[-1].status > GoalStatus.STATUS_CANCELING and not self._is_asked:
            self._is_asked = True
            request = Pick.Impl.GetResultService.Request(goal_id=goals[-1].goal_info.goal_id)
            self._outcome.call_async(request).add_done_callback(
                lambda response: self._on_outcome(response.result().result)
            )

    def _on_outcome(self, result: Pick.Result) -> None:
        self._tell(result.text)
        self._end_with('' if result.success else result.text)

    def _tell(self, text: str, is_printed: bool = True) -> None:
        self._answered = text
        if is_printed:
            print(text, flush=True)

    def _end_with(self, failure: str) -> None:
        self._end = (time.monotonic() + _AFTERWARDS, failure)

    def _finish(self, failure: str) -> None:
        if self._film:
            write_film(self._out, self._film)
            print(f'Picture saved to {self._out}', flush=True)
        if failure:
            raise PickFailedError(failure)
        raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """Run until the pick has ended, and return the exit code."""
    try:
        return run(DemoPick, arguments)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
