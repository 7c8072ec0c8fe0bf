"""What is known of a track as messages of ROS."""

from functools import partial

from iterprime_ros.messages import track
from iterprime_ros.ros.convert.message_classes import ROS_CLASSES

add_track = partial(track.add_track, ROS_CLASSES)
filtered_pose = partial(track.filtered_pose, ROS_CLASSES)
pose_with_covariance = partial(track.pose_with_covariance, ROS_CLASSES)
