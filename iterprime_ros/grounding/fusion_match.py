"""Matching logits of texts with many selections of patches, without gradients.

The tokens of several texts stand side by side without padding: self-attention is limited to the
text of a token, and all else is done for each token alone. A row is one selection of patches with
all texts of a batch. Where a row shows few patches, their keys and values are gathered; the other
rows share one product with the keys of all patches.

Symbols: B texts, S tokens of all of them together, K selections, R rows in a batch, N patches, D
the width of the states.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from iterprime_ros.grounding.fusion_layers import attention_bias, feed_forward, split_heads

_TOKENS = 512  # in a batch of rows, which bounds memory; more make products no faster
_TEXT_TOKENS = 64  # in a batch of texts; of more, self-attention would waste time on other texts
_FEW = 1 / 16  # of all patches: up to here gathering costs less than attending to all


@dataclass(frozen=True, eq=False)
class FusionBlocks:
    """The part of a matcher that reads the image.

    layers: the blocks that have cross-attention.
    head: linear layer from D to two logits, index 1 for a match.
    memories: for each block, keys and values (heads, 1 + N, D / heads) of the image.
    """

    layers: Sequence[Any]
    head: nn.Linear
    memories: Sequence[tuple[Tensor, Tensor]]


@torch.no_grad()
def match_logits(
    blocks: FusionBlocks, state: Tensor, lengths: Sequence[int], keep: Tensor
) -> Tensor:
    """Return the matching logits (B, K), index 1 of the head less index 0.

    state: (B, T, D), the states of B texts where they first meet the image: after the
        self-attention of the first block.
    lengths: the tokens of each text; the rest of its row in `state` is padding.
    keep: (K, N) bool, the patches that are shown; the image's [CLS] is always shown.
    """
    counts, order = keep.sum(1).sort(stable=True)
    shown = counts.tolist()
    few = bisect_right(shown, _FEW * keep.shape[1])
    logits = state.new_empty((len(lengths), len(keep)))
    for first_text, last_text in _text_batches(lengths):
        texts = slice(first_text, last_text)
        batch = _Texts.of(state[texts], lengths[texts])
        step = max(1, _TOKENS // len(batch.states))
        for first in range(0, len(keep), step):
            rows = order[first : first + step]
            gathered = min(max(0, few - first), len(rows))
            most = shown[first + gathered - 1] if gathered else 0
            selection = _Selection.of(keep[rows], gathered, most, state.dtype)
            logits[texts, rows] = _row_logits(blocks, batch, selection)
    return logits


def _text_batches(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of texts that have _TEXT_TOKENS together, or are one text."""
    first, total = 0, 0
    for number, length in enumerate(lengths):
        if first < number and total + length > _TEXT_TOKENS:
            yield first, number
            first, total = number, 0
        total += length
    if lengths:
        yield first, len(lengths)


@dataclass(frozen=True)
class _Texts:
    """Texts side by side.

    states: (S, D).
    starts: (B,) int64, the position of each text's [CLS].
    bias: (S, S), of self-attention, which masks other texts.
    """

    states: Tensor
    starts: Tensor
    bias: Tensor

    @classmethod
    def of(cls, state: Tensor, lengths: Sequence[int]) -> '_Texts':
        states = torch.cat([row[:length] for row, length in zip(state, lengths, strict=True)])
        counts = torch.tensor(lengths, device=state.device)
        owner = torch.arange(len(lengths), device=state.device).repeat_interleave(counts)
        bias = attention_bias(owner[:, None] == owner)[:, 0, 0].to(state.dtype)
        return cls(states, counts.cumsum(0) - counts, bias)


@dataclass(frozen=True)
class _Selection:
    """The patches that R rows show; the first F of them show few.

    index: (F, M) int64, positions of what the first F rows show, [CLS] first, then padding.
    near_bias: (F, 1, 1, M), which masks the padding.
    bias: (R - F, 1 + N), which masks what the other rows hide.
    """

    index: Tensor
    near_bias: Tensor
    bias: Tensor

    @classmethod
    def of(cls, keep: Tensor, few: int, most: int, dtype: torch.dtype) -> '_Selection':
        """Select as keep (R, N) says; the first `few` rows show `most` patches at most."""
        seen = functional.pad(keep, (1, 0), value=True)
        # A stable sort of what is hidden puts what is shown first, in its order.
        hidden, index = (~seen[:few]).to(torch.uint8).sort(dim=1, stable=True)
        near_bias = attention_bias(hidden[:, : 1 + most] == 0).to(dtype)
        return cls(index[:, : 1 + most], near_bias, attention_bias(seen[few:])[:, 0, 0].to(dtype))

    def __len__(self) -> int:
        return len(self.index) + len(self.bias)

    def read(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what queries (R, Q, D) read from the image's keys and values: (R, Q, D)."""
        heads, few, length = len(keys), len(self.index), queries.shape[1]
        parts = []
        if few:
            near_keys, near_values = (self._gathered(each) for each in (keys, values))
            bias = self.near_bias.expand(-1, -1, length, -1)
            parts.append(_attended(queries[:few], heads, near_keys, near_values, bias))
        if len(self.bias):
            asking = queries[few:].reshape(1, -1, queries.shape[-1])
            bias = self.bias.repeat_interleave(length, dim=0)
            read = _attended(asking, heads, keys[None], values[None], bias)
            parts.append(read.view(-1, length, queries.shape[-1]))
        return torch.cat(parts)

    def _gathered(self, states: Tensor) -> Tensor:
        """Return what the first F rows show of (heads, 1 + N, C): (F, heads, M, C)."""
        # Transposed, the heads of a patch lie side by side in memory.
        chosen = states.transpose(0, 1).index_select(0, self.index.flatten())
        return chosen.unflatten(0, self.index.shape).transpose(1, 2)


def _attended(queries: Tensor, heads: int, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Attention of queries (R, Q, D) to keys and values (R, heads, L, D / heads): (R, Q, D)."""
    asking = split_heads(queries, heads)
    read = functional.scaled_dot_product_attention(asking, keys, values, attn_mask=bias)
    return read.transpose(1, 2).flatten(2)


def _self_attended(layer: Any, queries: Tensor, states: Tensor, bias: Tensor) -> Tensor:
    """Self-attention of queries (R, Q, D) to states (R, S, D), with its residual."""
    part = layer.attention.self
    heads = part.num_attention_heads
    keys, values = split_heads(part.key(states), heads), split_heads(part.value(states), heads)
    read = _attended(part.query(queries), heads, keys, values, bias)
    attended: Tensor = layer.attention.output(read, queries)
    return attended


def _row_logits(blocks: FusionBlocks, texts: _Texts, selection: _Selection) -> Tensor:
    """Return the logits (B, R) of a batch of texts and a batch of rows."""
    states, bias = texts.states.expand(len(selection), -1, -1), texts.bias
    last = len(blocks.layers) - 1
    for number, (layer, memory) in enumerate(zip(blocks.layers, blocks.memories, strict=True)):
        queries = states
        if number == last:  # the head reads [CLS] alone
            queries, bias = states[:, texts.starts], bias[texts.starts]
        if number:  # of the first block it is done, once for all rows
            queries = _self_attended(layer, queries, states, bias)
        cross = layer.crossattention
        read = selection.read(cross.self.query(queries), *memory)
        states = feed_forward(layer, cross.output(read, queries))
    logits: Tensor = blocks.head(states)
    return (logits[..., 1] - logits[..., 0]).T
