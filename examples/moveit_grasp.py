#!/usr/bin/env python3
"""Turn the grasps of an answer into those of MoveIt, for its pick pipelines.

python examples/moveit_grasp.py --ros-args -r result:=/segment/result
"""

from contextlib import suppress

import rclpy
from geometry_msgs.msg import Point, Pose, PoseStamped, Vector3, Vector3Stamped
from moveit_msgs.msg import Grasp as MoveItGrasp
from moveit_msgs.msg import GripperTranslation
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from iterprime_ros.msg import Grasp, ReferredObject
from iterprime_ros.ros.pick_safety import reason_not_to_pick

# Of your robot. MoveIt wants the pose of the link that the gripper is mounted on; its axes are
# taken to be those of the message Grasp: z forward, y along which the fingers move.
WRIST = 'panda_link8'
WRIST_TO_FINGERTIPS = 0.1034  # metres along z
FINGER_JOINTS = ['panda_finger_joint1', 'panda_finger_joint2']  # each moves by half of the opening
CLEARANCE = 0.01  # metres that the fingers open wider than the object
MAX_FORCE = 20.0  # newtons


def moveit_grasp(header: Header, grasp: Grasp, name: str) -> MoveItGrasp:
    """Return a grasp as one of MoveIt; header: of the answer."""
    return MoveItGrasp(
        id=name,
        pre_grasp_posture=fingers(grasp.width + CLEARANCE),
        grasp_posture=fingers(0.0),
        grasp_pose=PoseStamped(header=header, pose=behind(grasp.pose, WRIST_TO_FINGERTIPS)),
        grasp_quality=grasp.quality,
        pre_grasp_approach=translation(header, 1.0, 0.08),
        post_grasp_retreat=translation(header, -1.0, 0.15),
        max_contact_force=MAX_FORCE,
    )


def behind(pose: Pose, distance: float) -> Pose:
    """Return a pose that lies a distance in metres back along the z axis of another."""
    at, q = pose.position, pose.orientation
    z = (2 * (q.x * q.z + q.w * q.y), 2 * (q.y * q.z - q.w * q.x), 1 - 2 * (q.x**2 + q.y**2))
    moved = (a - distance * b for a, b in zip((at.x, at.y, at.z), z, strict=True))
    return Pose(position=Point(**dict(zip('xyz', moved, strict=True))), orientation=q)


def translation(header: Header, z: float, distance: float) -> GripperTranslation:
    """Return a motion along the z axis of the wrist, forward (1) or back (-1), in metres."""
    direction = Vector3Stamped(
        header=Header(stamp=header.stamp, frame_id=WRIST), vector=Vector3(z=z)
    )
    return GripperTranslation(
        direction=direction, desired_distance=distance, min_distance=distance / 2
    )


def fingers(opening: float) -> JointTrajectory:
    """Return the posture of the fingers at an opening, in metres."""
    point = JointTrajectoryPoint(positions=[opening / 2] * 2)
    return JointTrajectory(joint_names=FINGER_JOINTS, points=[point])


class MoveItGrasps(Node):
    """Publishes the grasps of each answer that allows a pick, best first."""

    def __init__(self) -> None:
        super().__init__('moveit_grasps')
        self.publisher = self.create_publisher(MoveItGrasp, 'grasps', 10)
        self.create_subscription(ReferredObject, 'result', self.on_answer, 10)

    def on_answer(self, answer: ReferredObject) -> None:
        """Publish the grasps, unless something speaks against them."""
        reason = reason_not_to_pick(answer, self.get_clock().now().nanoseconds / 1e9)
        if reason:
            self.get_logger().warning(f'No grasps: {reason}')
            return
        for number, grasp in enumerate(answer.grasps):
            name = f'{answer.expression} {number}'
            self.publisher.publish(moveit_grasp(answer.header, grasp, name))


if __name__ == '__main__':
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(MoveItGrasps())
    rclpy.try_shutdown()
