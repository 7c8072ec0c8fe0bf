"""The demo: camera, node and client, each a process, over real ROS."""
