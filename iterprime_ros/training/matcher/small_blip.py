"""The small BLIP of the tabletop world, and its forward pass for many texts about one image."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import BlipConfig, BlipForImageTextRetrieval, PreTrainedTokenizerBase

from iterprime_ros.weights import found

IMAGE_SIZE, PATCH = 192, 12
CELLS = IMAGE_SIZE // PATCH  # patches along a side
WIDTH = 128
VISION_LAYERS, VISION_HEADS = 6, 2
FUSION_LAYERS, FUSION_HEADS = 4, 4
MAX_TOKENS = 40
PROJECTION = 64  # of the contrastive objective


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
            'patch_size': PATCH,
            'initializer_range': 0.02,
        },
        image_text_hidden_size=PROJECTION,
    )
    return BlipForImageTextRetrieval(config)


def trained_blip(folder: Path) -> BlipForImageTextRetrieval:
    """Return the model in a folder, float32; raise WeightsNotFoundError where there is none."""
    loaded: BlipForImageTextRetrieval = found(
        lambda local: BlipForImageTextRetrieval.from_pretrained(
            folder, local_files_only=local, dtype=torch.float32
        ),
        folder,
        'matcher',
        True,
    )
    return loaded


def fused(model: Any, patches: Tensor | None, ids: Tensor) -> Tensor:
    """Return hidden states (B, K, T, D) of K texts on each of B images.

    patches: (B, 1 + N, D), what the image encoder made of the images; None leaves the images out.
    ids: (B, K, T) int64, padded with 0. Each image's keys and values serve all of its texts.
    """
    images, texts, length = ids.shape
    real = (ids != 0).flatten(0, 1)[:, None, None]
    hidden = model.text_encoder.embeddings(input_ids=ids.flatten(0, 1))
    for layer in model.text_encoder.encoder.layer:
        told = _attended(layer.attention.self, hidden, hidden, real)
        hidden = layer.attention.output(told, hidden)
        if patches is not None:
            asking = hidden.unflatten(0, (images, texts)).flatten(1, 2)
            told = _attended(layer.crossattention.self, asking, patches, None)
            told = told.unflatten(1, (texts, length)).flatten(0, 1)
            hidden = layer.crossattention.output(told, hidden)
        hidden = layer.output(layer.intermediate(hidden), hidden)
    return hidden.unflatten(0, (images, texts))


def encoded(model: Any, pixels: Tensor, shown: Tensor | None = None) -> Tensor:
    """Return (B, 1 + N, D) of normalised images (B, 3, S, S).

    shown: (B, M) int64, the patches that the encoder sees, all by default; then (B, 1 + M, D).
    """
    vision = model.vision_model
    tokens = vision.embeddings(pixels)
    if shown is not None:
        wanted = functional.pad(shown + 1, (1, 0))[..., None].expand(-1, -1, tokens.shape[-1])
        tokens = tokens.gather(1, wanted)
    states: Tensor = vision.post_layernorm(vision.encoder(inputs_embeds=tokens).last_hidden_state)
    return states


def contrast(model: Any, patches: Tensor, ids: Tensor, unlike: Tensor) -> Tensor:
    """Return the image-text contrastive loss of B images and the text of each.

    ids: (B, T). unlike: (B, B) bool, [i, j] where text j is surely false of image i; only those are
    told apart. Temperature 0.07 as in ALBEF (arXiv 2107.07651).
    """
    text = fused(model, None, ids[:, None])[:, 0, 0]
    image = functional.normalize(model.vision_proj(patches[:, 0]).float(), dim=-1)
    spoken = functional.normalize(model.text_proj(text).float(), dim=-1)
    scores = image @ spoken.T / 0.07
    own = torch.eye(len(ids), dtype=torch.bool, device=ids.device)
    scores = scores.masked_fill(~(unlike | own), -torch.inf)
    wanted = torch.arange(len(ids), device=ids.device)
    return (
        functional.cross_entropy(scores, wanted) + functional.cross_entropy(scores.T, wanted)
    ) / 2


def _attended(part: Any, asking: Tensor, told: Tensor, real: Tensor | None) -> Tensor:
    """Return what asking (B, Q, D) takes from told (B, L, D); real: see scores, False is unseen.

    Written out: on CPUs the backward pass of the fused kernel takes longer than this in bfloat16.
    """
    heads = part.num_attention_heads
    queries, keys, values = (
        project(states).unflatten(-1, (heads, -1)).transpose(1, 2)
        for project, states in ((part.query, asking), (part.key, told), (part.value, told))
    )
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if real is not None:
        scores = scores.masked_fill(~real, torch.finfo(scores.dtype).min)
    return (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
