"""Masks carried by sparse optical flow, and drawn anew by a mask proposer every few frames."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidImageError
from iterprime_ros.masks.proposer import MaskProposer
from iterprime_ros.tracking.propagation import Propagated
from iterprime_ros.weights import ON_CPU, Placement

_FLOW_SIDE = 320  # pixels of the longer side of the grey image in which points are followed
_POINTS = 40  # of each mask
_LEAST_POINTS = 4
_ROUND_TRIP = 1.0  # pixels; a point that returns farther from where it started was not followed
_RANSAC_ERROR = 1.5  # pixels
_AGREEMENT = 0.5  # IoU of a proposal with the moved mask, from which it is the same object


class FlowPropagator:
    """Carries masks by points inside them.

    proposer: draws the masks anew.
    every: frames from one of its drawings to the next.
    """

    def __init__(self, proposer: MaskProposer, every: int = 3) -> None:
        self._proposer, self._every = proposer, every
        self._masks = np.zeros((0, 1, 1), dtype=bool)
        self._confidences = np.zeros(0)
        self._grey = np.zeros((1, 1), dtype=np.uint8)
        self._age = 0

    def start(self, image: NDArray[np.uint8], masks: NDArray[np.bool_]) -> None:
        """Carry masks (K, H, W) of a frame (H, W, 3) uint8 RGB from now on."""
        self._grey = _reduced_grey(image)
        self._masks = masks.copy()
        self._confidences = masks.any(axis=(1, 2)).astype(float)
        self._age = 0

    def step(self, image: NDArray[np.uint8]) -> Propagated:
        """Return the masks in the next frame; raise InvalidImageError for one of another size."""
        if image.shape[:2] != self._masks.shape[1:]:
            raise InvalidImageError(
                f'The frames of a track have one size, {self._masks.shape[1:]}, but this one is '
                f'{image.shape[:2]}: start a new track.'
            )
        grey = _reduced_grey(image)
        self._age += 1
        moved = [_moved(mask, self._grey, grey) for mask in self._masks]
        masks = np.stack([mask for mask, _ in moved]) if moved else self._masks
        confidences = np.array([share for _, share in moved])
        if self._age % self._every == 0:
            masks, confidences = self._redrawn(image, masks, confidences)
        self._masks, self._confidences, self._grey = masks, confidences, grey
        return Propagated(masks, confidences)

    def _redrawn(
        self, image: NDArray[np.uint8], masks: NDArray[np.bool_], confidences: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        seen = [k for k, mask in enumerate(masks) if mask.any()]
        if not seen:
            return masks, confidences
        pixels = torch.from_numpy(np.require(image, requirements=['C', 'W'])).permute(2, 0, 1)
        embedding: Any = self._proposer.embed(pixels)
        points = torch.tensor([_innermost(masks[k]) for k in seen])
        proposals = self._proposer.propose(embedding, points).masks.cpu().numpy()
        masks, confidences = masks.copy(), confidences.copy()
        for k in seen:
            shared = (proposals & masks[k]).sum((1, 2)) / (proposals | masks[k]).sum((1, 2))
            best = int(shared.argmax())
            confidences[k] = shared[best]
            if shared[best] >= _AGREEMENT:
                masks[k] = proposals[best]
        return masks, confidences


def load_flow(
    proposer: MaskProposer, _weights: str | None = None, _placement: Placement = ON_CPU
) -> FlowPropagator:
    """Return the propagator, which has no weights of its own."""
    return FlowPropagator(proposer)


def _reduced_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, _FLOW_SIDE / max(image.shape[:2]))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _innermost(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the pixel (x, y) of a mask that is farthest from its edge."""
    padded = np.pad(mask.astype(np.uint8), 1)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    _, _, _, (x, y) = cv2.minMaxLoc(distances)
    return x - 1, y - 1


def _moved(
    mask: NDArray[np.bool_], before: NDArray[np.uint8], now: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], float]:
    """Return a mask where its points moved to, and the share of them that agree."""
    nowhere = np.zeros_like(mask), 0.0
    small = cv2.resize(mask.astype(np.uint8), before.shape[::-1], interpolation=cv2.INTER_NEAREST)
    points = cv2.goodFeaturesToTrack(before, _POINTS, 0.001, 2, mask=small)
    if points is None or len(points) < _LEAST_POINTS:
        return (mask, 0.5) if mask.any() else nowhere
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, points.copy())
    back, returned, _ = cv2.calcOpticalFlowPyrLK(now, before, there, there.copy())
    trip = np.abs(back - points).max(axis=(1, 2))
    good = (found.ravel() == 1) & (returned.ravel() == 1) & (trip < _ROUND_TRIP)
    if good.sum() < _LEAST_POINTS:
        return nowhere
    motion, kept = cv2.estimateAffinePartial2D(
        points[good], there[good], ransacReprojThreshold=_RANSAC_ERROR
    )
    if motion is None:
        return nowhere
    scale = mask.shape[1] / before.shape[1]
    motion[:, 2] *= scale
    height, width = mask.shape
    moved = cv2.warpAffine(
        mask.astype(np.uint8), motion, (width, height), flags=cv2.INTER_NEAREST
    ).astype(bool)
    return moved, float(kept.sum() / len(points))
