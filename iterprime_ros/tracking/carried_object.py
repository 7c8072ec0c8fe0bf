"""An object that flow carries: its mask moves, is judged by its colours, and drawn anew."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from iterprime_ros.tracking.appearance import Appearance, Bins, appearance
from iterprime_ros.tracking.arrays import Bool, Float
from iterprime_ros.tracking.mask_geometry import moved, resized_mask
from iterprime_ros.tracking.windows import Window

_SAME, _SAME_COLOURS = 0.6, 0.7  # IoU with the expected mask, and share of own colours
_MOSTLY, _OWN_COLOURS = 0.75, 0.85  # the same of a proposal with less or more of the object
_LEAST, _MOST = 0.12, 1.6  # of the object's whole area that is seen of it
_STEADY = 0.8  # IoU and visible share from which area and colours are learnt
_LEARNING = 0.1
_HIDDEN_COLOURS = 0.4  # share of own colours below which something else is seen
_DOUBTFUL_COLOURS = 0.5  # the same, where the proposer does not find the object either
_PARTLY_HIDDEN_COLOURS = 0.85
_USUAL_COLOURS = 0.9
_PATIENCE = 2  # frames, or drawings, that fail before an object is given up
_ACCEPTED = 0.6  # agreement of less or more of the object


@dataclass(eq=False)
class CarriedObject:
    """An object.

    mask: (H, W) bool, in the last frame; empty once it is not seen any more.
    colours: those that it has; None if it was never seen.
    area: in pixels, of all of it.
    anchor: (H, W) bool, its mask when it was drawn last.
    motion: (3, 3), of pixels, since then.
    agreement: of the last drawing with the mask that was expected, in [0, 1].
    consistency: share of its mask that has its colours, in [0, 1].
    stale: frames since it was drawn last.
    """

    mask: Bool
    colours: Appearance | None
    area: float
    anchor: Bool
    motion: Float = field(default_factory=lambda: np.eye(3))
    agreement: float = 1.0
    consistency: float = 1.0
    stale: int = 0
    _failures: int = 0
    _strange: int = 0

    @classmethod
    def seen(cls, mask: Bool, bins: Bins) -> 'CarriedObject':
        """Return the object under a mask in a frame of these colours."""
        return cls(mask, appearance(bins, mask), float(mask.sum()), mask)

    @property
    def is_seen(self) -> bool:
        """Whether there is a mask."""
        return bool(self.mask.any())

    @property
    def confidence(self) -> float:
        """How sure the mask is, in [0, 1]; less than half of the object lowers it."""
        if not self.is_seen:
            return 0.0
        visible = min(1.0, 2 * self.mask.sum() / max(self.area, 1))
        return float(self.agreement * visible * min(1.0, self.consistency / _USUAL_COLOURS))

    def move(self, motion: Float, bins: Bins) -> None:
        """Take the mask to the next frame, with these colours, by a motion (3, 3)."""
        self.stale += 1
        self.motion = motion @ self.motion
        self.mask = moved(self.anchor, self.motion)
        self.consistency = self._own_share(bins, self.mask)
        self._strange = self._strange + 1 if self.consistency < _HIDDEN_COLOURS else 0
        if self._strange >= _PATIENCE:
            self.vanish()
        elif self.consistency < _PARTLY_HIDDEN_COLOURS and self.colours is not None:
            self._trim(self.colours.own(bins))

    def vanish(self) -> None:
        """Be seen no more."""
        self.mask = self.anchor = np.zeros_like(self.mask)

    def draw(self, expected: Bool, proposals: Bool, bins: Bins, window: Window) -> None:
        """Take the best of the proposals (M, h, w), if any is the object; M may be 0.

        expected: (h, w), where it should be; as all arrays, in a window of the frame.
        bins: the colours there.
        """
        if not len(proposals):
            return
        scores = [self._score(expected, proposal, bins) for proposal in proposals]
        accepted = [k for k, (_, is_possible) in enumerate(scores) if is_possible]
        best = max(accepted, key=lambda k: scores[k][0], default=None)
        if best is None:
            self.agreement = float(max(score for score, _ in scores))
            self._failures += 1
            if self._failures >= _PATIENCE and self.consistency < _DOUBTFUL_COLOURS:
                self.vanish()
            return
        proposal = proposals[best]
        iou = float((proposal & expected).sum() / (proposal | expected).sum())
        self.agreement = max(iou, _ACCEPTED)
        self.anchor = self.mask = window.paste_mask(proposal)
        self.motion = np.eye(3)
        self.consistency = self._own_share(bins, proposal)
        self.stale = self._failures = self._strange = 0
        area = float(self.mask.sum())
        if iou >= _STEADY and area >= _STEADY * self.area:
            self.area += _LEARNING * (area - self.area)
            look = appearance(bins, proposal)
            if look is not None and self.colours is not None:
                self.colours = self.colours.mixed(look, _LEARNING)
        self.area = max(self.area, area / _MOST)

    def _score(self, expected: Bool, proposal: Bool, bins: Bins) -> tuple[float, bool]:
        """Return how well a proposal agrees with the expected mask, and whether it may be it."""
        shared, area = np.count_nonzero(proposal & expected), np.count_nonzero(proposal)
        if not shared:
            return 0.0, False
        due = np.count_nonzero(expected)
        iou, own = float(shared / (area + due - shared)), self._own_share(bins, proposal)
        is_same = iou >= _SAME and own >= _SAME_COLOURS
        is_covered = self.consistency < _USUAL_COLOURS
        is_part = is_covered and shared >= _MOSTLY * area and area >= _LEAST * self.area
        is_more = shared >= _MOSTLY * due and area <= _MOST * self.area
        return iou * own, bool(is_same or ((is_part or is_more) and own >= _OWN_COLOURS))

    def _own_share(self, bins: Bins, mask: Bool) -> float:
        """Return the share of a mask that has the object's colours, in [0, 1]."""
        if self.colours is None:
            return 1.0
        found = bins[resized_mask(mask, bins.shape)]
        return float(self.colours.own(found).mean()) if len(found) else 0.0

    def _trim(self, own: Bool) -> None:
        """Leave out of the mask what has other colours than the object."""
        kept = cv2.morphologyEx(own.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        self.mask = self.mask & resized_mask(kept.view(bool), self.mask.shape)
