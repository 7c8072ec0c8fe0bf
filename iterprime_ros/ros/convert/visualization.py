"""What rviz shows: points of an object, its box with a label and grasps, the overlay image."""

from array import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.surface import Surface
from iterprime_ros.render import overlay_instances
from iterprime_ros.ros.convert.grasps import grasp_marker
from iterprime_ros.ros.convert.images import to_image
from iterprime_ros.ros.convert.referred_object import pose_of

# x, y, z in metres, and the colour as rviz reads it: a float32 whose bytes are B, G, R, 0.
_POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<u4')])
_TEXT_HEIGHT = 0.025  # metres
_THINNEST = 0.001  # metres; rviz draws no box of thickness 0


def points(header: Header, surface: Surface) -> PointCloud2:
    """Return the coloured points of a surface, in header.frame_id."""
    cloud = np.empty(surface.point_count, _POINT)
    for axis, name in enumerate('xyz'):
        cloud[name] = surface.points[:, axis]
    red, green, blue = surface.colours.astype(np.uint32).T
    cloud['rgb'] = red << 16 | green << 8 | blue
    data = array('B')
    data.frombytes(cloud.tobytes())
    return PointCloud2(
        header=header,
        height=1,
        width=surface.point_count,
        fields=[
            PointField(name=name, offset=4 * k, datatype=PointField.FLOAT32, count=1)
            for k, name in enumerate(('x', 'y', 'z', 'rgb'))
        ],
        is_bigendian=False,
        point_step=_POINT.itemsize,
        row_step=_POINT.itemsize * surface.point_count,
        data=data,
        is_dense=True,
    )


def pose(header: Header, surface: Surface) -> PoseStamped:
    """Return the pose of the box round a surface, in header.frame_id."""
    return PoseStamped(header=header, pose=pose_of(surface.box))


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
