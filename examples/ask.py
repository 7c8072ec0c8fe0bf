#!/usr/bin/env python3
"""Send a command to the action server, and print the match probability of each round.

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
    """Print the match probability of a refinement round, and where its heatmap peaks."""
    feedback = message.feedback
    height, width = feedback.heatmap.height, feedback.heatmap.width
    heatmap = np.frombuffer(feedback.heatmap.data, np.float32)
    row, column = divmod(int(heatmap.argmax()), width)
    print(
        f'round {feedback.round}: match {feedback.match_probability:.2f}, heatmap peak at '
        f'{(column + 0.5) / width:.0%} of the width, {(row + 0.5) / height:.0%} of the height'
    )


def main() -> int:
    """Return 0 if one or several objects were found, 1 if none was, 2 for wrong use."""
    rclpy.init()
    arguments = remove_ros_args(sys.argv)[1:]
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    node = Node('ask')
    client = ActionClient(node, Segment, 'segment')
    if not client.wait_for_server(timeout_sec=10):
        print(
            'No action server answers: start the segment node, and remap the action "segment" to '
            'its name.',
            file=sys.stderr,
        )
        return 1
    goal = Segment.Goal(command=arguments[0], feedback_heatmap=True)
    accepted = client.send_goal_async(goal, feedback_callback=on_feedback)
    rclpy.spin_until_future_complete(node, accepted)
    finished = accepted.result().get_result_async()
    rclpy.spin_until_future_complete(node, finished)
    answer = finished.result().result.object
    print(answer.text)
    rclpy.try_shutdown()
    return 0 if answer.status in (answer.FOUND, answer.FOUND_SEVERAL) else 1


if __name__ == '__main__':
    sys.exit(main())
