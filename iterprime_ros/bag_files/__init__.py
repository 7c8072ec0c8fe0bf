"""Reads recorded bags of ROS 1 and ROS 2, and writes copies with answers, without ROS."""
