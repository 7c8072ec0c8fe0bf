"""The parallel gripper that grasps are planned for."""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidSettingError

Widths = TypeVar('Widths', float, NDArray[np.float64])

OPENING_MARGIN = 0.008  # m, between an object and each finger that comes down beside it


@dataclass(frozen=True)
class ParallelGripper:
    """A gripper with two fingers that stay parallel, as boxes; all lengths in metres.

    Axes are those of a grasp: z the approach, from the gripper towards the object, y the closing
    axis, x = y cross z. The origin is midway between the fingertips.

    max_opening: the largest distance between the fingers.
    finger_width: of a finger, along x.
    finger_thickness: of a finger, along y.
    finger_depth: of a finger, along z; it ends at the palm.
    palm_width, palm_length, palm_depth: of the palm and what moves with it above, along x, y and z.
    friction: Coulomb coefficient between finger and object, a number without a unit.

    Raises InvalidSettingError unless all are finite and positive.
    """

    max_opening: float = 0.100
    finger_width: float = 0.024
    finger_thickness: float = 0.012
    finger_depth: float = 0.060
    palm_width: float = 0.050
    palm_length: float = 0.130
    palm_depth: float = 0.060
    friction: float = 0.6

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float('inf'):
                raise InvalidSettingError(
                    f'{field.name} of the gripper is {value}; give a finite number above 0.'
                )

    def opening_for(self, width: Widths) -> Widths:
        """Return how far to open for a grasp, in metres, which its collisions are checked for.

        width: distance of the contacts, in metres; or (N,) such distances.
        """
        return np.minimum(self.max_opening, width + 2 * OPENING_MARGIN)
