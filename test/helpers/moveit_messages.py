"""Messages of MoveIt, of which there is no wheel, as far as the examples use them.

Fields and types are those of msg/Grasp.msg and msg/GripperTranslation.msg of moveit/moveit_msgs and
of msg/JointTrajectory.msg and msg/JointTrajectoryPoint.msg of ros2/common_interfaces.
"""

import sys
from types import ModuleType
from typing import ClassVar

from geometry_msgs.msg import PoseStamped, Vector3Stamped


class _Message:
    """Takes fields of the right type only, as the generated classes do."""

    FIELDS: ClassVar[dict[str, type]] = {}

    def __init__(self, **fields):
        for name, value in fields.items():
            if not isinstance(value, self.FIELDS[name]):
                raise TypeError(f'{name} must be {self.FIELDS[name]}, not {value!r}')
            setattr(self, name, value)


class JointTrajectoryPoint(_Message):
    FIELDS: ClassVar = {'positions': list}


class JointTrajectory(_Message):
    FIELDS: ClassVar = {'joint_names': list, 'points': list}


class GripperTranslation(_Message):
    FIELDS: ClassVar = {
        'direction': Vector3Stamped,
        'desired_distance': float,
        'min_distance': float,
    }


class Grasp(_Message):
    FIELDS: ClassVar = {
        'id': str,
        'pre_grasp_posture': JointTrajectory,
        'grasp_posture': JointTrajectory,
        'grasp_pose': PoseStamped,
        'grasp_quality': float,
        'pre_grasp_approach': GripperTranslation,
        'post_grasp_retreat': GripperTranslation,
        'post_place_retreat': GripperTranslation,
        'max_contact_force': float,
        'allowed_touch_objects': list,
    }


def install(monkeypatch):
    """Make them importable under their names."""
    for package, kinds in (
        ('moveit_msgs', (Grasp, GripperTranslation)),
        ('trajectory_msgs', (JointTrajectory, JointTrajectoryPoint)),
    ):
        module = ModuleType(f'{package}.msg')
        for kind in kinds:
            setattr(module, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, f'{package}.msg', module)
