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
_LEAST, _MOST = 0.12, 3.0  # of the object's whole area: parts of it, and what is more
_OTHERS = 0.1  # of a proposal: if more of it is on other objects, it is not more of this one
_PREFERENCE = 0.9  # of what is expected to be seen, to all of the object
_STEADY = 0.8  # IoU from which colours are learnt, and visible share from which it is whole
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
    anchor: (H, W) bool, its mask when it was drawn last.
    whole: (H, W) bool, its mask when all of it was seen last, as far as it is in the image.
    area: of that, in pixels.
    motion, whole_motion: (3, 3), of pixels, since then.
    agreement: of the last drawing with the mask that was expected, in [0, 1].
    consistency: share of its mask that has its colours, in [0, 1].
    stale: frames since it was drawn last.
    """

    mask: Bool
    colours: Appearance | None
    anchor: Bool
    whole: Bool
    area: int
    motion: Float = field(default_factory=lambda: np.eye(3))
    whole_motion: Float = field(default_factory=lambda: np.eye(3))
    agreement: float = 1.0
    consistency: float = 1.0
    stale: int = 0
    _failures: int = 0
    _strange: int = 0

    @classmethod
    def seen(cls, mask: Bool, bins: Bins) -> 'CarriedObject':
        """Return the object under a mask in a frame of these colours."""
        return cls(mask, appearance(bins, mask), mask, mask, _area(mask))

    @property
    def is_seen(self) -> bool:
        """Whether there is a mask."""
        return bool(self.mask.any())

    @property
    def confidence(self) -> float:
        """How sure the mask is, in [0, 1]; less than half of the object lowers it."""
        visible = min(1.0, 2 * _area(self.mask) / max(self.area, 1))
        return self.agreement * visible * min(1.0, self.consistency / _USUAL_COLOURS)

    def move(self, motion: Float, bins: Bins) -> None:
        """Take the mask to the next frame, with these colours, by a motion (3, 3)."""
        self.stale += 1
        self.motion, self.whole_motion = motion @ self.motion, motion @ self.whole_motion
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

    def draw(
        self, expected: Bool, others: Bool, proposals: Bool, bins: Bins, window: Window
    ) -> None:
        """Take the best of the proposals (M, h, w), if any is the object; M may be 0.

        expected: (h, w), where it should be; as all arrays, in a window of the frame.
        others: (h, w), where other objects are.
        bins: the colours there.
        """
        if not len(proposals):
            return
        whole = window.cut_mask(moved(self.whole, self.whole_motion))
        scores = [self._score(expected, whole, others, each, bins) for each in proposals]
        accepted = [k for k, (_, is_possible) in enumerate(scores) if is_possible]
        best = max(accepted, key=lambda k: scores[k][0], default=None)
        if best is None:
            self.agreement = float(max(score for score, _ in scores))
            self._failures += 1
            if self._failures >= _PATIENCE and self.consistency < _DOUBTFUL_COLOURS:
                self.vanish()
            return
        proposal, is_covered = proposals[best], self.consistency < _USUAL_COLOURS
        self.agreement = max(_iou(proposal, expected), _iou(proposal, whole), _ACCEPTED)
        self.anchor = self.mask = window.paste_mask(proposal)
        self.motion = np.eye(3)
        self.consistency = self._own_share(bins, proposal)
        self.stale = self._failures = self._strange = 0
        area = _area(self.mask)
        if area >= self.area or (area >= _STEADY * self.area and not is_covered):
            self.whole, self.area, self.whole_motion = self.mask, area, np.eye(3)
            look = appearance(bins, proposal)
            if look is not None and self.colours is not None and self.agreement >= _STEADY:
                self.colours = self.colours.mixed(look, _LEARNING)

    def _score(
        self, expected: Bool, whole: Bool, others: Bool, proposal: Bool, bins: Bins
    ) -> tuple[float, bool]:
        """Return how well a proposal agrees with what is expected, and whether it may be it."""
        shared, area = _area(proposal & expected), _area(proposal)
        if not shared:
            return 0.0, False
        due, own = _area(expected), self._own_share(bins, proposal)
        part_iou, whole_iou = _iou(proposal, expected), _iou(proposal, whole)
        iou = max(part_iou, whole_iou)
        is_same = iou >= _SAME and own >= _SAME_COLOURS
        is_covered = self.consistency < _USUAL_COLOURS
        is_part = is_covered and shared >= _MOSTLY * area and area >= _LEAST * self.area
        is_more = (
            shared >= _MOSTLY * due
            and area <= _MOST * self.area
            and _area(proposal & others) < _OTHERS * area
        )
        score = max(_PREFERENCE * part_iou, whole_iou) * own
        return score, bool(is_same or ((is_part or is_more) and own >= _OWN_COLOURS))

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


def _area(mask: Bool) -> int:
    return int(np.count_nonzero(mask))


def _iou(mask: Bool, other: Bool) -> float:
    return _area(mask & other) / max(1, _area(mask | other))
