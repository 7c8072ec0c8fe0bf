"""Masks carried by sparse optical flow, and drawn anew by a mask proposer every few frames.

In each frame the points inside a mask move by optical flow, and the mask with them, by the
similarity transform that most of them agree on. Every few frames, or when the colours under a mask
are no longer those of its object, the moved mask prompts the proposer, and the proposal that
overlaps it most is taken.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.masks.proposer import MaskProposer
from iterprime_ros.tracking.appearance import (
    Appearance,
    appearance,
    colour_bins,
    reduced_mask,
)
from iterprime_ros.tracking.arrays import Bool, Float, Grey
from iterprime_ros.tracking.points import (
    Followed,
    camera_motion,
    enlarged,
    follow,
    moved,
    object_motion,
    points_in,
    reduced_grey,
)
from iterprime_ros.tracking.propagation import Propagated
from iterprime_ros.tracking.windows import Window, window_around
from iterprime_ros.weights import ON_CPU, Placement

_OBJECT_POINTS, _BACKGROUND_POINTS = 40, 150
_AT_ONCE = 3  # objects that are drawn anew together
_OTHERS_EVERY = 4  # drawings, of which one is for another object than the target
_SAME, _SAME_COLOURS = 0.6, 0.7  # IoU with the moved mask, and share of own colours, of a proposal
_INSIDE, _INSIDE_COLOURS = 0.75, 0.8  # of a proposal that is more or less of the object
_GROWN, _VANISHED = 1.3, 0.12  # of the area of the object when it is all seen
_STEADY = 0.8  # IoU and visible share from which area and colours are learnt
_LEARNING = 0.1


@dataclass(eq=False)
class _Carried:
    """An object that is carried.

    anchor: (H, W) bool, its mask when it was drawn last.
    motion: (3, 3) since then, in pixels of the frame.
    mask: (H, W) bool, in the last frame.
    colours: those that it has.
    area: in pixels of the frame, when it is all seen.
    agreement: of the last drawing with the mask that was expected, in [0, 1].
    consistency: share of its mask that has its colours, in [0, 1].
    """

    anchor: Bool
    mask: Bool
    colours: Appearance | None
    area: float
    motion: Float = field(default_factory=lambda: np.eye(3))
    agreement: float = 1.0
    consistency: float = 1.0
    failures: int = 0

    @property
    def confidence(self) -> float:
        if not self.mask.any():
            return 0.0
        visible = min(1.0, 2 * self.mask.sum() / max(self.area, 1))
        return float(self.agreement * visible * min(1.0, self.consistency / 0.9))


class FlowPropagator:
    """Carries masks by points inside them.

    proposer: draws the masks anew.
    every: frames from one of its drawings to the next.
    """

    def __init__(self, proposer: MaskProposer, every: int = 3) -> None:
        self._proposer, self._every = proposer, every
        self._objects: list[_Carried] = []
        self._grey: Grey = np.zeros((1, 1), dtype=np.uint8)
        self._age = 0
        self._turn = 0

    def start(self, image: NDArray[np.uint8], masks: Bool) -> None:
        """Carry masks (K, H, W) of a frame (H, W, 3) uint8 RGB from now on."""
        bins = colour_bins(image)
        self._grey = reduced_grey(image)
        self._objects = [
            _Carried(
                mask, mask, appearance(bins, reduced_mask(mask, bins.shape)), float(mask.sum())
            )
            for mask in masks
        ]
        self._age = 0

    def step(self, image: NDArray[np.uint8]) -> Propagated:
        """Return the masks in the next frame."""
        grey, bins = reduced_grey(image), colour_bins(image)
        self._age += 1
        self._move(grey, image.shape[:2])
        before = [each.consistency for each in self._objects]
        self._judge(bins)
        target = self._objects[0]
        is_doubtful = target.mask.any() and target.consistency < before[0] - 0.2
        focus = target if is_doubtful else self._next() if self._is_due() else None
        if focus is not None:
            self._redraw(image, focus)
        self._separate()
        self._grey = grey
        return Propagated(
            np.stack([each.mask for each in self._objects]),
            np.array([each.confidence for each in self._objects]),
        )

    def _is_due(self) -> bool:
        return self._age == 1 or self._age % self._every == 0

    def _move(self, grey: Grey, size: tuple[int, int]) -> None:
        small = [reduced_mask(each.mask, grey.shape) for each in self._objects]
        taken = np.logical_or.reduce(small)
        background = cv2.dilate(taken.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
        groups = [points_in(mask, _OBJECT_POINTS) for mask in small]
        groups.append(points_in(background, _BACKGROUND_POINTS))
        ends = np.cumsum([len(group) for group in groups])[:-1]
        followed = follow(self._grey, grey, np.concatenate(groups))
        parts = [
            Followed(*each)
            for each in zip(
                np.split(followed.before, ends),
                np.split(followed.now, ends),
                np.split(followed.good, ends),
                strict=True,
            )
        ]
        camera = camera_motion(parts[-1])
        scale = np.array(size[::-1]) / grey.shape[::-1]
        for each, points in zip(self._objects, parts, strict=False):
            if not each.mask.any():
                continue
            found = object_motion(points)
            motion = found[0] if found else camera if camera is not None else np.eye(3)
            motion = enlarged(motion, scale)
            each.motion = motion @ each.motion
            each.area *= float(np.clip(abs(np.linalg.det(motion[:2, :2])), 0.9, 1.1))
            each.mask = moved(each.anchor, each.motion)

    def _judge(self, bins: NDArray[np.int32]) -> None:
        for each in self._objects:
            if each.mask.any() and each.colours is not None:
                each.consistency = _consistency(
                    each.colours, bins, reduced_mask(each.mask, bins.shape)
                )

    def _redraw(self, image: NDArray[np.uint8], focus: _Carried) -> None:
        """Draw anew an object, and those that are in the window around it too."""
        window = window_around(focus.mask)
        cut = window.cut(image)
        bins = colour_bins(cut)
        chosen = [(focus, window.cut_mask(focus.mask))]
        for each in self._objects:
            if each is not focus and each.mask.any() and len(chosen) < _AT_ONCE:
                inside = window.cut_mask(each.mask)
                if inside.sum() == each.mask.sum():
                    chosen.append((each, inside))
        embedding = self._proposer.embed(torch.from_numpy(cut).permute(2, 0, 1))
        points = torch.tensor([_innermost(mask) for _, mask in chosen])
        proposals = self._proposer.propose(embedding, points).masks.cpu().numpy()
        for each, mask in chosen:
            _draw(each, mask, proposals, bins, window)

    def _next(self) -> _Carried | None:
        """Return the object that is drawn now: the target, and now and then another in turn."""
        target, *others = self._objects
        seen = [each for each in others if each.mask.any()]
        self._turn += 1
        if seen and (self._turn % _OTHERS_EVERY == 0 or not target.mask.any()):
            return seen[self._turn // _OTHERS_EVERY % len(seen)]
        return target if target.mask.any() else None

    def _separate(self) -> None:
        """Give each pixel to one mask: the one drawn best."""
        order = sorted(self._objects, key=lambda each: -each.confidence)
        taken = np.zeros_like(order[0].mask)
        for each in order:
            if (each.mask & taken).any():
                each.mask = each.mask & ~taken
            taken |= each.mask


def _draw(
    each: _Carried, expected: Bool, proposals: Bool, bins: NDArray[np.int32], window: Window
) -> None:
    best, score, closest = None, 0.0, 0.0
    area = expected.sum()
    for proposal in proposals:
        shared = (proposal & expected).sum()
        if not shared:
            continue
        own = proposal.sum()
        iou = shared / (own + area - shared)
        consistency = _consistency(each.colours, bins, reduced_mask(proposal, bins.shape))
        is_same = iou >= _SAME and consistency >= _SAME_COLOURS
        is_part = shared >= _INSIDE * own and own >= _VANISHED * each.area
        is_more = shared >= _INSIDE * area and own <= _GROWN * each.area
        is_other = (is_part or is_more) and consistency >= _INSIDE_COLOURS
        closest = max(closest, iou * consistency)
        if (is_same or is_other) and iou * consistency > score:
            best, score = proposal, iou * consistency
    if best is None:
        each.agreement = closest
        each.failures += 1
        if each.failures >= 2 and each.consistency < 0.5:
            each.mask = each.anchor = np.zeros_like(each.mask)
        return
    each.failures = 0
    iou = float((best & expected).sum() / (best | expected).sum())
    own = float(best.sum())
    each.agreement = max(iou, 0.6)
    each.anchor = each.mask = window.paste_mask(best)
    each.motion = np.eye(3)
    each.consistency = _consistency(each.colours, bins, reduced_mask(best, bins.shape))
    if iou >= _STEADY and own >= _STEADY * each.area:
        each.area += _LEARNING * (own - each.area)
        look = appearance(bins, reduced_mask(best, bins.shape))
        if look is not None:
            each.colours = look if each.colours is None else each.colours.mixed(look, _LEARNING)


def load_flow(
    proposer: MaskProposer, _weights: str | None = None, _placement: Placement = ON_CPU
) -> FlowPropagator:
    """Return the propagator, which has no weights of its own."""
    return FlowPropagator(proposer)


def _consistency(colours: Appearance | None, bins: NDArray[np.int32], mask: Bool) -> float:
    found = bins[mask]
    if colours is None:
        return 1.0
    return float(colours.own_colours()[found].mean()) if len(found) else 0.0


def _innermost(mask: Bool) -> tuple[int, int]:
    """Return the pixel (x, y) of a mask that is farthest from its edge."""
    padded = np.pad(mask.astype(np.uint8), 1)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    _, _, _, (x, y) = cv2.minMaxLoc(distances)
    return x - 1, y - 1
