"""The small SAM of the tabletop profile, and its initialisation from a trained matcher."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import (
    BlipForImageTextRetrieval,
    SamConfig,
    SamMaskDecoderConfig,
    SamPromptEncoderConfig,
    SamVisionConfig,
)

from iterprime_ros.masks.sam import SamWithStem
from iterprime_ros.training.matcher.small_blip import (
    IMAGE_SIZE,
    PATCH_SIZE,
    PATCH_STEM,
    VISION_HEADS,
    VISION_LAYERS,
    WIDTH,
)
from iterprime_ros.training.scenes import HEIGHT
from iterprime_ros.training.scenes import WIDTH as SCENE_WIDTH

_DECODER_WIDTH, _DECODER_HEADS = 64, 4


def small_sam() -> SamWithStem:
    """Return the model with random weights."""
    stem: Any = {'patch_stem': PATCH_STEM}
    vision = SamVisionConfig(
        hidden_size=WIDTH,
        mlp_dim=4 * WIDTH,
        num_hidden_layers=VISION_LAYERS,
        num_attention_heads=VISION_HEADS,
        output_channels=_DECODER_WIDTH,
        num_pos_feats=_DECODER_WIDTH // 2,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        global_attn_indexes=list(range(VISION_LAYERS)),
        use_rel_pos=False,
        **stem,
    )
    prompts = SamPromptEncoderConfig(
        hidden_size=_DECODER_WIDTH,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        mask_input_channels=4,
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
    model = SamWithStem(config)
    # transformers draws the frequencies of the positional embedding with a scale of 64 here, where
    # SAM has 1; the embeddings of neighbouring positions would then be unrelated.
    positional_embedding: Any = model.shared_image_embedding.positional_embedding
    nn.init.normal_(positional_embedding, std=1.0)
    # On CPUs the backward pass of the fused attention kernel is slower in bfloat16.
    model.set_attn_implementation('eager')
    return model


def copy_image_encoder(sam: SamWithStem, matcher: BlipForImageTextRetrieval) -> None:
    """Copy the weights of a matcher's image encoder to that of a SAM of equal depth and width.

    The matcher resizes a 4:3 image to a square, so that its patches are not square in the image.
    Its position embeddings are resampled to SAM's square patches, which cover the upper rows of the
    padded input.
    """
    target: Any = sam.vision_encoder
    source: Any = matcher.vision_model
    stem = source.embeddings.patch_embedding.state_dict()
    target.patch_embed.projection.load_state_dict(stem)
    with torch.no_grad():
        positions = source.embeddings.position_embedding[0, 1:].T
        side = math.isqrt(positions.shape[1])
        rows, columns = side * HEIGHT // SCENE_WIDTH, side
        grid = functional.interpolate(
            positions.unflatten(1, (side, side))[None], (rows, columns), mode='bicubic'
        )
        target.pos_embed[:, :rows, :columns].copy_(grid.permute(0, 2, 3, 1))
    for new, old in zip(target.layers, source.encoder.layers, strict=True):
        new.layer_norm1.load_state_dict(old.layer_norm1.state_dict())
        new.attn.qkv.load_state_dict(old.self_attn.qkv.state_dict())
        new.attn.proj.load_state_dict(old.self_attn.projection.state_dict())
        new.layer_norm2.load_state_dict(old.layer_norm2.state_dict())
        new.mlp.lin1.load_state_dict(old.mlp.fc1.state_dict())
        new.mlp.lin2.load_state_dict(old.mlp.fc2.state_dict())
