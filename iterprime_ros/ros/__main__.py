"""`python -m iterprime_ros.ros segment`: a node, where `ros2 run` is not at hand."""

import sys

from iterprime_ros.ros.entry_point import start_by_name

NODES = {
    'listen': 'iterprime_ros.ros.listen_node',
    'look': 'iterprime_ros.ros.look_node',
    'segment': 'iterprime_ros.ros.segment_node',
    'sim_camera': 'iterprime_ros.ros.sim_camera_node',
    'sim_robot': 'iterprime_ros.ros.sim_robot_node',
}

if __name__ == '__main__':
    sys.exit(start_by_name('iterprime_ros.ros', NODES))
