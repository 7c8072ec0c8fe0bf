"""The action of the node: goals, their rounds and their ends."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from std_msgs.msg import Header

from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.referred_object import unanswered
from iterprime_ros.ros.runtime.job_queue import Request
from iterprime_ros.ros.runtime.worker import StoppedError

_ENDED_BADLY = (ReferredObject.INVALID, ReferredObject.ERROR)


class SegmentActionServer:
    """Takes goals about cameras, in every state of the node, so that each has an answer.

    ask: called with a camera's name and what a goal asks. withdraw: takes the request of a goal
    back, and returns whether it was still waiting.
    """

    def __init__(
        self,
        node: Node,
        cameras: Sequence[str],
        ask: Callable[[str, Request], None],
        withdraw: Callable[[Any], bool],
    ) -> None:
        self._ask, self._withdraw = ask, withdraw
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
        self._ask(camera, Request(goal.request.command, goal, own))

    def _on_cancel(self, goal: Any) -> CancelResponse:
        """Accept; a goal that still waits ends at once, another one after its round."""
        if self._withdraw(goal):
            self.finish(
                goal,
                unanswered(
                    Header(), goal.request.command, ReferredObject.ERROR, 'The goal was cancelled.'
                ),
            )
        return CancelResponse.ACCEPT

    def _finish_all(self) -> None:
        while self._finished:
            goal, message = self._finished.popleft()
            goal.execute(partial(_ended, message=message))


def report_round(
    goal: Any, header: Header, number: int, heatmap: NDArray[np.float32], probability: float
) -> None:
    """Send a round as feedback; header: of its image. Raises StoppedError for a cancelled goal."""
    if goal.is_cancel_requested:
        raise StoppedError('The goal was cancelled.')
    goal.publish_feedback(
        Segment.Feedback(
            round=number,
            match_probability=probability,
            heatmap=to_image(heatmap, '32FC1', header),
        )
    )


def _ended(goal: Any, message: ReferredObject) -> Segment.Result:
    if goal.is_cancel_requested:
        goal.canceled()
    elif message.status in _ENDED_BADLY:
        goal.abort()
    else:
        goal.succeed()
    return Segment.Result(object=message)


def _never(goal: Any) -> Segment.Result:
    raise RuntimeError('A goal is executed when its answer is there.')
