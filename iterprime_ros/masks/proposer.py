"""What every mask proposer does: look at a frame once, then answer points with masks."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Proposals:
    """Candidate masks of one frame.

    masks: (M, H, W) bool, at the frame's size, on the proposer's device. scores: (M,) float32 on
    the same device, the proposer's own confidence (a predicted IoU, about 0 to 1), 1 where it has
    none. M may be 0.
    """

    masks: Tensor
    scores: Tensor


class MaskProposer(Protocol):
    """Makes candidate masks of a frame from points on it."""

    def embed(self, image: Tensor) -> Any:
        """Return what is kept of a frame; called once for each frame.

        image: (3, H, W) uint8 RGB on the proposer's device. Raises InvalidImageError for anything
        else.
        """

    def propose(self, embedding: Any, points: Tensor) -> Proposals:
        """Return the masks that points ask for, at the size of the frame that was embedded.

        points: (P, 2) int64 on the proposer's device, (x, y) in pixels of the frame; P may be 0.
        """


def no_proposals(size: tuple[int, int], device: torch.device) -> Proposals:
    """Return the answer to no points on a frame of a size (height, width)."""
    masks = torch.zeros((0, *size), dtype=torch.bool, device=device)
    return Proposals(masks, torch.zeros(0, device=device))
