"""The losses of the mask model, with a decoder whose output is given."""

import torch

from iterprime_ros.training.masks.mask_learner import MaskLearner
from iterprime_ros.training.masks.point_batches import OBJECT_POINTS
from iterprime_ros.training.masks.small_sam import small_sam
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
        'points': torch.ones(1, masks.shape[1], 2),
        'masks': masks,
    }
    with torch.no_grad():
        return {name: float(value) for name, value in learner(batch).items()}


def test_correct_masks_have_the_lowest_loss():
    masks = torch.zeros(1, OBJECT_POINTS, HEIGHT, WIDTH, dtype=torch.bool)
    masks[..., 48:144, 96:240] = True
    padded = torch.nn.functional.pad(masks.float(), (0, 0, 0, WIDTH - HEIGHT))
    covered = torch.nn.functional.avg_pool2d(padded, WIDTH // 64)[:, :, None]
    covered = covered.expand(-1, -1, 3, -1, -1)
    correct = 40 * covered - 20
    ones = torch.ones(1, OBJECT_POINTS, 3)
    good = losses(masks, correct, ones)
    assert good['iou'] > 0.97
    assert good['loss'] < 0.1
    wrong = losses(masks, -correct, ones)
    assert wrong['iou'] == 0
    assert wrong['loss'] > 5 * good['loss']
    # The reported IoU is that of the mask with the highest predicted IoU.
    first_correct = torch.stack([correct[:, :, 0], -correct[:, :, 1], -correct[:, :, 2]], dim=2)
    first_best = torch.tensor([0.9, 0.1, 0.1]).expand(1, OBJECT_POINTS, 3)
    assert losses(masks, first_correct, first_best)['iou'] > 0.9
    second_best = torch.tensor([0.1, 0.9, 0.1]).expand(1, OBJECT_POINTS, 3)
    assert losses(masks, first_correct, second_best)['iou'] == 0


def test_points_of_the_background_train_the_predicted_iou_alone():
    masks = torch.zeros(1, 2, HEIGHT, WIDTH, dtype=torch.bool)
    masks[:, 0, 48:144, 96:240] = True
    logits = torch.randn(1, 2, 3, 64, 64)
    other = logits.clone()
    other[:, 1] += 5
    none, some = torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)
    some[:, 1] = 1
    first = losses(masks, logits, none)
    assert losses(masks, other, none) == first
    worse = losses(masks, logits, some)
    assert worse['rating'] > first['rating']
    assert worse['dice'] == first['dice']
