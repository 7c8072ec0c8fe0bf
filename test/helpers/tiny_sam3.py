"""A small SAM 3 with random weights, with every part of the large one, and its tokenizer."""

import string

import torch
from torch.nn import functional
from transformers import CLIPTokenizer, Sam3Config
from transformers.models.sam3.modeling_sam3 import Sam3Model

SIDE = 112
QUERIES = 12
_LETTERS = string.ascii_lowercase
_PART = {'hidden_size': 32, 'num_attention_heads': 2, 'intermediate_size': 48, 'num_layers': 2}


def tiny_sam3_config():
    backbone = {
        'model_type': 'sam3_vit_model',
        'hidden_size': 32,
        'intermediate_size': 48,
        'num_hidden_layers': 2,
        'num_attention_heads': 2,
        'image_size': SIDE,
        'patch_size': 14,
        'window_size': 4,
        'global_attn_indexes': [1],
        'pretrain_image_size': 56,
    }
    text = {
        'model_type': 'clip_text_model',
        'vocab_size': 60,
        'hidden_size': 24,
        'intermediate_size': 48,
        'projection_dim': 16,
        'num_hidden_layers': 2,
        'num_attention_heads': 2,
        'max_position_embeddings': 32,
        'hidden_act': 'gelu',
        'bos_token_id': 0,
        'eos_token_id': 1,
    }
    return Sam3Config(
        vision_config={
            'backbone_config': backbone,
            'fpn_hidden_size': 32,
            'backbone_feature_sizes': [[32, 32], [16, 16], [8, 8]],
        },
        text_config=text,
        geometry_encoder_config=_PART,
        detr_encoder_config=_PART,
        detr_decoder_config=_PART | {'num_queries': QUERIES},
        mask_decoder_config={'hidden_size': 32, 'num_attention_heads': 2},
    )


def tiny_sam3():
    torch.manual_seed(0)
    model = Sam3Model(tiny_sam3_config()).eval()
    # As initialised, neither the image nor the text has a say, and all queries find the same.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape)
        decoder = model.detr_decoder
        decoder.query_embed.weight.normal_(std=4)
        decoder.reference_points.weight.normal_(std=2)
        decoder.presence_head.layer3.bias += 2
        _centre_scores(model)
    return model


def _centre_scores(model):
    """Let some queries of an image score high and others low."""
    seen = []
    projection = model.dot_product_scoring.query_proj
    handle = projection.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for ids in ([0, 20, 9, 32, 1], [0, 5, 31, 1]):
        for _ in range(4):
            picture = functional.interpolate(torch.rand(1, 3, 9, 7), (SIDE, SIDE), mode='bilinear')
            model(pixel_values=2 * picture - 1, input_ids=torch.tensor([ids]))
    handle.remove()
    projection.weight *= 3
    projection.bias.copy_(-projection.weight @ torch.stack(seen)[:, -1, 0].mean((0, 1)))


def tiny_sam3_tokenizer():
    """A tokenizer of CLIP's kind that spells."""
    words = ['<|startoftext|>', '<|endoftext|>', *_LETTERS, *(f'{each}</w>' for each in _LETTERS)]
    return CLIPTokenizer(vocab={word: k for k, word in enumerate(words)}, merges=[])
