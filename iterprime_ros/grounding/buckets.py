"""Attention of texts of any length and number on tensors of a few fixed shapes.

A captured CUDA graph has one shape. Texts are padded to the next of a few lengths and numbers of
rows, the buckets; padding is masked by biases as a shorter text in a batch is, and cropped away.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from iterprime_ros.grounding.fusion import FusionMatcher, ImageMemory
from iterprime_ros.grounding.matcher import CrossAttention, TextBatch

TOKENS = (8, 16, 24, 32)
ROWS = (1, 2, 4, 8, 16)

# FusionMatcher.attend_states in one block, of an image, states (B, T, D), real (B, T) and
# keep (B, N) of the shapes of a bucket. What it returns may be overwritten by the next call.
Step = Callable[[ImageMemory, Tensor, Tensor, Tensor], CrossAttention]


@dataclass(frozen=True)
class Bucket:
    """A shape to which texts are padded: B is `rows` and T is `tokens`."""

    rows: int
    tokens: int


# The largest first: graphs that share memory fit into what it has taken.
BUCKETS = tuple(Bucket(rows, tokens) for rows in ROWS[::-1] for tokens in TOKENS[::-1])


def bucket_of(rows: int, tokens: int) -> Bucket | None:
    """Return the smallest bucket that holds texts, or None where they are too many or too long."""
    wide = next((each for each in TOKENS if each >= tokens), None)
    high = next((each for each in ROWS if each >= rows), None)
    return Bucket(high, wide) if high and wide else None


def attend_in(
    bucket: Bucket, step: Step, image: ImageMemory, text: TextBatch, keep: Tensor
) -> CrossAttention:
    """Return what a step gives for texts padded to a bucket, without the padding, as new tensors.

    keep: (B, N) bool, as of Matcher.attend.
    """
    rows, tokens = text.real.shape
    padding = (0, bucket.tokens - tokens, 0, bucket.rows - rows)
    seen = step(
        image,
        functional.pad(text.state, (0, 0, *padding)),
        functional.pad(text.real, padding, value=False),
        functional.pad(keep, (0, 0, 0, bucket.rows - rows), value=True),
    )
    return CrossAttention(
        seen.attention[:rows, :, :tokens].clone(),
        seen.gradient[:rows, :, :tokens].clone(),
        seen.probability[:rows].clone(),
    )


class BucketedMatcher:
    """A Matcher: a FusionMatcher that attends in buckets where there is a step for them.

    matcher: what it computes with.
    block: the fusion block of the steps.
    steps: by bucket. They are called one at a time, in the thread that calls `attend`.
    """

    def __init__(self, matcher: FusionMatcher, block: int, steps: Mapping[Bucket, Step]) -> None:
        self.matcher, self.block = matcher, block
        self._steps = dict(steps)
        self._in_use = threading.Lock()
        self.encode_image, self.encode_text = matcher.encode_image, matcher.encode_text
        self.select, self.match = matcher.select, matcher.match

    @property
    def grid(self) -> tuple[int, int]:
        """See matcher.Matcher."""
        return self.matcher.grid

    @property
    def fusion_blocks(self) -> range:
        """See matcher.Matcher."""
        return self.matcher.fusion_blocks

    def attend(
        self, image: ImageMemory, text: TextBatch, keep: Tensor, block: int
    ) -> CrossAttention:
        """See matcher.Matcher."""
        bucket = bucket_of(*text.real.shape)
        step = self._steps.get(bucket) if bucket and block == self.block else None
        if bucket is None or step is None:
            return self.matcher.attend(image, text, keep, block)
        with self._in_use:
            return attend_in(bucket, step, image, text, keep)


def static_inputs(matcher: FusionMatcher, bucket: Bucket) -> tuple[Tensor, Tensor, Tensor]:
    """Return states, real and keep of a bucket for a Step, on the matcher's device.

    Every text is padding and every patch is shown.
    """
    weight = matcher.head.weight
    rows, columns = matcher.grid
    shape = (bucket.rows, bucket.tokens)
    return (
        weight.new_zeros((*shape, weight.shape[1])),
        torch.zeros(shape, dtype=torch.bool, device=weight.device),
        torch.ones((bucket.rows, rows * columns), dtype=torch.bool, device=weight.device),
    )


def held_bytes(matcher: FusionMatcher, buckets: Iterable[Bucket] = BUCKETS) -> int:
    """Return the bytes that steps with inputs and outputs of their own hold, one a bucket.

    They are the keys and values of one image, and of each bucket the states, `real`, `keep`, A,
    dz/dA and the probabilities. The memory in which a step computes is not counted: the steps
    share it, and the largest decides.
    """
    weight = matcher.head.weight
    rows, columns = matcher.grid
    patches, width, number = rows * columns, weight.shape[1], weight.element_size()
    heads = matcher.layers[matcher.fusion_blocks.start].crossattention.self.num_attention_heads
    image = len(matcher.fusion_blocks) * 2 * (1 + patches) * width * number
    texts = 0
    for bucket in buckets:
        token = width * number + 1 + 2 * heads * (1 + patches) * number
        texts += bucket.rows * (bucket.tokens * token + patches + number)
    return image + texts
