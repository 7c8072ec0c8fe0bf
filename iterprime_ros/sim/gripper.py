"""A parallel gripper of boxes on a floating wrist, for MuJoCo.

The wrist is a free body that a weld pulls to a target pose, with the force that this takes: it may
fall short of its target. Each finger slides along the closing axis with limited force, and both
open by the same amount. Nothing but friction holds an object.
"""

import mujoco
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper

GRIP_FORCE = 40.0  # of a finger, in N
PAD_FRICTION = (1.0, 0.01, 0.001)  # rubber: sliding, torsional (m), rolling (m)
WRIST, TARGET = 'wrist', 'wrist_target'
FINGERS = ('left', 'right')
_WRIST_MASS, _FINGER_MASS = 0.5, 0.05  # kg
_ARMATURE = 2.0  # kg, of the motor and gears that move with a finger
_STIFFNESS, _DAMPING = 2000.0, 120.0  # N/m and N s/m, of a finger's position control
COLOURS = ((0.35, 0.36, 0.38, 1.0), (0.22, 0.23, 0.25, 1.0), (0.22, 0.23, 0.25, 1.0))  # of boxes

CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])  # of a box

Vector = NDArray[np.float64]


def boxes_of(gripper: ParallelGripper, opening: float) -> list[tuple[Vector, Vector]]:
    """Return centre (3,) and half size (3,) of the palm and both fingers, in the gripper's frame.

    opening: distance between the fingers, in metres.
    """
    depth, thickness = gripper.finger_depth, gripper.finger_thickness
    palm_half = np.array([gripper.palm_width, gripper.palm_length, gripper.palm_depth]) / 2
    finger_half = np.array([gripper.finger_width, thickness, depth]) / 2
    aside = (opening + thickness) / 2
    return [
        (np.array([0.0, 0.0, -depth - palm_half[2]]), palm_half),
        (np.array([0.0, -aside, -depth / 2]), finger_half),
        (np.array([0.0, aside, -depth / 2]), finger_half),
    ]


def add_gripper(spec: mujoco.MjSpec, gripper: ParallelGripper) -> None:
    """Add a gripper to a model.

    The frame of the body WRIST is that of a grasp. The joints and actuators FINGERS have the
    distance of a finger from the middle, in metres.
    """
    palm, left, right = boxes_of(gripper, 0.0)
    spec.worldbody.add_body(name=TARGET, mocap=True)
    wrist = spec.worldbody.add_body(name=WRIST, gravcomp=1)
    wrist.add_freejoint(name=WRIST)
    box = mujoco.mjtGeom.mjGEOM_BOX
    wrist.add_geom(name='palm', type=box, pos=palm[0], size=palm[1], mass=_WRIST_MASS)
    for name, side, (centre, half) in zip(FINGERS, (-1, 1), (left, right), strict=True):
        finger = wrist.add_body(name=name, gravcomp=1)
        finger.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[0, side, 0],
            range=[0, gripper.max_opening / 2],
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            damping=[_DAMPING, 0, 0],
            armature=_ARMATURE,
        )
        finger.add_geom(
            name=name,
            type=box,
            pos=centre,
            size=half,
            mass=_FINGER_MASS,
            friction=PAD_FRICTION,
            condim=4,
            solref=[0.004, 1],
        )
        actuator = spec.add_actuator(name=name, target=name)
        actuator.trntype = mujoco.mjtTrn.mjTRN_JOINT
        actuator.set_to_position(kp=_STIFFNESS)
        actuator.forcelimited = True
        actuator.forcerange = [-GRIP_FORCE, GRIP_FORCE]
    weld = spec.add_equality(type=mujoco.mjtEq.mjEQ_WELD, name1=TARGET, name2=WRIST)
    weld.objtype = mujoco.mjtObj.mjOBJ_BODY
    weld.data[:11] = [*[0] * 6, 1, 0, 0, 0, 1]  # no offset, no turn, torque as force
    weld.solref = [0.012, 1]
    coupled = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, name1=FINGERS[0], name2=FINGERS[1])
    coupled.objtype = mujoco.mjtObj.mjOBJ_JOINT
    coupled.data[:5] = [0, 1, 0, 0, 0]
    coupled.solref = [0.012, 1]
