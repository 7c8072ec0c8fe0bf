"""The mask model's batches, losses and beginning."""

import numpy as np
import torch

from iterprime_ros.training.masks.__main__ import SIDE, Masking, begin_with, small_sam
from iterprime_ros.training.masks.point_batches import POINTS, points_batch
from iterprime_ros.training.matcher.small_blip import small_blip
from iterprime_ros.training.matcher.text_batches import patch_owners
from iterprime_ros.training.matcher.vocabulary import word_tokenizer
from iterprime_ros.training.scenes import HEIGHT, WIDTH


def test_every_point_lies_in_its_mask_and_every_mask_is_one_object(rendered):
    batch = points_batch(rendered, 3, seed=0, step=5)
    assert batch['images'].shape == (3, 3, HEIGHT, WIDTH)
    assert batch['masks'].shape == (3, POINTS, HEIGHT, WIDTH)
    assert batch['points'].shape == (3, POINTS, 2)
    for points, masks in zip(batch['points'], batch['masks'], strict=True):
        for (x, y), mask in zip(points.long(), masks, strict=True):
            assert mask[y, x]
    again = points_batch(rendered, 3, seed=0, step=5)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    other = points_batch(rendered, 3, seed=0, step=6)
    assert not torch.equal(batch['points'], other['points'])


class Told(torch.nn.Module):
    """A decoder that gives the answer it was told."""

    def __init__(self, logits, quality):
        super().__init__()
        self.answer = logits, quality

    def forward(self, **_):
        return self.answer


def losses(masks, logits, quality):
    learner = Masking(small_sam())
    learner.model.mask_decoder = Told(logits, quality)
    batch = {
        'images': torch.zeros(1, 3, HEIGHT, WIDTH, dtype=torch.uint8),
        'points': torch.ones(1, POINTS, 2),
        'masks': masks,
    }
    with torch.no_grad():
        return {name: float(value) for name, value in learner(batch).items()}


def test_the_right_masks_lose_least():
    masks = torch.zeros(1, POINTS, HEIGHT, WIDTH, dtype=torch.bool)
    masks[..., 32:96, 64:160] = True
    padded = torch.nn.functional.pad(masks.float(), (0, SIDE - WIDTH, 0, SIDE - HEIGHT))
    right = 40 * torch.nn.functional.avg_pool2d(padded, 4)[:, :, None].expand(-1, -1, 3, -1, -1)
    right = right - 20
    sure = torch.ones(1, POINTS, 3)
    good = losses(masks, right, sure)
    assert good['iou'] > 0.97
    assert good['loss'] < 0.1
    wrong = losses(masks, -right, sure)
    assert wrong['iou'] == 0
    assert wrong['loss'] > 5 * good['loss']
    # The mask that is predicted to be best is the one whose IoU counts.
    one_right = torch.stack([right[:, :, 0], -right[:, :, 1], -right[:, :, 2]], dim=2)
    assert losses(masks, one_right, torch.tensor([0.9, 0.1, 0.1]).expand(1, POINTS, 3))['iou'] > 0.9
    assert losses(masks, one_right, torch.tensor([0.1, 0.9, 0.1]).expand(1, POINTS, 3))['iou'] == 0


def test_it_begins_with_what_the_matcher_knows():
    torch.manual_seed(0)
    matcher, sam = small_blip(word_tokenizer()).eval(), small_sam().eval()
    begin_with(sam, matcher)
    tokens = torch.randn(2, 256, 128)
    theirs = matcher.vision_model.encoder(inputs_embeds=tokens).last_hidden_state
    ours = tokens.unflatten(1, (16, 16))
    for layer in sam.vision_encoder.layers:
        ours = layer(ours)
        ours = ours[0] if isinstance(ours, tuple) else ours
    torch.testing.assert_close(ours.flatten(1, 2), theirs, atol=1e-4, rtol=1e-3)
    # A picture of one colour looks the same through filters of another size.
    flat = torch.full((1, 3, 192, 192), 0.7)
    wide = torch.full((1, 3, SIDE, SIDE), 0.7)
    theirs = matcher.vision_model.embeddings.patch_embedding(flat)[0, :, 0, 0]
    ours = sam.vision_encoder.patch_embed(wide)[0, 0, 0]
    torch.testing.assert_close(ours, theirs, atol=2e-2, rtol=2e-2)


def test_a_patch_belongs_to_what_covers_most_of_it(rendered):
    ids = np.stack([record['ids'] for record in rendered])
    owners = patch_owners(ids, 16).reshape(-1, 16, 16)
    height, width = HEIGHT // 16, WIDTH // 16
    right = []
    for k, row, column in np.ndindex(owners.shape):
        patch = ids[k, row * height : (row + 1) * height, column * width : (column + 1) * width]
        counts = np.bincount(patch.ravel(), minlength=9)[1:] / patch.size
        if abs(counts.max() - 0.3) > 0.1:  # not where sampling decides
            wanted = counts.argmax() + 1 if counts.max() > 0.3 else 0
            right.append(owners[k, row, column] == wanted)
    assert np.mean(right) > 0.99


def test_neighbouring_positions_have_something_in_common():
    """With frequencies of the scale that transformers draws them with they would have nothing."""
    torch.manual_seed(0)
    positions = small_sam().get_image_wide_positional_embeddings()[0]  # (D, rows, columns)
    beside = torch.nn.functional.cosine_similarity(positions[..., 1:], positions[..., :-1], dim=0)
    afar = torch.nn.functional.cosine_similarity(positions[..., 8:], positions[..., :-8], dim=0)
    assert beside.mean() > 0.6
    assert afar.mean() < 0.3
