"""Masks of an image in the pixels of a depth image that is registered to it."""

import numpy as np
from numpy.typing import NDArray


def mask_in_depth(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask (H, W) bool in the pixels of a depth image of shape (h, w).

    Both have the same field of view; a depth pixel is what the image's pixel in its centre is.
    """
    if mask.shape == shape:
        return mask
    rows, columns = (
        (2 * np.arange(few) + 1) * full // (2 * few)
        for few, full in zip(shape, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]
