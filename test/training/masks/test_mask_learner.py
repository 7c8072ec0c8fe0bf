"""The losses of the mask model, with a decoder whose output is given."""

import torch

from iterprime_ros.training.masks.mask_learner import MaskLearner
from iterprime_ros.training.masks.point_batches import POINTS
from iterprime_ros.training.masks.small_sam import IMAGE_SIZE, small_sam
from iterprime_ros.training.scenes import HEIGHT, WIDTH


class FixedDecoder(torch.nn.Module):
    def __init__(self, logits, predicted_iou):
        super().__init__()
        self.output = logits, predicted_iou

    def forward(self, **_):
        return self.output


def losses(masks, logits, predicted_iou):
    learner = MaskLearner(small_sam())
    learner.model.mask_decoder = FixedDecoder(logits, predicted_iou)
    batch = {
        'images': torch.zeros(1, 3, HEIGHT, WIDTH, dtype=torch.uint8),
        'points': torch.ones(1, POINTS, 2),
        'masks': masks,
    }
    with torch.no_grad():
        return {name: float(value) for name, value in learner(batch).items()}


def test_correct_masks_have_the_lowest_loss():
    masks = torch.zeros(1, POINTS, HEIGHT, WIDTH, dtype=torch.bool)
    masks[..., 32:96, 64:160] = True
    padded = torch.nn.functional.pad(masks.float(), (0, IMAGE_SIZE - WIDTH, 0, IMAGE_SIZE - HEIGHT))
    covered = torch.nn.functional.avg_pool2d(padded, 4)[:, :, None].expand(-1, -1, 3, -1, -1)
    correct = 40 * covered - 20
    ones = torch.ones(1, POINTS, 3)
    good = losses(masks, correct, ones)
    assert good['iou'] > 0.97
    assert good['loss'] < 0.1
    wrong = losses(masks, -correct, ones)
    assert wrong['iou'] == 0
    assert wrong['loss'] > 5 * good['loss']
    # The reported IoU is that of the mask with the highest predicted IoU.
    first_correct = torch.stack([correct[:, :, 0], -correct[:, :, 1], -correct[:, :, 2]], dim=2)
    first_best = torch.tensor([0.9, 0.1, 0.1]).expand(1, POINTS, 3)
    assert losses(masks, first_correct, first_best)['iou'] > 0.9
    second_best = torch.tensor([0.1, 0.9, 0.1]).expand(1, POINTS, 3)
    assert losses(masks, first_correct, second_best)['iou'] == 0
