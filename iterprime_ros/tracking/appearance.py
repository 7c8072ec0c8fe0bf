"""What objects look like: how often each colour occurs in a mask."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.mask_geometry import reduced_image, resized_mask

COLOUR_SIDE = 320  # pixels of the longer side of the image whose colours are counted
_STEPS = (32, 12, 12)  # of CIELAB in 8 bits; light changes more over an object than hue does
_SHAPE = tuple(255 // step + 1 for step in _STEPS)
_BLUR = (0.8, 0.7, 0.7)  # bins
_OWN = 0.004  # share of an object's pixels, from which a colour is one of its colours

Bins = NDArray[np.uint16]
_STRIDES = (_SHAPE[1] * _SHAPE[2], _SHAPE[2], 1)
_TABLES = [
    (np.arange(256) // step * stride).astype(np.uint16)
    for step, stride in zip(_STEPS, _STRIDES, strict=True)
]


@dataclass(frozen=True, eq=False)
class Appearance:
    """The colours of an object.

    shares: (bins,) float64, how much of it has each colour, blurred, with a sum of 1.
    """

    shares: Float

    def similarity(self, other: 'Appearance') -> float:
        """Return the Bhattacharyya coefficient of the colours of two objects, in [0, 1]."""
        return float(np.sqrt(self.shares * other.shares).sum())

    def own(self, bins: Bins) -> Bool:
        """Return which of some colours are among those of the object."""
        return np.asarray((self.shares > _OWN)[bins])

    def mixed(self, other: 'Appearance', share: float) -> 'Appearance':
        """Return the colours of this object with a share of another's, in [0, 1]."""
        return Appearance((1 - share) * self.shares + share * other.shares)


def colour_bins(image: NDArray[np.uint8]) -> Bins:
    """Return the number of each pixel's colour in an image (H, W, 3) uint8 RGB, reduced."""
    lab = cv2.cvtColor(reduced_image(image, COLOUR_SIDE), cv2.COLOR_RGB2LAB)
    return np.asarray(sum(table[lab[..., k]] for k, table in enumerate(_TABLES)), np.uint16)


def appearance(bins: Bins, mask: Bool) -> Appearance | None:
    """Return the colours under a mask, of any size, of an image; None where it is empty."""
    found = bins[resized_mask(mask, bins.shape)]
    if not len(found):
        return None
    counts = np.bincount(found, minlength=int(np.prod(_SHAPE))).reshape(_SHAPE).astype(float)
    blurred = ndimage.gaussian_filter(counts, _BLUR, mode='nearest')
    return Appearance(blurred.ravel() / blurred.sum())
