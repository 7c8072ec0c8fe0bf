"""What is known of a tracked object in one frame."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class TrackState(Enum):
    """How sure it is where the object is.

    TRACKING: it is where the mask is.
    UNSURE: it may be there, or hidden behind something else; the mask is the best guess, and empty
        without any.
    LOST: it is not in the image, or not to be found; the mask is empty.
    """

    TRACKING = 'tracking'
    UNSURE = 'unsure'
    LOST = 'lost'


@dataclass(frozen=True, eq=False)
class TrackedMask:
    """A tracked object in one frame.

    mask: (H, W) bool, of the size of the frame.
    state: how sure it is.
    confidence: in [0, 1], that the mask is of the object; 0 where it is LOST.
    age: frames since the one that the track was started on, which has 0.
    """

    mask: NDArray[np.bool_]
    state: TrackState
    confidence: float
    age: int
