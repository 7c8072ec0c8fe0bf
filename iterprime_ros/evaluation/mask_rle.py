"""Masks of answers in COCO's run-length encoding."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.evaluation.datasets.coco_masks import decode_mask, require_pycocotools


def encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return a mask (H, W) as 'size', [H, W], and 'counts', a text. Needs pycocotools."""
    found = require_pycocotools().encode(np.asfortranarray(mask, dtype=np.uint8))
    return {'size': list(mask.shape), 'counts': found['counts'].decode('ascii')}


def decoded(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return the mask (H, W) bool that `encoded` made this of."""
    height, width = rle['size']
    return decode_mask(dict(rle), (height, width), 'A mask of an answer')
