"""Make the node with one parameter file after another; print as JSON what it then has declared."""

import json
import sys

import rclpy

from iterprime_ros.ros.segment_node import SegmentNode


def declared_with(file):
    rclpy.init(args=['--ros-args', '--params-file', file])
    node = SegmentNode()
    try:
        return {name: each.value for name, each in node.get_parameters_by_prefix('').items()}
    finally:
        node.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    # Marked, because logs may stand around it.
    print('declared ' + json.dumps([declared_with(file) for file in sys.argv[1:]]), flush=True)
