"""The objects of a track, seen or not: how each looks, how large it is and where it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from iterprime_ros.tracking.appearance import Appearance, Bins, appearance
from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.mask_geometry import box_of, centre_of, moved_points

_LEARNING = 0.1  # each time
_LEAST_SIMILARITY = 0.75  # of the colours of an object and those of what may be it
_SIZES = (0.3, 2.5)  # how small and how large an object may be to what it was
_COLOURS_MATTER, _SIZE_MATTERS = 3, 0.25  # exponents
# Where an unseen object is, about where it should be: the standard deviation, as a share of the
# image's longer side, when it vanishes and for each frame since.
_REACH, _REACH_A_FRAME = 0.06, 0.004
# The chance that it is anywhere else, when it vanishes, for each frame since, and at most. What
# went over the edge of the image may come back anywhere.
_ELSEWHERE, _ELSEWHERE_A_FRAME, _ELSEWHERE_AT_MOST = 0.1, 0.006, 0.5
_EDGE = 0.02  # of the image's longer side: so near to the edge an object may leave the image


@dataclass(eq=False)
class KnownObject:
    """An object.

    colours: those that it has.
    area: in pixels.
    centre: (2,) float64, (x, y) in pixels, where it is or, if it is not seen, should be: may be
        outside the image.
    is_at_edge: whether it may be anywhere, as it was at the edge of the image when it was seen
        last.
    unseen: frames for which it has not been seen.
    """

    colours: Appearance
    area: float
    centre: Float
    is_at_edge: bool
    unseen: int = 0

    def see(self, mask: Bool, bins: Bins | None = None) -> None:
        """Note where a mask of it is, and learn its colours in a frame, if given."""
        self.centre, self.is_at_edge, self.unseen = centre_of(mask), _is_at_edge(mask), 0
        look = None if bins is None else appearance(bins, mask)
        if look is not None:
            self.colours = self.colours.mixed(look, _LEARNING)
            self.area += _LEARNING * (np.count_nonzero(mask) - self.area)

    def lose(self) -> None:
        """Note that what was seen was another object: it may be anywhere."""
        self.unseen, self.is_at_edge = 1, True

    def miss(self, camera: Float) -> None:
        """Note a frame without it; camera: motion (3, 3) of the background since the one before."""
        self.unseen += 1
        expected = moved_points(self.centre[None], camera)[0]
        if np.isfinite(expected).all():
            self.centre = expected

    def likeness(self, mask: Bool, bins: Bins) -> float:
        """Return how likely a mask in a frame of these colours is this object, in [0, 1]."""
        look = appearance(bins, mask)
        if look is None:
            return 0.0
        similarity, size = self.colours.similarity(look), np.count_nonzero(mask) / self.area
        if similarity < _LEAST_SIMILARITY or not _SIZES[0] <= size <= _SIZES[1]:
            return 0.0
        away = np.linalg.norm(centre_of(mask) - self.centre) / max(mask.shape)
        reach = _REACH + _REACH_A_FRAME * self.unseen
        elsewhere = min(_ELSEWHERE + _ELSEWHERE_A_FRAME * self.unseen, _ELSEWHERE_AT_MOST)
        if self.is_at_edge:
            elsewhere = _ELSEWHERE_AT_MOST
        nearness = elsewhere + (1 - elsewhere) * np.exp(-((away / reach) ** 2) / 2)
        return float(similarity**_COLOURS_MATTER * min(size, 1 / size) ** _SIZE_MATTERS * nearness)


def known_object(mask: Bool, bins: Bins) -> KnownObject | None:
    """Return an object by its mask in a frame of these colours; None if it is too small."""
    look = appearance(bins, mask)
    if look is None:
        return None
    return KnownObject(look, float(mask.sum()), centre_of(mask), _is_at_edge(mask))


def assigned(
    known: Sequence[KnownObject], masks: Sequence[Bool], bins: Bins
) -> dict[int, tuple[int, float]]:
    """Return for some of known objects which mask (H, W) shows it, and how likely.

    bins: the colours of the frame.
    """
    likeness = np.array([[each.likeness(mask, bins) for mask in masks] for each in known])
    if not likeness.size:
        return {}
    rows, columns = optimize.linear_sum_assignment(likeness, maximize=True)
    return {
        int(row): (int(column), float(likeness[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if likeness[row, column] > 0
    }


def _is_at_edge(mask: Bool) -> bool:
    left, top, width, height = box_of(mask)
    room = _EDGE * max(mask.shape)
    rest = mask.shape[1] - left - width, mask.shape[0] - top - height
    return min(left, top, *rest) < room
