"""What is seen of an object in 3D as messages."""

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.surface import Surface
from iterprime_ros.messages.message_classes import MessageClasses
from iterprime_ros.messages.referred_object import pose_of

# x, y, z in metres, and the colour as rviz reads it: a float32 whose bytes are B, G, R, 0.
_POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<u4')])
_FLOAT32 = 7  # of sensor_msgs/PointField


def points(classes: MessageClasses, header: Any, surface: Surface) -> Any:
    """Return the coloured points of a surface, in header.frame_id."""
    cloud = np.empty(surface.point_count, _POINT)
    for axis, name in enumerate('xyz'):
        cloud[name] = surface.points[:, axis]
    red, green, blue = surface.colours.astype(np.uint32).T
    cloud['rgb'] = red << 16 | green << 8 | blue
    data = array('B')
    data.frombytes(cloud.tobytes())
    return classes.PointCloud2(
        header=header,
        height=1,
        width=surface.point_count,
        fields=[
            classes.PointField(name=name, offset=4 * k, datatype=_FLOAT32, count=1)
            for k, name in enumerate(('x', 'y', 'z', 'rgb'))
        ],
        is_bigendian=False,
        point_step=_POINT.itemsize,
        row_step=_POINT.itemsize * surface.point_count,
        data=data,
        is_dense=True,
    )


def read_points(message: Any) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return positions (N, 3) in metres and RGB colours (N, 3) of a message made by `points`."""
    cloud = np.frombuffer(message.data, _POINT)
    positions = np.stack([cloud[axis] for axis in 'xyz'], axis=1)
    colours = np.stack([cloud['rgb'] >> shift & 0xFF for shift in (16, 8, 0)], axis=1)
    return positions, colours.astype(np.uint8)


def pose(classes: MessageClasses, header: Any, surface: Surface) -> Any:
    """Return the pose of the box round a surface, in header.frame_id."""
    return classes.PoseStamped(header=header, pose=pose_of(classes, surface.box))
