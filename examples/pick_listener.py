#!/usr/bin/env python3
"""A grasping node's side: print a grasp for every object that is found.

python examples/pick_listener.py --ros-args -r result:=/segment/result
"""

import math
from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from iterprime_ros.msg import ReferredObject

WIDEST = 0.10  # metres, between the open fingers


class PickListener(Node):
    """Turns answers into grasps from above the visible side, closing over the box's y axis."""

    def __init__(self) -> None:
        super().__init__('pick_listener')
        last_kept = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(ReferredObject, 'result', self.on_result, last_kept)

    def on_result(self, found: ReferredObject) -> None:
        """Print where to grasp, or why not to."""
        if found.status != ReferredObject.FOUND:
            self.get_logger().warning(f'Nothing to pick: {found.text}')
        elif found.point_count == 0 or math.isnan(found.centroid.z):
            self.get_logger().warning(f'{found.text} But there is no depth to grasp it by.')
        elif found.size.y > WIDEST:
            self.get_logger().warning(f'{found.text} But it is {found.size.y:.3f} m wide.')
        else:
            at, turned = found.centroid, found.box.orientation
            self.get_logger().info(
                f'{found.action_verb or "pick"} {found.expression}: in {found.header.frame_id} at '
                f'({at.x:.3f}, {at.y:.3f}, {at.z:.3f}) m, turned ({turned.x:.3f}, {turned.y:.3f}, '
                f'{turned.z:.3f}, {turned.w:.3f}), opening {found.size.y:.3f} m'
            )


def main() -> None:
    """Listen until interrupted."""
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(PickListener())
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
