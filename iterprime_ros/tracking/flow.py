"""Masks carried by sparse optical flow, and drawn anew by a mask proposer every few frames.

In each frame the points inside a mask move by optical flow, and the mask with them, by the
similarity transform that most of them agree on. Every few frames, or as soon as the colours under
the target's mask are no longer its own, the proposer is asked inside the moved mask, and of what it
proposes that is taken which overlaps the moved mask most.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.masks.proposer import MaskProposer
from iterprime_ros.tracking.appearance import Bins, colour_bins
from iterprime_ros.tracking.arrays import Bool, Grey
from iterprime_ros.tracking.carried_object import CarriedObject
from iterprime_ros.tracking.mask_geometry import innermost, resized_mask
from iterprime_ros.tracking.points import (
    camera_motion,
    enlarged,
    follow,
    object_motion,
    points_in,
    reduced_grey,
)
from iterprime_ros.tracking.propagation import Propagated
from iterprime_ros.tracking.windows import window_around
from iterprime_ros.weights import ON_CPU, Placement

_POINTS = 40  # of each object
_BACKGROUND_POINTS = 150  # from which an object moves whose own points are lost
_EVERY = 4  # frames from one drawing to the next
_OTHERS_EVERY = 4  # drawings, of which one is for another object than the target
_AT_ONCE = 3  # objects that are drawn together
_DOUBT = 0.2  # share of a mask that loses the object's colours in one frame


class FlowPropagator:
    """Carries masks by points inside them.

    proposer: draws them anew.
    device: of the proposer.
    """

    def __init__(self, proposer: MaskProposer, device: torch.device | str = 'cpu') -> None:
        self._proposer, self._device = proposer, device
        self._objects: list[CarriedObject] = []
        self._grey: Grey = np.zeros((1, 1), dtype=np.uint8)
        self._age = self._drawings = 0

    def start(self, image: NDArray[np.uint8], masks: Bool) -> None:
        """Carry masks (K, H, W) of a frame (H, W, 3) uint8 RGB from now on."""
        bins = colour_bins(image)
        self._grey = reduced_grey(image)
        self._objects = [CarriedObject.seen(mask, bins) for mask in masks]
        self._age = 0

    def step(self, image: NDArray[np.uint8]) -> Propagated:
        """Return the masks in the next frame (H, W, 3) uint8 RGB."""
        self._age += 1
        target = self._objects[0]
        before = target.consistency
        grey = reduced_grey(image)
        self._move(grey, colour_bins(image), image.shape[:2])
        self._grey = grey
        is_doubtful = target.is_seen and target.consistency < before - _DOUBT
        is_due = self._age % _EVERY == 1
        focus = target if is_doubtful else self._next() if is_due else None
        if focus is not None:
            self._draw(image, focus)
        self._separate()
        return Propagated(
            np.stack([each.mask for each in self._objects]),
            np.array([each.confidence for each in self._objects]),
        )

    def _move(self, grey: Grey, bins: Bins, size: tuple[int, ...]) -> None:
        seen = [each for each in self._objects if each.is_seen]
        small = [resized_mask(each.mask, grey.shape) for each in seen]
        groups = [points_in(mask, _POINTS) for mask in small]
        followed = follow(self._grey, grey, np.concatenate([np.empty((0, 2), np.float32), *groups]))
        motions = [object_motion(part) for part in followed.parts([len(each) for each in groups])]
        if any(motion is None for motion in motions):
            background = points_in(~np.logical_or.reduce(small), _BACKGROUND_POINTS)
            camera = camera_motion(follow(self._grey, grey, background))
        scale = np.array(size[::-1]) / grey.shape[::-1]
        for each, motion in zip(seen, motions, strict=True):
            if motion is None:
                motion = np.eye(3) if camera is None else camera
            each.move(enlarged(motion, scale), bins)

    def _next(self) -> CarriedObject | None:
        """Return the object that is drawn now: the target, and now and then another in turn."""
        target, *others = self._objects
        seen = [each for each in others if each.is_seen]
        self._drawings += 1
        if seen and (self._drawings % _OTHERS_EVERY == 0 or not target.is_seen):
            return max(seen, key=lambda each: each.stale)
        return target if target.is_seen else None

    def _draw(self, image: NDArray[np.uint8], focus: CarriedObject) -> None:
        """Draw anew an object, and others that are in the window around it too."""
        window = window_around(focus.mask)
        cut = window.cut(image)
        bins = colour_bins(cut)
        near = [(focus, window.cut_mask(focus.mask))]
        taken = np.zeros_like(near[0][1])
        others = [each for each in self._objects if each is not focus and each.is_seen]
        for each in sorted(others, key=lambda each: -each.stale):
            inside = window.cut_mask(each.mask)
            taken |= inside
            if len(near) < _AT_ONCE and np.count_nonzero(inside) == np.count_nonzero(each.mask):
                near.append((each, inside))
        embedding = self._proposer.embed(torch.from_numpy(cut).to(self._device).permute(2, 0, 1))
        points = torch.tensor([innermost(mask) for _, mask in near], device=self._device)
        proposals = self._proposer.propose(embedding, points).masks.cpu().numpy()
        taken |= near[0][1]
        for each, expected in near:
            each.draw(expected, taken & ~expected, proposals, bins, window)

    def _separate(self) -> None:
        """Give a pixel of several masks to the one that was drawn last."""
        order = sorted(self._objects, key=lambda each: each.stale)
        taken = order[0].mask.copy()
        for each in order[1:]:
            if each.is_seen:
                if (each.mask & taken).any():
                    each.mask = each.mask & ~taken
                taken |= each.mask


def load_flow(
    proposer: MaskProposer, _weights: str | None = None, placement: Placement = ON_CPU
) -> FlowPropagator:
    """Return the propagator, which has no weights of its own, of a proposer on a device."""
    return FlowPropagator(proposer, placement.device)
