"""The layers of a BERT that attends to an image, as functions of the modules that hold weights.

Symbols: B texts, Q of their tokens, T tokens, N image patches, D the width of the states.
"""

import math
from typing import Any

import torch
from torch import Tensor


def split_heads(states: Tensor, heads: int) -> Tensor:
    """Return states (..., L, D) as (..., heads, L, D / heads)."""
    return states.unflatten(-1, (heads, -1)).transpose(-3, -2)


def attention_bias(seen: Tensor) -> Tensor:
    """Return the bias of scores (B, heads, T, L) that masks all but seen (B, L) bool."""
    unseen = torch.finfo(torch.float32).min
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, unseen)[:, None, None]


def self_attended(
    layer: Any, hidden: Tensor, context: Tensor, bias: Tensor | float = 0.0
) -> Tensor:
    """Return hidden (B, Q, D) after it attended to context (B, T, D), with the residual."""
    part = layer.attention.self
    heads = part.num_attention_heads
    queries, keys, values = (
        split_heads(project(states), heads)
        for project, states in ((part.query, hidden), (part.key, context), (part.value, context))
    )
    scores = queries @ keys.transpose(-1, -2) / math.sqrt(keys.shape[-1]) + bias
    attended = (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
    return layer.attention.output(attended, hidden)


def cross_attention(layer: Any, hidden: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
    """Return the cross-attention probabilities (heads, B, Q, 1 + N) of hidden (B, Q, D)."""
    part = layer.crossattention.self
    batch, length = hidden.shape[:2]
    # Scaling the few queries is cheaper than scaling their scores with all patches.
    scaled = part.query(hidden).flatten(0, 1) / math.sqrt(keys.shape[-1])
    scores = split_heads(scaled, part.num_attention_heads) @ keys.transpose(-1, -2)
    return (scores.unflatten(1, (batch, length)) + bias).softmax(-1)


def cross_attended(layer: Any, hidden: Tensor, attention: Tensor, values: Tensor) -> Tensor:
    """Return hidden (B, Q, D) after it read by probabilities (heads, B, Q, 1 + N)."""
    context = (attention.flatten(1, 2) @ values).unflatten(1, attention.shape[1:3])
    return layer.crossattention.output(context.permute(1, 2, 0, 3).flatten(2), hidden)


def cross_attention_block(
    layer: Any, hidden: Tensor, keys: Tensor, values: Tensor, bias: Tensor
) -> Tensor:
    """Return hidden (B, Q, D) after cross-attention and the feed-forward layers of a block."""
    attention = cross_attention(layer, hidden, keys, bias)
    return feed_forward(layer, cross_attended(layer, hidden, attention, values))


def feed_forward(layer: Any, hidden: Tensor) -> Tensor:
    """Return hidden (B, Q, D) after the feed-forward layers of a block, with their residual."""
    output: Tensor = layer.output(layer.intermediate(hidden), hidden)
    return output
