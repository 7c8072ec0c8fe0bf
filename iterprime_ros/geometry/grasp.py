"""Ways to hold an object between the two fingers of a parallel gripper."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEM = 0.5  # of the fingers' length, from the palm away from the object


@dataclass(frozen=True)
class Grasp:
    """A pose of a gripper in which its fingers hold an object, in the camera's optical frame.

    position: (3,) float64 the point midway between the fingertips, in metres.
    rotation: (3, 3) float64 its columns are the gripper's axes: x, the closing axis y along which
        the fingers move, and the approach z, from the gripper towards the object.
    width: distance of the two contacts along y, in metres.
    quality: how well the fingers hold what is seen between them, in [0, 1].
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    width: float
    quality: float


@dataclass(frozen=True)
class Grasps:
    """The grasps of one object.

    grasps: best first, at most as many as asked for.
    reason: why there is none, for a person; empty where there is one.
    """

    grasps: tuple[Grasp, ...]
    reason: str


def gripper_lines(grasp: Grasp, finger_depth: float) -> NDArray[np.float64]:
    """Return a gripper as five lines, one after the other, by their ends (10, 3) in metres.

    finger_depth: length of the fingers, in metres.

    The lines are two fingers, palm, stem, and the closing axis from one fingertip to the other.
    """
    half, back = grasp.width / 2, -finger_depth
    tips = np.array([[0, -half, 0], [0, half, 0]])
    roots = tips + np.array([0, 0, back])
    stem = np.array([[0, 0, back], [0, 0, (1 + _STEM) * back]])
    lines = np.concatenate([[tips[0], roots[0], tips[1], roots[1]], roots, stem, tips])
    return np.asarray(lines @ grasp.rotation.T + grasp.position)
