"""What several tests share: small models, slow reference implementations, ROS peers."""
