"""What a vision-language model has to offer so that expressions can be grounded with it.

Symbols, here and in the modules beside this one: B expressions, H heads, T text tokens, N image
patches in `rows * columns`, row by row; K selections of patches.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from iterprime_ros.grounding.alignment import Span


@dataclass(frozen=True)
class TextBatch:
    """Encoded texts, padded to one length.

    real: (B, T) bool, False where a shorter text is padded.
    offsets: for each text and token, the [start, end) characters of the text that it stands for;
        (0, 0) for special tokens. Token 0 is [CLS].
    truncated: for each text, whether its end was cut off.
    state: what the matcher keeps of the texts.
    """

    real: Tensor
    offsets: tuple[tuple[Span, ...], ...]
    truncated: tuple[bool, ...]
    state: Any

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True)
class CrossAttention:
    """Cross-attention of B texts to one image in one fusion block, and the match that follows.

    attention: (B, H, T, N) float32 in [0, 1], the probabilities A, without the image's [CLS].
    gradient: (B, H, T, N) float32, dz/dA; z is the matching logit, index 1 of the head.
    probability: (B,) float32 in [0, 1], the matching probability.
    """

    attention: Tensor
    gradient: Tensor
    probability: Tensor


class Matcher(Protocol):
    """A model with an image-text-matching head over cross-attention blocks."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of image patches."""

    @property
    def fusion_blocks(self) -> range:
        """The blocks that have cross-attention, counted from 0 at the bottom."""

    def encode_image(self, image: Tensor) -> Any:
        """Return what every text needs of an image (3, H, W) uint8 RGB; once per frame."""

    def encode_text(self, texts: list[str]) -> TextBatch:
        """Return what every round needs of some texts; once per expression."""

    def select(self, text: TextBatch, rows: list[int]) -> TextBatch:
        """Return some texts of a batch."""

    def attend(self, image: Any, text: TextBatch, keep: Tensor, block: int) -> CrossAttention:
        """Return the cross-attention of texts to an image in a block, with its gradient.

        image: as `encode_image` returned it.
        keep: (B, N) bool, False for the patches that are hidden from every fusion block.
        block: one of `fusion_blocks`.

        The autograd graph is released before this returns.
        """

    def match(self, image: Any, text: TextBatch, keep: Tensor) -> Tensor:
        """Return the matching logits (B, K) of every text with every selection of patches.

        image: as `encode_image` returned it.
        keep: (K, N) bool, False for the patches that are hidden from every fusion block.

        A logit is the log odds of a match: the head's logit for it less the one against it,
        float32, computed without gradients. K may be 0.
        """
