"""What rviz shows: points of an object, its box with a label and grasps, the overlay image."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from builtin_interfaces.msg import Duration
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages import surfaces
from iterprime_ros.render import overlay_instances
from iterprime_ros.ros.convert.grasps import grasp_marker
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.message_classes import ROS_CLASSES
from iterprime_ros.ros.convert.referred_object import pose_of

points = partial(surfaces.points, ROS_CLASSES)
pose = partial(surfaces.pose, ROS_CLASSES)

_TEXT_HEIGHT = 0.025  # metres
_THINNEST = 0.001  # metres; rviz draws no box of thickness 0


def markers(
    header: Header,
    surface: Surface | None,
    text: str,
    grasps: Sequence[Grasp] = (),
    finger_depth: float = 0.0,
) -> MarkerArray:
    """Return the box round a surface, a label above it, and grasps; without a surface, delete all.

    grasps: best first.
    finger_depth: length of the gripper's fingers, in metres.
    """
    if surface is None:
        return MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    box = Marker(header=header, ns='box', type=Marker.CUBE, action=Marker.ADD)
    box.pose = pose_of(surface.box)
    box.scale.x, box.scale.y, box.scale.z = (max(_THINNEST, float(s)) for s in surface.box.size)
    box.color = ColorRGBA(r=0.16, g=0.86, b=0.35, a=0.4)
    label = Marker(header=header, ns='text', type=Marker.TEXT_VIEW_FACING, action=Marker.ADD)
    label.pose.position.x = float(surface.centroid[0])
    label.pose.position.y = float(surface.points[:, 1].min()) - _TEXT_HEIGHT
    label.pose.position.z = float(surface.centroid[2])
    label.scale.z = _TEXT_HEIGHT
    label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    label.text = text
    for marker in (box, label):
        marker.lifetime = Duration()  # until the next answer
    return MarkerArray(markers=[box, label, grasp_marker(header, grasps, finger_depth)])


def overlay_image(
    header: Header, rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]
) -> Image:
    """Return an image (H, W, 3) as bgr8, each object in its `instance_colour`, the rest dimmed."""
    drawn = overlay_instances(rgb, masks)
    return to_image(np.ascontiguousarray(drawn[..., ::-1]), 'bgr8', header)
