"""The demo: a simulated camera, the segment node and a client, each a ROS 2 process."""
