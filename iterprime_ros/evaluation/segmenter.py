"""The interface of what can be evaluated: the model itself, its variants and the baselines."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation


class Segmenter(Protocol):
    """Answers commands about images; IteRPrimE is one."""

    def embed(self, image: NDArray[np.uint8], /) -> Any:
        """Encode an image (H, W, 3) uint8 RGB once for all its commands."""

    def segment_many(self, frame: Any, commands: Sequence[str], /) -> list[Segmentation]:
        """Answer commands about an image, in their order.

        frame: what `embed` returned for the image.

        An evaluation reads mask, status and match_probability of each answer. Whatever the status,
        it compares the mask with the ground truth; NOT_FOUND and INVALID also count as rejections.
        """
