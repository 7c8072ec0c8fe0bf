"""What objects look like: how often each colour occurs in a mask."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.points import reduced

COLOUR_SIDE = 320  # pixels of the longer side of the image whose colours are counted
_LIGHTNESS_STEP, _HUE_STEP = 32, 12  # of CIELAB in 8 bits; light changes more than hue does
_SHAPE = (256 // _LIGHTNESS_STEP, 256 // _HUE_STEP + 1, 256 // _HUE_STEP + 1)
_BLUR = (0.8, 0.7, 0.7)  # bins
_OWN = 0.004  # share of an object's pixels, from which a colour is one of its colours


@dataclass(frozen=True, eq=False)
class Appearance:
    """The colours of an object.

    shares: (bins,) float64, how much of it has each colour, blurred, with a sum of 1.
    """

    shares: Float

    def similarity(self, other: 'Appearance') -> float:
        """Return the Bhattacharyya coefficient of the colours of two objects, in [0, 1]."""
        return float(np.sqrt(self.shares * other.shares).sum())

    def own_colours(self) -> Bool:
        """Return which colours (bins,) are among those of the object."""
        return np.asarray(self.shares > _OWN)

    def mixed(self, other: 'Appearance', share: float) -> 'Appearance':
        """Return the colours of this object with a share of another's, in [0, 1]."""
        return Appearance((1 - share) * self.shares + share * other.shares)


def colour_bins(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the bin of each pixel's colour in an image (H, W, 3) uint8 RGB, reduced."""
    lab = cv2.cvtColor(reduced(image, COLOUR_SIDE), cv2.COLOR_RGB2LAB).astype(np.int32)
    lightness, a, b = lab[..., 0] // _LIGHTNESS_STEP, lab[..., 1], lab[..., 2]
    return np.asarray((lightness * _SHAPE[1] + a // _HUE_STEP) * _SHAPE[2] + b // _HUE_STEP)


def appearance(bins: NDArray[np.int32], mask: Bool) -> Appearance | None:
    """Return the colours under a mask of the reduced image; None where it is empty."""
    found = bins[mask]
    if not len(found):
        return None
    counts = np.bincount(found, minlength=int(np.prod(_SHAPE))).reshape(_SHAPE).astype(float)
    blurred = ndimage.gaussian_filter(counts, _BLUR, mode='nearest')
    return Appearance(blurred.ravel() / blurred.sum())


def reduced_mask(mask: Bool, size: tuple[int, int]) -> Bool:
    """Return a mask (H, W) at a size (h, w)."""
    if mask.shape == size:
        return mask
    small = cv2.resize(mask.view(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, dtype=bool)
