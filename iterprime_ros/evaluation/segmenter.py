"""The interface of what can be evaluated: the model itself, its variants and the baselines."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation
from iterprime_ros.geometry.pinhole import Pinhole


class Segmenter(Protocol):
    """Answers commands about images; IteRPrimE is one."""

    def embed(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
        /,
    ) -> Any:
        """Encode an image once for all its commands.

        image: (H, W, 3) uint8 RGB.
        depth: (h, w) float32 in metres, registered to the image; None where the data set has none.
        pinhole: the calibration of the image; None where the data set has none.
        """

    def segment_many(self, frame: Any, commands: Sequence[str], /) -> list[Segmentation]:
        """Answer commands about an image, in their order.

        frame: what `embed` returned for the image.

        An evaluation reads mask, status and match_probability of each answer, and the first
        instance_count of its candidates. Whatever the status, it compares the mask with the ground
        truth: of an AMBIGUOUS answer, that of the best candidate. NOT_FOUND and INVALID also count
        as rejections.
        """
