"""The ROS 2 side: nodes, topics and conversions. Only ros/ and demo/ import rclpy."""
