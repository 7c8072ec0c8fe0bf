"""The matcher for models built like BLIP and ALBEF: a ViT, and a BERT that attends to it.

It computes what the plain way (whole forward, whole backward) computes, at a fraction of the cost:
the image's keys and values once per frame; the text layers below the first cross-attention once per
expression; the autograd graph starts at one block's attention probabilities and ends at the logit;
the last block is computed for [CLS] alone, which is all that the head reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from iterprime_ros.grounding.device_copy import on_device
from iterprime_ros.grounding.fusion_layers import (
    attention_bias,
    cross_attended,
    cross_attention,
    cross_attention_block,
    feed_forward,
    self_attended,
    split_heads,
)
from iterprime_ros.grounding.fusion_match import FusionBlocks, match_logits
from iterprime_ros.grounding.matcher import CrossAttention, TextBatch

# Of RGB in [0, 1]; CLIP (Radford et al., 2021), from which ALBEF and BLIP took them.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

# For each fusion block, keys and values (heads, 1 + N, D / heads) float32 of an image.
ImageMemory = tuple[tuple[Tensor, Tensor], ...]


@dataclass(frozen=True)
class Pixels:
    """The preprocessing of images for the ViT.

    size: side of the square input, in pixels.
    """

    size: int

    def __call__(self, image: Tensor) -> Tensor:
        """Return (1, 3, size, size) float32 of an image (3, H, W) uint8, on its device."""
        return self.of_batch(image[None])

    def of_batch(self, images: Tensor) -> Tensor:
        """Return (B, 3, size, size) float32 of images (B, 3, H, W) uint8, on their device."""
        side = (self.size, self.size)
        # On the CPU bytes are resized as Pillow does it, with which the models were trained.
        levels = images if images.device.type == 'cpu' else images.float()
        resized = functional.interpolate(
            levels, side, mode='bicubic', antialias=True, align_corners=False
        )
        mean, std = _statistics(images.device)
        return (resized.float().round().clamp(0, 255) / 255 - mean) / std


def _statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return MEAN and STD (3, 1, 1) float32 on a device."""
    mean, std = on_device(torch.tensor((MEAN, STD))[..., None, None], device)
    return mean, std


