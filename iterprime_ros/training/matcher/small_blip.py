"""The small BLIP of the tabletop profile, and its forward pass for many texts per image."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerBase

from iterprime_ros.grounding.blip import BlipWithStem
from iterprime_ros.weights import Placement, model_folder, reading

IMAGE_SIZE, PATCH_SIZE = 288, 18  # of the square input and of a patch, in pixels
GRID_SIZE = IMAGE_SIZE // PATCH_SIZE  # patches along a side
WIDTH = 128
VISION_LAYERS, VISION_HEADS = 3, 2
FUSION_LAYERS, FUSION_HEADS = 4, 4
MAX_TOKENS = 40
PATCH_STEM: dict[str, Any] = {
    'strides': [3, 2, 3],
    'channels': [32, 64, 128],
    'blocks': [0, 2, 2],
    'width': WIDTH,
}


def small_blip(tokenizer: PreTrainedTokenizerBase) -> BlipForImageTextRetrieval:
    """Return the model with random weights."""
    sizes = {
        'hidden_size': WIDTH,
        'intermediate_size': 4 * WIDTH,
        'projection_dim': 1,  # of the contrastive heads, which are neither trained nor used
        'hidden_act': 'gelu',
        'attention_dropout': 0.0,
    }
    config = BlipConfig(
        text_config={
            **sizes,
            'vocab_size': len(tokenizer),
            'encoder_hidden_size': WIDTH,
            'num_hidden_layers': FUSION_LAYERS,
            'num_attention_heads': FUSION_HEADS,
            'max_position_embeddings': MAX_TOKENS,
            'hidden_dropout_prob': 0.0,
            'attention_probs_dropout_prob': 0.0,
            'pad_token_id': tokenizer.pad_token_id,
            'bos_token_id': tokenizer.cls_token_id,
            'eos_token_id': tokenizer.sep_token_id,
            'sep_token_id': tokenizer.sep_token_id,
        },
        vision_config={
            **sizes,
            'num_hidden_layers': VISION_LAYERS,
            'num_attention_heads': VISION_HEADS,
            'image_size': IMAGE_SIZE,
            'patch_size': PATCH_SIZE,
            'initializer_range': 0.02,
            'patch_stem': PATCH_STEM,
        },
        image_text_hidden_size=1,
    )
    return BlipWithStem(config)


def load_small_blip(folder: Path) -> BlipForImageTextRetrieval:
    """Return the model in a folder, in float32.

    Raises WeightsNotFoundError if the folder does not exist, and WeightsMismatchError if it holds
    no such model.
    """
    what = 'matcher'
    folder = model_folder(folder, what, Placement(local_files_only=True))
    with reading(folder, what):
        config = BlipConfig.from_pretrained(folder, local_files_only=True)
        model = BlipWithStem(config)
        model.load_state_dict(load_file(folder / 'model.safetensors'))
    return model.float()


def image_features(model: Any, pixels: Tensor) -> Tensor:
    """Return the output (B, 1 + N, D) of the image encoder, [CLS] first.

    model: module with a `vision_model`.
    pixels: (B, 3, S, S) float32, normalised images.
    """
    vision = model.vision_model
    encoded = vision.encoder(inputs_embeds=vision.embeddings(pixels)).last_hidden_state
    features: Tensor = vision.post_layernorm(encoded)
    return features


def match_logits(model: Any, input_ids: Tensor, patches: Tensor, is_shown: Tensor) -> Tensor:
    """Return the logits (B, K, 2) of K texts about each of B images; index 1 for a match.

    The keys and values of an image are computed once for all of its texts.

    input_ids: (B, K, T) int64, padded with 0.
    patches: (B, 1 + N, D), features of the images.
    is_shown: (B, K, N) bool, the patches that a text's cross-attention sees, besides [CLS].
    """
    images, texts, length = input_ids.shape
    is_token = (input_ids != 0).flatten(0, 1)[:, None, None]
    is_seen = functional.pad(is_shown, (1, 0), value=True)[:, :, None]
    is_seen = is_seen.expand(-1, -1, length, -1).flatten(1, 2)[:, None]
    hidden = model.text_encoder.embeddings(input_ids=input_ids.flatten(0, 1))
    for layer in model.text_encoder.encoder.layer:
        context = _attention(layer.attention.self, hidden, hidden, is_token)
        hidden = layer.attention.output(context, hidden)
        queries = hidden.unflatten(0, (images, texts)).flatten(1, 2)
        context = _attention(layer.crossattention.self, queries, patches, is_seen)
        context = context.unflatten(1, (texts, length)).flatten(0, 1)
        hidden = layer.crossattention.output(context, hidden)
        hidden = layer.output(layer.intermediate(hidden), hidden)
    logits: Tensor = model.itm_head(hidden[:, 0]).unflatten(0, (images, texts))
    return logits


def _attention(part: Any, states: Tensor, context: Tensor, is_seen: Tensor) -> Tensor:
    """Return the multi-head attention (B, Q, D) from states (B, Q, D) to context (B, L, D).

    Not the fused kernel: on CPUs its backward pass is slower than this in bfloat16.

    part: module with query, key and value projections.
    is_seen: bool, broadcast to (B, heads, Q, L); False is masked out.
    """
    heads = part.num_attention_heads
    queries, keys, values = (
        project(inputs).unflatten(-1, (heads, -1)).transpose(1, 2)
        for project, inputs in ((part.query, states), (part.key, context), (part.value, context))
    )
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    scores = scores.masked_fill(~is_seen, torch.finfo(scores.dtype).min)
    return (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
