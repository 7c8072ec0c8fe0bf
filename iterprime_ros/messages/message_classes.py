"""The classes that messages are made of: of ROS, or of a library that knows their definitions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Make = Callable[..., Any]  # takes fields by name; those that are not named have their defaults


@dataclass(frozen=True)
class MessageClasses:
    """What makes a message of each type that an answer is told in.

    Each bears the name of its message. A Duration is that of builtin_interfaces.
    """

    Candidate: Make
    Duration: Make
    Image: Make
    Point: Make
    PointCloud2: Make
    PointField: Make
    Pose: Make
    PoseStamped: Make
    PoseWithCovarianceStamped: Make
    Quaternion: Make
    ReferredObject: Make
    RegionOfInterest: Make
    Vector3: Make
