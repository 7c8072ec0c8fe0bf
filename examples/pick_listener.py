#!/usr/bin/env python3
"""Turn answers into grasps: print a grasp for every object that is found with depth.

python examples/pick_listener.py --ros-args -r result:=/segment/result
"""

import math
from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from iterprime_ros.msg import ReferredObject

MAX_OPENING = 0.10  # metres between the open fingers


class PickListener(Node):
    """Prints grasps that approach the visible side and close along the y axis of the box."""

    def __init__(self) -> None:
        super().__init__('pick_listener')
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(ReferredObject, 'result', self.on_result, latched)

    def on_result(self, answer: ReferredObject) -> None:
        """Print a grasp, or why there is none."""
        if answer.status == ReferredObject.FOUND_SEVERAL and answer.instance_count > 1:
            self.get_logger().warning(f'{answer.text} Ask for one of them to pick it.')
        elif answer.status not in (ReferredObject.FOUND, ReferredObject.FOUND_SEVERAL):
            self.get_logger().warning(f'Nothing to pick: {answer.text}')
        elif answer.point_count == 0 or math.isnan(answer.centroid.z):
            self.get_logger().warning(f'{answer.text} No grasp without depth.')
        elif answer.size.y > MAX_OPENING:
            self.get_logger().warning(
                f'{answer.text} No grasp: at {answer.size.y:.3f} m it is too wide.'
            )
        else:
            position, orientation = answer.centroid, answer.box.orientation
            self.get_logger().info(
                f'{answer.action_verb or "pick"} {answer.expression}: '
                f'in {answer.header.frame_id} at '
                f'({position.x:.3f}, {position.y:.3f}, {position.z:.3f}) m, orientation '
                f'({orientation.x:.3f}, {orientation.y:.3f}, {orientation.z:.3f}, '
                f'{orientation.w:.3f}), opening {answer.size.y:.3f} m'
            )


def main() -> None:
    """Listen until interrupted."""
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(PickListener())
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
