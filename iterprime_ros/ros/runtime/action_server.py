"""The node's action: goals, feedback after every round, and results."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node

from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.runtime.job_queue import Job, Request

_ABORTING = (ReferredObject.INVALID, ReferredObject.ERROR)


class SegmentActionServer:
    """Accepts goals for every camera in every state of the node, so that each gets an answer.

    on_request: called with a camera's name and the request of a goal.
    on_cancel: called with a goal that is to be cancelled.
    """

    def __init__(
        self,
        node: Node,
        cameras: Sequence[str],
        on_request: Callable[[str, Request], None],
        on_cancel: Callable[[Any], None],
    ) -> None:
        self._on_request, self._cancel = on_request, on_cancel
        self._finished: deque[tuple[Any, ReferredObject]] = deque()
        self._wake = node.create_guard_condition(self._finish_all)
        self._servers = [self._server(node, name) for name in cameras]

    def finish(self, goal: Any, message: ReferredObject) -> None:
        """Have the executor's thread end a goal with its answer."""
        self._finished.append((goal, message))
        self._wake.trigger()

    def _server(self, node: Node, camera: str) -> ActionServer:
        return ActionServer(
            node,
            Segment,
            f'~/{camera}/segment' if camera else '~/segment',
            execute_callback=_never,
            handle_accepted_callback=partial(self._on_goal, camera),
            cancel_callback=self._on_cancel,
        )

    def _on_goal(self, camera: str, goal: Any) -> None:
        image = goal.request.image
        own = image if image.width and image.height else None
        self._on_request(camera, Request(goal.request.command, goal, own))

    def _on_cancel(self, goal: Any) -> CancelResponse:
        """Accept; a goal that waits or is followed ends at once, another one after its round."""
        self._cancel(goal)
        return CancelResponse.ACCEPT

    def _finish_all(self) -> None:
        while self._finished:
            goal, message = self._finished.popleft()
            goal.execute(partial(_result, message=message))


def report_round(job: Job, number: int, heatmap: NDArray[np.float32], probability: float) -> None:
    """Send a round as feedback to the goal of a job; heatmap: (rows, cols) float32 in [0, 1]."""
    goal = job.request.goal
    feedback = Segment.Feedback(round=number, match_probability=probability)
    if goal.request.feedback_heatmap:
        feedback.heatmap = to_image(heatmap, '32FC1', job.frame.image.header)
    goal.publish_feedback(feedback)


def report_answer(goal: Any, message: ReferredObject) -> None:
    """Send the answer on an image as feedback to a goal that follows."""
    goal.publish_feedback(
        Segment.Feedback(match_probability=message.match_probability, object=message)
    )


def _result(goal: Any, message: ReferredObject) -> Segment.Result:
    if goal.is_cancel_requested:
        goal.canceled()
    elif message.status in _ABORTING:
        goal.abort()
    else:
        goal.succeed()
    return Segment.Result(object=message)


def _never(_goal: Any) -> Segment.Result:
    raise RuntimeError('A goal is executed when its answer is there.')