@dataclass(frozen=True, eq=False)
class FusionMatcher:
    """A ViT and a text encoder whose blocks, or upper blocks, attend to it; see matcher.Matcher.

    vision: module from pixels (1, 3, S, S) to states (1, 1 + N, D), [CLS] first.
    pixels: the preprocessing that `vision` needs.
    embeddings: module from token ids (B, T) to states (B, T, D).
    layers: blocks with `attention`, `intermediate`, `output` and, from some block on,
        `crossattention`, named and ordered as in BERT.
    head: linear layer from D to two logits, index 1 for a match.
    tokenizer: of the text encoder, with character offsets; used as a fast PreTrainedTokenizerBase.
    max_tokens: length to which texts are cut, special tokens included.
    ends_with_sep: whether texts end with [SEP].
    """

    vision: Any
    pixels: Pixels
    embeddings: nn.Module
    layers: Sequence[Any]
    head: nn.Linear
    tokenizer: Any
    max_tokens: int
    ends_with_sep: bool

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of image patches."""
        side = self.pixels.size // self.vision.config.patch_size
        return side, side

    @property
    def fusion_blocks(self) -> range:
        """The blocks that have cross-attention."""
        first = next(k for k, layer in enumerate(self.layers) if hasattr(layer, 'crossattention'))
        return range(first, len(self.layers))

    @torch.no_grad()
    def encode_image(self, image: Tensor) -> ImageMemory:
        """Return keys and values (heads, 1 + N, D / heads) float32 of each fusion block."""
        dtype = next(self.vision.parameters()).dtype
        patches = self.vision(pixel_values=self.pixels(image).to(dtype)).last_hidden_state[0]
        patches = patches.to(self.head.weight.dtype)
        memories = []
        for block in self.fusion_blocks:
            cross = self.layers[block].crossattention.self
            heads = cross.num_attention_heads
            keys = split_heads(cross.key(patches), heads)
            values = split_heads(cross.value(patches), heads)
            memories.append((keys, values))
        return tuple(memories)

    @torch.no_grad()
    def encode_text(self, texts: list[str]) -> TextBatch:
        """Tokenize, and run every layer below the first cross-attention."""
        ids, offsets, truncated = self._tokenize(texts)
        length = max(map(len, ids))
        device = self.head.weight.device
        padding = self.tokenizer.pad_token_id
        padded = torch.tensor([row + [padding] * (length - len(row)) for row in ids])
        real = on_device(
            torch.tensor([[k < len(row) for k in range(length)] for row in ids]), device
        )
        state = self._encode_tokens(on_device(padded, device), real)
        return TextBatch(real, offsets, truncated, state)

    def select(self, text: TextBatch, rows: list[int]) -> TextBatch:
        """Return some texts of a batch."""
        index = on_device(torch.tensor(rows, dtype=torch.int64), text.real.device)
        return TextBatch(
            text.real.index_select(0, index),
            tuple(text.offsets[row] for row in rows),
            tuple(text.truncated[row] for row in rows),
            text.state.index_select(0, index),
        )

    def attend(
        self, image: ImageMemory, text: TextBatch, keep: Tensor, block: int
    ) -> CrossAttention:
        """See matcher.Matcher; the image's [CLS] is never hidden."""
        return self.attend_states(image, text.state, text.real, keep, block)

    def attend_states(
        self, image: ImageMemory, state: Tensor, real: Tensor, keep: Tensor, block: int
    ) -> CrossAttention:
        """Do what `attend` does, of the states of texts (B, T, D) and their `real` (B, T) bool.

        Nothing is read back from the device, and no shape depends on values.
        """
        first, last = self.fusion_blocks.start, self.fusion_blocks.stop - 1
        text_bias = attention_bias(real)
        seen = functional.pad(keep, (1, 0), value=True)
        # (1, B, 1, 1 + N): heads come first, so that all texts share one matrix product.
        image_bias = attention_bias(seen).permute(1, 0, 2, 3)
        hidden = state
        with torch.no_grad():
            for number in range(first, block):
                layer, (keys, values) = self.layers[number], image[number - first]
                hidden = cross_attention_block(layer, hidden, keys, values, image_bias)
                hidden = self_attended(self.layers[number + 1], hidden, hidden, text_bias)
            attention = cross_attention(
                self.layers[block], hidden, image[block - first][0], image_bias
            )
        with torch.enable_grad():
            attention.requires_grad_()
            hidden = cross_attended(self.layers[block], hidden, attention, image[block - first][1])
            hidden = feed_forward(self.layers[block], hidden)
            for number in range(block + 1, last + 1):
                layer, (keys, values) = self.layers[number], image[number - first]
                queries = hidden[:, :1] if number == last else hidden
                queries = self_attended(layer, queries, hidden, text_bias)
                hidden = cross_attention_block(layer, queries, keys, values, image_bias)
            logits = self.head(hidden[:, 0])
            (gradient,) = torch.autograd.grad(logits[:, 1].sum(), attention)
        return CrossAttention(
            attention.detach().transpose(0, 1)[..., 1:],
            gradient.transpose(0, 1)[..., 1:],
            logits.detach().softmax(-1)[:, 1],
        )

    def match(self, image: ImageMemory, text: TextBatch, keep: Tensor) -> Tensor:
        """See matcher.Matcher; the image's [CLS] is never hidden."""
        blocks = FusionBlocks(self.layers[self.fusion_blocks.start :], self.head, image)
        return match_logits(blocks, text.state, [len(spans) for spans in text.offsets], keep)

    def rehearse(self) -> None:
        """Match an image with a text, so that modules that do not fit each other raise an error.

        On the device 'meta' it takes a fraction of a second and no memory.
        """
        words: Any = self.embeddings.get_submodule('word_embeddings')
        known = words.num_embeddings
        if len(self.tokenizer) > known:
            raise ValueError(f'the tokenizer has {len(self.tokenizer)} tokens, the model {known}')
        device = self.head.weight.device
        real = torch.ones((1, 1 + 1 + self.ends_with_sep), dtype=torch.bool, device=device)
        if real.shape[1] > self.max_tokens:
            raise ValueError(f'the text encoder has room for {self.max_tokens} tokens')
        text = TextBatch(real, ((),), (False,), self._encode_tokens(real.long(), real))
        image = self.encode_image(torch.zeros((3, 1, 1), dtype=torch.uint8, device=device))
        rows, columns = self.grid
        keep = torch.ones((1, rows * columns), dtype=torch.bool, device=device)
        self.attend(image, text, keep, self.fusion_blocks.start)

    @torch.no_grad()
    def _encode_tokens(self, ids: Tensor, real: Tensor) -> Tensor:
        """Return the states (B, T, D) of tokens (B, T) int64 that meet the image first."""
        bias = attention_bias(real)
        hidden: Tensor = self.embeddings(ids)
        first = self.fusion_blocks.start
        for layer in self.layers[:first]:
            hidden = feed_forward(layer, self_attended(layer, hidden, hidden, bias))
        return self_attended(self.layers[first], hidden, hidden, bias)

    def _tokenize(
        self, texts: list[str]
    ) -> tuple[list[list[int]], tuple[tuple[tuple[int, int], ...], ...], tuple[bool, ...]]:
        ids, offsets, truncated = [], [], []
        for text in texts:
            encoded: Any = self.tokenizer(
                text,
                add_special_tokens=False,
                split_special_tokens=True,  # "[SEP]" in a command is a word
                return_offsets_mapping=True,
                verbose=False,
            )
            room = self.max_tokens - 1 - self.ends_with_sep
            end = [self.tokenizer.sep_token_id] if self.ends_with_sep else []
            ids.append([self.tokenizer.cls_token_id, *encoded['input_ids'][:room], *end])
            spans = [tuple(span) for span in encoded['offset_mapping'][:room]]
            offsets.append(((0, 0), *spans, *((0, 0) for _ in end)))
            truncated.append(len(encoded['input_ids']) > room)
        return ids, tuple(offsets), tuple(truncated)
