"""The ROS 2 side: nodes and conversions. Nothing outside this folder imports rclpy."""
