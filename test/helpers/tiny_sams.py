"""Small SAMs with random weights, of 256 px and every part of the large ones."""

import torch
from transformers import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2Model,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
    SamConfig,
    SamMaskDecoderConfig,
    SamModel,
    SamPromptEncoderConfig,
    SamVisionConfig,
)

SIDE = 256
DECODER = {'hidden_size': 32, 'num_attention_heads': 2, 'mlp_dim': 48, 'iou_head_hidden_dim': 32}
PROMPT = {'hidden_size': 32, 'image_size': SIDE, 'mask_input_channels': 4}


def tiny_sam():
    vision = SamVisionConfig(
        hidden_size=32,
        output_channels=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        window_size=6,
        global_attn_indexes=[1],
        num_pos_feats=16,
        mlp_dim=48,
    )
    config = SamConfig(
        vision_config=vision,
        prompt_encoder_config=SamPromptEncoderConfig(**PROMPT),
        mask_decoder_config=SamMaskDecoderConfig(**DECODER),
    )
    return _shaken(SamModel(config))


def tiny_sam2_config():
    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[64, 64], [32, 32], [16, 16]],
        fpn_hidden_size=32,
    )
    return Sam2Config(
        vision_config=vision,
        prompt_encoder_config=Sam2PromptEncoderConfig(**PROMPT),
        mask_decoder_config=Sam2MaskDecoderConfig(**DECODER),
    )


def tiny_sam2():
    return _shaken(Sam2Model(tiny_sam2_config()))


def _shaken(model):
    """Give every parameter a random part: fresh ones leave the image without a say."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.15 * torch.randn(parameter.shape, generator=generator)
    return model.eval()
