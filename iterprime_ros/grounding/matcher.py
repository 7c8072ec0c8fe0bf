"""What a vision-language model has to offer so that expressions can be grounded with it.

Symbols, here and in the modules beside this one: B expressions, H heads, T text tokens, N image
patches in `rows * columns`, row by row.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class TextBatch:
    """Expressions as the matcher reads them, side by side.

    real: (B, T) bool, False where a shorter expression is padded. offsets: for every expression and
    token the [start, end) characters it stands for, (0, 0) for what the tokenizer has added; token
    0 is [CLS]. truncated: for every expression whether its end did not fit. state: the matcher's.
    """

    real: Tensor
    offsets: tuple[tuple[tuple[int, int], ...], ...]
    truncated: tuple[bool, ...]
    state: Any

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True)
class Attended:
    """One look of B expressions at one image.

    attention: (B, H, T, N) float32, the cross-attention probabilities A of one block, without the
    image's [CLS]. gradient: (B, H, T, N) float32, dz/dA. logit: (B,) float32, z: matching minus
    nothing, index 1 of the head. probability: (B,) float32 in [0, 1], that they match.
    """

    attention: Tensor
    gradient: Tensor
    logit: Tensor
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
        """Return what every expression needs of an image (3, H, W) uint8 RGB; once a frame."""

    def encode_text(self, texts: list[str]) -> TextBatch:
        """Return what every round needs of some texts; once an expression."""

    def select(self, text: TextBatch, rows: list[int]) -> TextBatch:
        """Return some expressions of a batch."""

    def attend(self, image: Any, text: TextBatch, keep: Tensor, block: int) -> Attended:
        """Let texts look at an image; keep (B, N) bool is False for the patches they must not see.

        The graph that the gradient needs is released before this returns.
        """
