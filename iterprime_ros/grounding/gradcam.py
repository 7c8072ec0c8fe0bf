"""Grad-CAM of cross-attention: where a text's match with an image comes from, token by token.

Selvaraju et al., "Grad-CAM", ICCV 2017, on cross-attention as in Li et al., "Align before fuse",
NeurIPS 2021.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from iterprime_ros.grounding.alignment import Span, word_tokens
from iterprime_ros.grounding.device_copy import on_device


def token_maps(attention: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return (C, G), both (..., H, T, N) float32: C_t = A_t * G_t with G = max(0, dz/dA).

    attention: A, the cross-attention probabilities.
    gradient: dz/dA of the matching logit z.
    """
    positive = gradient.clamp(min=0)
    return attention * positive, positive


def word_maps(
    attention: Tensor, gradient: Tensor, offsets: Sequence[Span], words: Sequence[Span]
) -> Tensor:
    """Return (words, N) float32: C of each word, summed over its tokens, averaged over heads.

    attention, gradient: (H, T, N) float32, A and dz/dA of one expression.
    offsets: the characters that each token stands for.
    words: spans of characters.
    """
    maps, _ = token_maps(attention, gradient)
    tokens = maps.mean(dim=0)
    if not words:
        return tokens[:0]
    numbers = [word_tokens(offsets, word) for word in words]
    index = torch.tensor([number for some in numbers for number in some], dtype=torch.int64)
    pieces = tokens.index_select(0, on_device(index, tokens.device))
    return torch.stack([each.sum(dim=0) for each in pieces.split([*map(len, numbers)])])
