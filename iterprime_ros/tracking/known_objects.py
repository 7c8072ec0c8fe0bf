"""The objects of a track, seen or not: how each looks, how large it is and where it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from iterprime_ros.tracking.appearance import Appearance, appearance, reduced_mask
from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.points import moved_points

_LEARNING = 0.02  # a frame
_LEAST_LIKENESS = 0.75  # of the colours of an object and those of what may be it
_SIZES = (0.3, 2.5)  # how small and how large an object may be to what it was
_REACH = 0.15  # of the image's longer side, standard deviation of where an unseen object is
_ANYWHERE = 0.3  # as likely it is far from there


@dataclass(eq=False)
class KnownObject:
    """An object.

    colours: those that it has; None if it was never seen.
    area: in pixels.
    centre: (2,) float64, (x, y) in pixels, where it is or, if it is not seen, should be: may be
        outside the image.
    unseen: frames for which it has not been seen.
    """

    colours: Appearance | None
    area: float
    centre: Float
    unseen: int = 0

    def see(self, mask: Bool, bins: NDArray[np.int32], share: float = _LEARNING) -> None:
        """Learn from a mask of the object in a frame with these colours."""
        found = appearance(bins, reduced_mask(mask, bins.shape))
        if found is None:
            return
        self.colours = found if self.colours is None else self.colours.mixed(found, share)
        self.area += share * (mask.sum() - self.area)
        self.centre = centre_of(mask)
        self.unseen = 0

    def miss(self, camera: Float) -> None:
        """Note a frame without it; camera: motion (3, 3) of the background since the one before."""
        self.unseen += 1
        self.centre = moved_points(self.centre[None], camera)[0]

    def likeness(self, mask: Bool, bins: NDArray[np.int32]) -> float:
        """Return how likely a mask is this object, in [0, 1]; 0 if it cannot be."""
        look = appearance(bins, reduced_mask(mask, bins.shape))
        if look is None or self.colours is None:
            return 0.0
        likeness, size = self.colours.similarity(look), mask.sum() / max(self.area, 1)
        if likeness < _LEAST_LIKENESS or not _SIZES[0] <= size <= _SIZES[1]:
            return 0.0
        away = np.linalg.norm(centre_of(mask) - self.centre) / max(mask.shape)
        nearness = _ANYWHERE + (1 - _ANYWHERE) * np.exp(-((away / _REACH) ** 2) / 2)
        return float(likeness * min(size, 1 / size) ** 0.25 * nearness)


def known_object(mask: Bool, bins: NDArray[np.int32]) -> KnownObject:
    """Return an object by its mask in a frame."""
    known = KnownObject(None, float(mask.sum()), np.zeros(2))
    known.see(mask, bins)
    return known


def centre_of(mask: Bool) -> Float:
    """Return the centroid (2,), (x, y) in pixels, of a mask that is not empty."""
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean(), rows.mean()])


def assigned(
    known: Sequence[KnownObject], masks: Bool, chances: Float, bins: NDArray[np.int32]
) -> dict[int, int]:
    """Return for some of known objects which of M masks (M, H, W) shows it.

    chances: (M,) in [0, 1], that each mask is of what the target, known[0], was called.
    """
    if not known or not len(masks):
        return {}
    likeness = np.array([[each.likeness(mask, bins) for mask in masks] for each in known])
    likeness[0] *= chances
    rows, columns = optimize.linear_sum_assignment(likeness, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if likeness[row, column] > 0
    }
