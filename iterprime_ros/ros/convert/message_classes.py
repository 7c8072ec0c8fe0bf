"""The classes of ROS for the messages that an answer is told in."""

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import (
    Point,
    Pose,
    PoseStamped,
    PoseWithCovarianceStamped,
    Quaternion,
    Vector3,
)
from sensor_msgs.msg import Image, PointCloud2, PointField, RegionOfInterest

from iterprime_ros.messages.message_classes import MessageClasses
from iterprime_ros.msg import Candidate, ReferredObject

ROS_CLASSES = MessageClasses(
    Candidate,
    Duration,
    Image,
    Point,
    PointCloud2,
    PointField,
    Pose,
    PoseStamped,
    PoseWithCovarianceStamped,
    Quaternion,
    ReferredObject,
    RegionOfInterest,
    Vector3,
)
