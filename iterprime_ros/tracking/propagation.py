"""What carries masks from one frame to the next. It knows nothing about language."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Propagated:
    """K masks in a frame.

    masks: (K, H, W) bool, of the size of the frame; no two share a pixel.
    confidences: (K,) float64 in [0, 1], that each is of the object that it was started with; 0
        where its mask is empty.
    """

    masks: NDArray[np.bool_]
    confidences: NDArray[np.float64]


class Propagator(Protocol):
    """Carries the masks of K objects from frame to frame. It keeps a bounded number of frames."""

    def start(self, image: NDArray[np.uint8], masks: NDArray[np.bool_]) -> None:
        """Carry masks of a frame from now on, and forget those that were carried before.

        image: (H, W, 3) uint8 RGB.
        masks: (K, H, W) bool. Mask 0 is the target, the others are objects that could be mistaken
            for it. An empty mask is of an object that is not seen: it may be given back when it is.
        """

    def step(self, image: NDArray[np.uint8]) -> Propagated:
        """Return the masks in the next frame, of the size of the one before.

        image: (H, W, 3) uint8 RGB.
        """
