"""A small Mask2Former with random weights, with every part of the large ones."""

import torch
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

QUERIES, CLASSES = 10, 7


def tiny_mask2former():
    torch.manual_seed(0)
    backbone = SwinConfig(
        embed_dim=8,
        depths=[1, 1, 2, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        image_size=64,
        out_features=['stage1', 'stage2', 'stage3', 'stage4'],
    )
    config = Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=24,
        encoder_layers=1,
        decoder_layers=4,
        num_attention_heads=2,
        dim_feedforward=24,
        num_queries=QUERIES,
        num_labels=CLASSES,
    )
    model = Mask2FormerForUniversalSegmentation(config).eval()
    # As initialised, all masks are alike, and no class is likelier than another.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.15 * torch.randn(parameter.shape)
        model.class_predictor.weight *= 5
    return model
