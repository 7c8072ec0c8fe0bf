"""The interfaces of what can be evaluated: a model and its variants, and baselines."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation
from iterprime_ros.pipeline import Frame


class Segmenter(Protocol):
    """Answers commands about images; IteRPrimE is one."""

    def segment_many(self, frame: Any, commands: Sequence[str], /) -> list[Segmentation]:
        """Answer commands about an image, in their order.

        frame: what `embed` returned for the image.

        An evaluation reads mask, status and match_probability of each answer, and the first
        instance_count of its candidates. Whatever the status, it compares the mask with the ground
        truth: of an AMBIGUOUS answer, that of the best candidate. NOT_FOUND and INVALID also count
        as rejections.
        """


class Baseline(Segmenter, Protocol):
    """A Segmenter that a model is compared with."""

    def embed(self, image: NDArray[np.uint8], frame: Frame, /) -> Any:
        """Return what the baseline needs of an image, once for all its commands.

        image: (H, W, 3) uint8 RGB.
        frame: what the model under evaluation keeps of the image, so that a baseline over the same
            encoders computes them once.
        """
