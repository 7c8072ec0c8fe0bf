"""The mask decoder of SAM for many points of one image, at a fraction of the plain way's cost.

It gives what transformers' SamMaskDecoder gives for the best mask of each point (to rounding), and
saves three things. The image tokens, hundreds for each point, are never projected: a projection
is linear, so the few prompt tokens are projected instead. Layer 0 sees the same image tokens for
all points, whose products are shared. Masks are drawn only where the predicted IoU allows it.

Symbols: P points, T tokens of a prompt, N image tokens, C channels, A attention heads.
"""

from typing import Any

import torch
from torch import Tensor


def best_masks(
    decoder: Any, image: Tensor, positions: Tensor, prompts: Tensor, min_predicted_iou: float
) -> tuple[Tensor, Tensor]:
    """Return logits (K, h, w) and the predicted IoU (K,) of the best mask of each point.

    decoder: a SamMaskDecoder.
    image: (C, rows, cols) float32, the features of the image and the dense prompt.
    positions: (C, rows, cols) float32, their positional encoding.
    prompts: (P, points, C) float32, the sparse prompts.
    min_predicted_iou: points whose best mask has no higher one are left out.
    """
    grid = image.shape[1:]
    outputs = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([outputs.expand(len(prompts), -1, -1), prompts], dim=1)
    hidden, image_tokens = _transformed(
        decoder.transformer, tokens, image.flatten(1).T[None], positions.flatten(1).T
    )
    predicted_iou, best = decoder.iou_prediction_head(hidden[:, 0])[:, 1:].max(1)
    kept = (~(predicted_iou <= min_predicted_iou)).nonzero().flatten()  # NaN is kept, and reported
    maps = image_tokens[kept].transpose(1, 2).unflatten(2, grid)
    maps = decoder.activation(decoder.upscale_layer_norm(decoder.upscale_conv1(maps)))
    maps = decoder.activation(decoder.upscale_conv2(maps))
    filters = torch.stack(
        [
            decoder.output_hypernetworks_mlps[number](hidden[kept, 1 + number])
            for number in range(1, decoder.num_mask_tokens)
        ],
        dim=1,
    )
    chosen = filters[torch.arange(len(kept), device=kept.device), best[kept]]
    logits = chosen[:, None] @ maps.flatten(2)
    return logits.view(len(kept), *maps.shape[2:]), predicted_iou[kept]


def _transformed(
    transformer: Any, tokens: Tensor, image: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the states (P, T, C) of tokens and those (P, N, C) of an image (1, N, C)."""
    hidden = tokens
    for number, layer in enumerate(transformer.layers):
        if number == 0:
            hidden = _self_attended(layer.self_attn, hidden, hidden)
        else:
            hidden = hidden + _self_attended(layer.self_attn, hidden + tokens, hidden)
        hidden = layer.layer_norm1(hidden)
        found = _read_image(layer.cross_attn_token_to_image, hidden + tokens, image, positions)
        hidden = layer.layer_norm2(hidden + found)
        hidden = layer.layer_norm3(hidden + layer.mlp(hidden))
        told = _read_tokens(
            layer.cross_attn_image_to_token, image, positions, hidden + tokens, hidden
        )
        image = layer.layer_norm4(told.add_(image))
    found = _read_image(transformer.final_attn_token_to_image, hidden + tokens, image, positions)
    return transformer.layer_norm_final_attn(hidden + found), image


def _self_attended(part: Any, positioned: Tensor, hidden: Tensor) -> Tensor:
    """Return attention (P, T, C) of tokens to each other; positioned: queries and keys."""
    queries, keys = (_split(project(positioned), part) for project in (part.q_proj, part.k_proj))
    weights = (part.scaling * queries @ keys.transpose(-1, -2)).softmax(-1)
    context = weights @ _split(part.v_proj(hidden), part)
    return part.out_proj(context.transpose(1, 2).flatten(2))


def _read_image(part: Any, queries: Tensor, image: Tensor, positions: Tensor) -> Tensor:
    """Return attention (P, T, C) of tokens to an image (P or 1, N, C).

    Of the score q . (W (x + p) + b) the bias adds the same to all of a query's scores, so that it
    can go; the rest is (W^T q) . x + (W^T q) . p.
    """
    count, length = queries.shape[:2]
    asked = part.scaling * _split(part.q_proj(queries), part) @ _by_head(part.k_proj, part)
    asked = asked.flatten(1, 2)  # (P, A T, C)
    scores = (asked.flatten(0, 1) @ positions.T).unflatten(0, (count, -1))
    weights = scores.add_(_product(asked, image.transpose(1, 2))).softmax(-1)
    context = _product(weights, image).unflatten(1, (-1, length))
    values = context @ _by_head(part.v_proj, part).transpose(1, 2)
    return part.out_proj(values.transpose(1, 2).flatten(2) + part.v_proj.bias)


def _read_tokens(
    part: Any, image: Tensor, positions: Tensor, positioned: Tensor, hidden: Tensor
) -> Tensor:
    """Return attention (P, N, C) of an image (P or 1, N, C) to tokens; positioned: the keys."""
    count, length = hidden.shape[:2]
    keys = part.scaling * _split(part.k_proj(positioned), part)  # (P, A, T, D)
    heads = keys.shape[1]
    asked = (keys @ _by_head(part.q_proj, part)).flatten(1, 2)  # (P, A T, C)
    own = (keys @ part.q_proj.bias.view(heads, -1, 1)).view(count, -1, 1)
    # Tokens before image tokens: a softmax over the few tokens is fastest across long rows.
    scores = (asked.flatten(0, 1) @ positions.T).unflatten(0, (count, -1)).add_(own)
    scores += _product(asked, image.transpose(1, 2))
    weights = scores.unflatten(1, (heads, length)).softmax(2).flatten(1, 2)
    outward = part.out_proj.weight.T.unflatten(0, (heads, -1))  # (A, D, C)
    values = (_split(part.v_proj(hidden), part) @ outward).flatten(1, 2)  # (P, A T, C)
    return torch.baddbmm(part.out_proj.bias.expand(1, 1, -1), weights.transpose(1, 2), values)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return left (P, ., .) @ right (P or 1, ., .), as one matrix product where right is shared."""
    if len(right) == len(left):
        return left @ right
    return (left.flatten(0, 1) @ right[0]).unflatten(0, left.shape[:2])


def _split(states: Tensor, part: Any) -> Tensor:
    """(P, L, A D) to (P, A, L, D)."""
    return states.unflatten(-1, (part.num_attention_heads, -1)).transpose(1, 2)


def _by_head(projection: Any, part: Any) -> Tensor:
    """Return the weight (A, D, C) of a projection, head by head."""
    weight: Tensor = projection.weight
    return weight.unflatten(0, (part.num_attention_heads, -1))
