#!/usr/bin/env python3
"""Ask for an object by the action, and print every look on the way.

python examples/ask.py "the red mug left of the bottle" --ros-args -r segment:=/segment/segment
"""

import sys

import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from iterprime_ros.action import Segment


def on_feedback(message: object) -> None:
    """Print how sure a round is, and where it looks."""
    feedback = message.feedback
    heatmap = np.frombuffer(feedback.heatmap.data, np.float32)
    row, column = divmod(int(heatmap.argmax()), feedback.heatmap.width)
    print(f'round {feedback.round}: match {feedback.match_probability:.2f}, looks at '
          f'({column}, {row})')  # fmt: skip


def main() -> int:
    """Ask, and return 0 where an object was found."""
    rclpy.init()
    words = remove_ros_args(sys.argv)[1:]
    if len(words) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    node = Node('ask')
    client = ActionClient(node, Segment, 'segment')
    if not client.wait_for_server(timeout_sec=10):
        print('No node answers: is it running, and the action remapped to it?', file=sys.stderr)
        return 1
    sent = client.send_goal_async(Segment.Goal(command=words[0]), feedback_callback=on_feedback)
    rclpy.spin_until_future_complete(node, sent)
    result = sent.result().get_result_async()
    rclpy.spin_until_future_complete(node, result)
    answer = result.result().result.object
    print(answer.text)
    rclpy.try_shutdown()
    return 0 if answer.status == answer.FOUND else 1


if __name__ == '__main__':
    sys.exit(main())
