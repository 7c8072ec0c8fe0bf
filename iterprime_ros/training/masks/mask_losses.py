"""The losses of SAM: focal and dice loss of the masks, and the error of the predicted IoU.

Kirillov et al., "Segment Anything", ICCV 2023 (arXiv 2304.02643).
"""

from torch import Tensor
from torch.nn import functional

_FOCAL_WEIGHT = 20.0  # relative to the dice loss
_MEAN_WEIGHT = 0.25  # of the mean loss of all three masks, relative to the best mask's


def mask_losses(logits: Tensor, predicted_iou: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Return the loss of three masks for each point, and metrics for the log.

    logits: (B, P, 3, h, w) float32, of the masks.
    predicted_iou: (B, P, 3) float32.
    targets: (B, P, 1, h, w) float32 in [0, 1], the share of each cell that the object covers. Where
        it is empty, at points of the background, only the predicted IoU is trained, to be 0.

    Returns scalars:
        loss: the loss to minimise.
        dice: the dice loss of the best mask.
        rating: the squared error of the predicted IoU.
        iou: the IoU of the mask with the highest predicted IoU.
    """
    focal = _focal_loss(logits, targets).mean((-1, -2))
    probabilities = logits.sigmoid()
    intersection = (probabilities * targets).sum((-1, -2))
    total = probabilities.sum((-1, -2)) + targets.sum((-1, -2))
    dice = 1 - (2 * intersection + 1) / (total + 1)
    each = _FOCAL_WEIGHT * focal + dice
    predicted, true = logits > 0, targets > 0.5
    iou = (predicted & true).sum((-1, -2)) / (predicted | true).sum((-1, -2)).clamp(min=1)
    iou_error = functional.mse_loss(predicted_iou, iou)
    chosen = iou.gather(-1, predicted_iou.argmax(-1, keepdim=True))
    of_object = targets.amax((-1, -2, -3)) > 0
    each = each[of_object]
    return {
        'loss': each.min(-1).values.mean() + _MEAN_WEIGHT * each.mean() + iou_error,
        'dice': dice[of_object].min(-1).values.mean(),
        'rating': iou_error,
        'iou': chosen[of_object].mean(),
    }


def _focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the focal loss (Lin et al., arXiv 1708.02002), gamma 2, for soft labels in [0, 1]."""
    labels = targets.expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, labels, reduction='none')
    return (logits.sigmoid() - labels).abs() ** 2 * entropy
