"""Answers in the viewer Rerun: what was seen, what was found and why, on a timeline. No ROS."""
