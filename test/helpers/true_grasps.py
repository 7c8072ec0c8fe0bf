"""Grasps made from the true shapes of objects, for tests of the gripper."""

import numpy as np

from iterprime_ros.geometry.grasp import Grasp

_ASLANT = np.radians(25)  # to the radius of a plate that is taken by its rim


def true_grasp(item, angle=0.0):
    """Return a grasp in the world frame that holds an object, as its kind is held.

    angle: of the closing axis of a round thing, or of the place on a rim, in radians.
    """
    base = np.array([*item.position, item.base_height])
    top = item.shape.height
    vertices = getattr(item.shape, 'vertices', None)
    match item.kind:
        case 'cube':
            half = item.shape.half
            return from_above(base, max(0.004, half[2] - 0.01), item.yaw, 2 * half[0])
        case 'ball' | 'cylinder':
            tip = max(0.004, item.shape.half[2] - 0.012)
            return from_above(base, tip, angle, 2 * item.shape.half[0])
        case 'capsule':
            return from_above(base, 0.005, item.yaw + np.pi / 2, 2 * item.shape.half[1])
        case 'bottle':
            cap = np.linalg.norm(vertices[vertices[:, 2] > top - 1e-6, :2], axis=1).max()
            return from_above(base, top - 0.03, angle, 2 * cap)
        case 'banana':
            middle = vertices[np.abs(vertices[:, 0]) < 0.012, 1]
            cos, sin = np.cos(item.yaw), np.sin(item.yaw)
            offset = np.array([-sin, cos, 0]) * middle.mean()
            return from_above(base + offset, 0.005, item.yaw + np.pi / 2, np.ptp(middle))
        case 'mug':
            radius = -vertices[:, 0].min()
            around = item.yaw + np.pi / 2 + angle
            outward = np.array([np.cos(around), np.sin(around), 0])
            return from_above(base + (radius - 0.002) * outward, top - 0.025, around, 0.005)
        case _:
            return on_a_rim(base, vertices, angle)


def from_above(base, tip, yaw, width):
    """Return a grasp straight down; tip: height of the fingertips above the base, in metres."""
    closing = np.array([np.cos(yaw), np.sin(yaw), 0])
    down = np.array([0, 0, -1.0])
    axes = np.stack([np.cross(closing, down), closing, down], axis=1)
    return Grasp(base + np.array([0, 0, tip]), axes, float(width), 1.0)


def on_a_rim(base, vertices, angle):
    """Return a grasp of a plate: one finger on the level inside, the other beside its rim.

    The closing axis is aslant to the radius, so that both fingers touch at two points.
    """
    radius = np.linalg.norm(vertices[:, :2], axis=1).max()
    outward = np.array([np.cos(angle), np.sin(angle), 0])
    return from_above(base + 0.78 * radius * outward, 0.006, angle + _ASLANT, 0.48 * radius)
