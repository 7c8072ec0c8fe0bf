"""What a mask proposer does: it embeds an image once, then answers points with masks."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from iterprime_ros.weights import check_finite, damaged_weights

_MOST_IOU = 100.0  # a prediction of about 0 to 1 that is as large comes from no trained model


@dataclass(frozen=True)
class Proposals:
    """M candidate masks of one image, on the proposer's device; M may be 0.

    masks: (M, H, W) bool, at the size of the image.
    predicted_iou: (M,) float32, about 0 to 1: the IoU with a true object that the proposer
        predicts, 1 where it predicts none.
    """

    masks: Tensor
    predicted_iou: Tensor


class MaskProposer(Protocol):
    """A model that proposes masks at points of an image."""

    def embed(self, image: Tensor) -> Any:
        """Return what `propose` needs of an image; called once per image.

        image: (3, H, W) uint8 RGB on the proposer's device.

        Raises InvalidImageError for anything else.
        """

    def propose(self, embedding: Any, points: Tensor) -> Proposals:
        """Return the masks at points of the image that was embedded.

        points: (P, 2) int64 on the proposer's device, (x, y) in pixels of the image; P may be 0.
        """


def no_proposals(size: tuple[int, int], device: torch.device) -> Proposals:
    """Return the proposals at no points of an image of a size (H, W)."""
    masks = torch.zeros((0, *size), dtype=torch.bool, device=device)
    return Proposals(masks, torch.zeros(0, device=device))


def check_proposals(logits: Tensor, predicted_iou: Tensor) -> None:
    """Raise WeightsMismatchError for what a mask model with damaged weights gives.

    logits: of the masks, any shape.
    predicted_iou: (M,) float32.
    """
    check_finite('The mask model', logits, predicted_iou)
    if bool((predicted_iou.abs() > _MOST_IOU).any()):
        raise damaged_weights(f'The mask model predicts an IoU of {float(predicted_iou.max()):.2g}')
