"""Train the tabletop mask model: a small SAM, by the recipe of SAM.

Kirillov et al., "Segment Anything", ICCV 2023 (arXiv 2304.02643): a point in the object, focal and
dice loss (20 to 1) on the best of three masks, and the squared error of the predicted IoU. Here the
other two masks learn a little of the same too: these objects have no parts to choose from.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    BlipForImageTextRetrieval,
    SamConfig,
    SamMaskDecoderConfig,
    SamModel,
    SamPromptEncoderConfig,
    SamVisionConfig,
)

from iterprime_ros.masks.transforms import IMAGENET_MEAN, IMAGENET_STD
from iterprime_ros.training.loop import Plan, train
from iterprime_ros.training.masks.point_batches import points_batch
from iterprime_ros.training.matcher.small_blip import trained_blip
from iterprime_ros.training.options import exit_code, parser_of
from iterprime_ros.training.scenes import HEIGHT, WIDTH, RenderedScenes

SIDE, PATCH = 256, 16
_ENCODER_WIDTH, _ENCODER_LAYERS, _ENCODER_HEADS = 128, 6, 2  # as the matcher's
_DECODER_WIDTH, _DECODER_HEADS = 64, 4
_FINER = 2  # how much finer than the decoder's own the masks are that the losses compare
_FOCAL_WEIGHT, _OTHERS_WEIGHT = 20.0, 0.25

_DESCRIPTION = """\
Train the mask model of the tabletop profile, a small SAM. Scenes are rendered once into --scenes.
Killed at any time, the same command goes on from the last checkpoint in --out; the model is in
--out/model at the end.
"""


def small_sam() -> SamModel:
    """Return the model with random weights."""
    vision = SamVisionConfig(
        hidden_size=_ENCODER_WIDTH,
        mlp_dim=4 * _ENCODER_WIDTH,
        num_hidden_layers=_ENCODER_LAYERS,
        num_attention_heads=_ENCODER_HEADS,
        output_channels=_DECODER_WIDTH,
        num_pos_feats=_DECODER_WIDTH // 2,
        image_size=SIDE,
        patch_size=PATCH,
        global_attn_indexes=list(range(_ENCODER_LAYERS)),
        use_rel_pos=False,
    )
    prompts = SamPromptEncoderConfig(
        hidden_size=_DECODER_WIDTH, image_size=SIDE, patch_size=PATCH, mask_input_channels=4
    )
    decoder = SamMaskDecoderConfig(
        hidden_size=_DECODER_WIDTH,
        mlp_dim=2 * _DECODER_WIDTH,
        num_attention_heads=_DECODER_HEADS,
        iou_head_hidden_dim=_DECODER_WIDTH,
    )
    config = SamConfig(
        vision_config=vision,
        prompt_encoder_config=prompts,
        mask_decoder_config=decoder,
        initializer_range=0.02,
    )
    model = SamModel(config)
    # transformers draws the frequencies of positions 64 times as high as SAM does (whose scale is
    # 1), so that neighbouring positions would have nothing in common.
    positions: Any = model.shared_image_embedding.positional_embedding
    nn.init.normal_(positions, std=1.0)
    # On CPUs the backward pass of the fused attention kernel takes longer in bfloat16.
    model.set_attn_implementation('eager')
    return model


def begin_with(sam: SamModel, matcher: BlipForImageTextRetrieval) -> None:
    """Give the image encoder of a matcher, which knows what things are, to a SAM of its sizes.

    The matcher sees a picture of 4:3 squeezed into a square, so that its patches are narrower than
    high here: filters and positions are resampled to square patches in the upper rows.
    """
    ours: Any = sam.vision_encoder
    theirs: Any = matcher.vision_model
    with torch.no_grad():
        filters = theirs.embeddings.patch_embedding
        resampled = functional.interpolate(filters.weight, (PATCH, PATCH), mode='bicubic')
        ours.patch_embed.projection.weight.copy_(
            resampled * (filters.weight.shape[-1] / PATCH) ** 2
        )
        ours.patch_embed.projection.bias.copy_(filters.bias)
        places = theirs.embeddings.position_embedding[0, 1:].T
        side = math.isqrt(places.shape[1])
        rows, columns = HEIGHT // PATCH, WIDTH // PATCH
        grid = functional.interpolate(
            places.unflatten(1, (side, side))[None], (rows, columns), mode='bicubic'
        )
        ours.pos_embed[:, :rows, :columns].copy_(grid.permute(0, 2, 3, 1))
    for new, old in zip(ours.layers, theirs.encoder.layers, strict=True):
        new.layer_norm1.load_state_dict(old.layer_norm1.state_dict())
        new.attn.qkv.load_state_dict(old.self_attn.qkv.state_dict())
        new.attn.proj.load_state_dict(old.self_attn.projection.state_dict())
        new.layer_norm2.load_state_dict(old.layer_norm2.state_dict())
        new.mlp.lin1.load_state_dict(old.mlp.fc1.state_dict())
        new.mlp.lin2.load_state_dict(old.mlp.fc2.state_dict())


class Masking(nn.Module):
    """The model with the losses of its masks and of the quality that it predicts."""

    def __init__(self, model: SamModel) -> None:
        super().__init__()
        self.model = model
        for name, values in (('mean', IMAGENET_MEAN), ('std', IMAGENET_STD)):
            levels = 255 * torch.tensor(values)[:, None, None]
            self.register_buffer(name, levels, persistent=False)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss, and the mean IoU of the mask that is predicted to be best."""
        model: Any = self.model
        pixels = (batch['images'].float() - self.mean) / self.std  # type: ignore[operator]
        padded = functional.pad(pixels, (0, SIDE - WIDTH, 0, SIDE - HEIGHT))
        features = model.vision_encoder(padded).last_hidden_state
        points = batch['points'][:, :, None]
        # Positions in half precision would be wrong by pixels.
        with torch.autocast(points.device.type, enabled=False):
            sparse, dense = model.prompt_encoder(
                input_points=points,
                input_labels=torch.ones_like(points[..., 0], dtype=torch.int64),
                input_boxes=None,
                input_masks=None,
            )
            positions = model.get_image_wide_positional_embeddings()
        logits, quality = model.mask_decoder(
            image_embeddings=features,
            image_positional_embeddings=positions.repeat(len(points), 1, 1, 1),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return _losses(logits.float(), quality.float(), batch['masks'])


def _losses(logits: Tensor, quality: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Logits (B, P, 3, h, w) of the padded input, quality (B, P, 3), masks (B, P, H, W) bool."""
    side = _FINER * logits.shape[-1]
    cell = SIDE // side
    finer = functional.interpolate(logits.flatten(0, 1), (side, side), mode='bilinear')
    shown = finer[..., : HEIGHT // cell, : WIDTH // cell].unflatten(0, masks.shape[:2])
    wanted = functional.avg_pool2d(masks.float(), cell)[:, :, None]
    focal = _focal(shown, wanted).mean((-1, -2))
    odds = shown.sigmoid()
    both = (odds * wanted).sum((-1, -2))
    dice = 1 - (2 * both + 1) / (odds.sum((-1, -2)) + wanted.sum((-1, -2)) + 1)
    each = _FOCAL_WEIGHT * focal + dice
    inside, truth = shown > 0, wanted > 0.5
    overlap = (inside & truth).sum((-1, -2)) / (inside | truth).sum((-1, -2)).clamp(min=1)
    rating = functional.mse_loss(quality, overlap)
    chosen = overlap.gather(-1, quality.argmax(-1, keepdim=True))
    return {
        'loss': each.min(-1).values.mean() + _OTHERS_WEIGHT * each.mean() + rating,
        'dice': dice.min(-1).values.mean(),
        'rating': rating,
        'iou': chosen.mean(),
    }


def _focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the focal loss (Lin et al., arXiv 1708.02002), gamma 2, for soft labels in [0, 1]."""
    labels = wanted.expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, labels, reduction='none')
    return (logits.sigmoid() - labels).abs() ** 2 * entropy


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write the model."""
    parser = parser_of(
        'masks',
        _DESCRIPTION,
        '--scenes ~/.cache/iterprime/scenes --matcher ~/matcher/model --out ~/masks',
        batch=16,
    )
    parser.add_argument(
        '--matcher', type=Path, help='folder of a trained matcher, to begin with its image encoder'
    )
    parser.add_argument('--steps', type=int, default=3200, help='to train (default: 3200)')
    return exit_code(_train, parser.parse_args(arguments))


def _train(options: argparse.Namespace) -> None:
    scenes = RenderedScenes(options.scenes, options.scene_count)
    torch.manual_seed(options.seed)
    model = small_sam()
    if options.matcher:
        begin_with(model, trained_blip(options.matcher))
    train(
        Masking(model),
        partial(points_batch, scenes, options.batch, options.seed),
        Plan(options.steps, rate=1e-3),
        options.out / 'masks',
        options.device,
        options.workers,
    )
    model.half().save_pretrained(options.out / 'model')
    print(f'The model is in {options.out / "model"}')


if __name__ == '__main__':
    sys.exit(main())
