"""The small BLIP of the tabletop profile, and its forward pass for many texts per image."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerBase

from iterprime_ros.weights import Placement, model_folder, reading

IMAGE_SIZE, PATCH_SIZE = 192, 12  # of the square input and of a patch, in pixels
GRID_SIZE = IMAGE_SIZE // PATCH_SIZE  # patches along a side
WIDTH = 128
VISION_LAYERS, VISION_HEADS = 6, 2
FUSION_LAYERS, FUSION_HEADS = 4, 4
MAX_TOKENS = 40
PROJECTION = 64  # width of the contrastive embeddings
_TEMPERATURE = 0.07  # of the contrastive loss, as in ALBEF (arXiv 2107.07651)


def small_blip(tokenizer: PreTrainedTokenizerBase) -> BlipForImageTextRetrieval:
    """Return the model with random weights."""
    sizes = {
        'hidden_size': WIDTH,
        'intermediate_size': 4 * WIDTH,
        'projection_dim': PROJECTION,
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
        },
        image_text_hidden_size=PROJECTION,
    )
    return BlipForImageTextRetrieval(config)


def load_small_blip(folder: Path) -> BlipForImageTextRetrieval:
    """Return the model in a folder, in float32.

    Raises WeightsNotFoundError if the folder does not exist, and WeightsMismatchError if it holds
    no such model.
    """
    what = 'matcher'
    folder = model_folder(folder, what, Placement(local_files_only=True))
    with reading(folder, what):
        model: BlipForImageTextRetrieval = BlipForImageTextRetrieval.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        )
    return model


def image_features(model: Any, pixels: Tensor, patch_indices: Tensor | None = None) -> Tensor:
    """Return the output (B, 1 + N, D) of the image encoder, [CLS] first.

    model: module with a `vision_model`.
    pixels: (B, 3, S, S) float32, normalised images.
    patch_indices: (B, M) int64, the patches that the encoder sees; all N by default. The result is
        then (B, 1 + M, D).
    """
    vision = model.vision_model
    tokens = vision.embeddings(pixels)
    if patch_indices is not None:
        indices = functional.pad(patch_indices + 1, (1, 0))[..., None]
        tokens = tokens.gather(1, indices.expand(-1, -1, tokens.shape[-1]))
    encoded = vision.encoder(inputs_embeds=tokens).last_hidden_state
    features: Tensor = vision.post_layernorm(encoded)
    return features


def text_features(model: Any, input_ids: Tensor, patches: Tensor | None) -> Tensor:
    """Return the output (B, K, T, D) of the text encoder for K texts about each of B images.

    The keys and values of an image are computed once for all of its texts.

    input_ids: (B, K, T) int64, padded with 0.
    patches: (B, 1 + N, D), features of the images for cross-attention; None: no cross-attention.
    """
    images, texts, length = input_ids.shape
    is_token = (input_ids != 0).flatten(0, 1)[:, None, None]
    hidden = model.text_encoder.embeddings(input_ids=input_ids.flatten(0, 1))
    for layer in model.text_encoder.encoder.layer:
        context = _attention(layer.attention.self, hidden, hidden, is_token)
        hidden = layer.attention.output(context, hidden)
        if patches is not None:
            queries = hidden.unflatten(0, (images, texts)).flatten(1, 2)
            context = _attention(layer.crossattention.self, queries, patches, None)
            context = context.unflatten(1, (texts, length)).flatten(0, 1)
            hidden = layer.crossattention.output(context, hidden)
        hidden = layer.output(layer.intermediate(hidden), hidden)
    return hidden.unflatten(0, (images, texts))


def contrastive_loss(model: Any, patches: Tensor, input_ids: Tensor, is_negative: Tensor) -> Tensor:
    """Return the image-text contrastive loss of B images with one text each.

    patches: (B, 1 + N, D), features of the images.
    input_ids: (B, T) int64, text i is true of image i.
    is_negative: (B, B) bool, whether text j is clearly false of image i; other pairs are ignored.
    """
    text = text_features(model, input_ids[:, None], None)[:, 0, 0]
    image_embeddings = functional.normalize(model.vision_proj(patches[:, 0]).float(), dim=-1)
    text_embeddings = functional.normalize(model.text_proj(text).float(), dim=-1)
    logits = image_embeddings @ text_embeddings.T / _TEMPERATURE
    is_positive = torch.eye(len(input_ids), dtype=torch.bool, device=input_ids.device)
    logits = logits.masked_fill(~(is_negative | is_positive), -torch.inf)
    labels = torch.arange(len(input_ids), device=input_ids.device)
    return (
        functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)
    ) / 2


def _attention(part: Any, states: Tensor, context: Tensor, is_seen: Tensor | None) -> Tensor:
    """Return the multi-head attention (B, Q, D) from states (B, Q, D) to context (B, L, D).

    Not the fused kernel: on CPUs its backward pass is slower than this in bfloat16.

    part: module with query, key and value projections.
    is_seen: bool, broadcast to (B, heads, Q, L); False is masked out. None: nothing is masked.
    """
    heads = part.num_attention_heads
    queries, keys, values = (
        project(inputs).unflatten(-1, (heads, -1)).transpose(1, 2)
        for project, inputs in ((part.query, states), (part.key, context), (part.value, context))
    )
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if is_seen is not None:
        scores = scores.masked_fill(~is_seen, torch.finfo(scores.dtype).min)
    return (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
