#!/usr/bin/env python3
"""Pick what the segment node finds: the glue between its answers and a robot's action `pick`.

python examples/voice_pick.py --ros-args -r result:=/segment/result -r depth:=/your/depth
"""

from collections import deque
from contextlib import suppress

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Empty
from std_srvs.srv import SetBool

from iterprime_ros.action import Pick
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.pick_safety import reason_not_to_close, reason_not_to_pick, seconds_of


class VoicePick(Node):
    """Sends a goal for each answer that allows it, and looks again before the gripper closes."""

    def __init__(self) -> None:
        super().__init__('voice_pick')
        self.depths = deque(maxlen=300)  # to compare with before the gripper closes
        self.answer = self.goal = None  # of the pick under way
        self.is_waiting, self.waiting_since, self.stopped_at = False, 0.0, 0.0  # at the grasp
        self.now = lambda: self.get_clock().now().nanoseconds / 1e9
        self.pick = ActionClient(self, Pick, 'pick')
        self.confirm = self.create_client(SetBool, 'pick/confirm')
        self.create_subscription(ReferredObject, 'result', self.on_answer, 10)
        self.create_subscription(Image, 'depth', self.on_depth, qos_profile_sensor_data)
        self.create_subscription(Empty, 'stop', self.on_stop, 10)

    def on_answer(self, answer: ReferredObject) -> None:
        """Send a goal, unless something speaks against it."""
        reason = reason_not_to_pick(answer, self.now())
        if not reason and seconds_of(answer.header) < self.stopped_at:
            reason = 'The robot was stopped after that image.'
        elif not reason and not self.pick.server_is_ready():
            reason = 'No robot serves the action pick.'
        elif not reason and self.answer is not None:
            reason = 'A pick is under way: say "stop" first.'
        if reason:
            self.get_logger().info(f'Not picking: {reason}')
            return
        self.get_logger().info(f'Picking "{answer.expression}".')
        self.answer = answer
        goal = Pick.Goal(header=answer.header, grasp=answer.grasps[0], confirm=True)
        self.pick.send_goal_async(goal, self.on_feedback).add_done_callback(self.on_accepted)

    def on_accepted(self, sent: rclpy.Future) -> None:
        """Wait for the result; what was stopped meanwhile is taken back."""
        self.goal = sent.result()
        if self.goal.accepted:
            if seconds_of(self.answer.header) < self.stopped_at:
                self.goal.cancel_goal_async()
            result = self.goal.get_result_async()
            result.add_done_callback(lambda ended: self.end(ended.result().result.text))
        else:
            self.end('The robot refused the goal.')

    def on_feedback(self, message: Pick.Impl.FeedbackMessage) -> None:
        """Note whether the gripper is at the grasp, where the next depth image decides."""
        said = message.feedback
        self.is_waiting, self.waiting_since = said.stage == said.WAITING, self.now()

    def on_depth(self, depth: Image) -> None:
        """Keep a depth image; the first one of a gripper that waits says whether it may close."""
        self.depths.append(depth)
        if not self.is_waiting or seconds_of(depth.header) < self.waiting_since:
            return
        stamp, self.is_waiting = seconds_of(self.answer.header), False
        before = min(self.depths, key=lambda each: abs(seconds_of(each.header) - stamp))
        reason = reason_not_to_close(self.answer, before, depth)
        if reason:
            self.get_logger().warning(f'Not closing: {reason}')
        self.confirm.call_async(SetBool.Request(data=not reason))

    def end(self, text: str) -> None:
        """Say what came of the pick."""
        self.get_logger().info(text)
        self.answer, self.goal, self.is_waiting = None, None, False

    def on_stop(self, _: Empty) -> None:
        """Take the goal back; the robot listens to `stop` itself, and stands still at once."""
        self.stopped_at, self.is_waiting = self.now(), False
        if self.goal is not None:
            self.goal.cancel_goal_async()


if __name__ == '__main__':
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(VoicePick())
