"""Grasps as messages, and as lines that rviz shows."""

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion
from scipy.spatial.transform import Rotation
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from iterprime_ros.geometry.grasp import Grasp as PlannedGrasp
from iterprime_ros.geometry.grasp import Grasps, gripper_lines
from iterprime_ros.msg import Grasp, ReferredObject

_LINE_WIDTH = 0.003  # metres
_DIM = 0.35  # opacity of all grasps but the best


def add_grasps(message: ReferredObject, grasps: Grasps) -> None:
    """Write grasps, or why there is none, into the message of the answer they belong to."""
    message.grasps = [grasp_message(each) for each in grasps.grasps]
    message.grasps_text = grasps.reason


def grasp_message(grasp: PlannedGrasp) -> Grasp:
    """Return the message of a grasp."""
    x, y, z = grasp.position.tolist()
    turn = Rotation.from_matrix(grasp.rotation).as_quat(canonical=True).tolist()
    pose = Pose(
        position=Point(x=x, y=y, z=z),
        orientation=Quaternion(**dict(zip('xyzw', turn, strict=True))),
    )
    return Grasp(pose=pose, width=grasp.width, quality=grasp.quality)


def grasp_marker(header: Header, grasps: Sequence[PlannedGrasp], finger_depth: float) -> Marker:
    """Return a marker with fingers, palm and closing axis of each grasp; without one, delete it.

    grasps: best first.
    finger_depth: length of the fingers, in metres.

    From red, for a quality of 0, to green, for 1. All but the best are dim. The line between the
    fingertips is the closing axis.
    """
    marker = Marker(header=header, ns='grasps', type=Marker.LINE_LIST, action=Marker.ADD)
    if not grasps:
        marker.action = Marker.DELETE
        return marker
    marker.pose.orientation.w = 1.0
    marker.scale.x = _LINE_WIDTH
    marker.lifetime = Duration()  # until the next answer
    for number, grasp in enumerate(grasps):
        quality = float(np.clip(grasp.quality, 0, 1))
        colour = ColorRGBA(r=1 - quality, g=quality, b=0.1, a=_DIM if number else 1.0)
        ends = gripper_lines(grasp, finger_depth)
        marker.points += [Point(x=x, y=y, z=z) for x, y, z in ends.tolist()]
        marker.colors += [colour] * len(ends)
    return marker
