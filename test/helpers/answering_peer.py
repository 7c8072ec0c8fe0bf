"""A node for the tests that answers every goal of `segment` and echoes every `asked` object."""

import sys

import rclpy
from rclpy.action import ActionServer
from rclpy.node import Node
from sensor_msgs.msg import Image

from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject


class AnsweringPeer(Node):
    def __init__(self):
        super().__init__('answering_peer')
        self.echo = self.create_publisher(ReferredObject, 'echoed', 1)
        self.create_subscription(ReferredObject, 'asked', self.echo.publish, 1)
        self.server = ActionServer(self, Segment, 'segment', self.execute)

    def execute(self, handle):
        for number in range(3):
            heatmap = Image(width=2, height=1, encoding='32FC1', step=8, data=bytes(8))
            handle.publish_feedback(
                Segment.Feedback(
                    round=number, match_probability=0.5 + 0.1 * number, heatmap=heatmap
                )
            )
        handle.succeed()
        found = ReferredObject(
            command=handle.request.command, status=ReferredObject.FOUND, text='Found.'
        )
        found.mask.width = handle.request.image.width
        return Segment.Result(object=found)


rclpy.init()
try:
    rclpy.spin(AnsweringPeer())
except KeyboardInterrupt:
    sys.exit(0)
