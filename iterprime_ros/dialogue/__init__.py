"""What is said between a person and the robot: which words were meant, and questions back."""
