"""Which tokens stand for which words: by character offsets, never by guessing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iterprime_ros.grounding.device_copy import on_device

Span = tuple[int, int]  # [start, end) characters


@dataclass(frozen=True)
class Expression:
    """A referring expression and its words; every span is in characters of `text`.

    text: the expression, as in "the red mug left of the ball".
    primary_word: span of the head noun, or None.
    focus_words: spans of the content words, the primary word among them.
    """

    text: str
    primary_word: Span | None
    focus_words: tuple[Span, ...]


@dataclass(frozen=True)
class TokenRoles:
    """The roles of the tokens of B expressions.

    cls: (B, T) bool, the text's [CLS].
    primary: (B, T) bool, p, the primary word's tokens.
    focus: (B, T) bool, F, the focus words' tokens, the primary word's among them.
    real: (B, T) bool, everything but padding.
    """

    cls: Tensor
    primary: Tensor
    focus: Tensor
    real: Tensor

    @property
    def others(self) -> Tensor:
        """O, (B, T) bool: F without p's tokens."""
        return self.focus & ~self.primary


def expression_offsets(offsets: Sequence[Span], start: int, length: int) -> tuple[Span, ...]:
    """Return the offsets of a prompt's tokens as offsets in the expression inside it.

    offsets: [start, end) characters of the prompt for each token.
    start, length: where the expression begins in the prompt, and its characters.

    Tokens outside the expression, special tokens included, get an empty span.
    """

    def moved(position: int) -> int:
        return min(max(position - start, 0), length)

    return tuple((moved(first), moved(last)) for first, last in offsets)


def token_roles(
    real: Tensor, offsets: Sequence[Sequence[Span]], expressions: Sequence[Expression]
) -> TokenRoles:
    """Return the roles of the tokens of a batch; words that the tokenizer cut off have none.

    real: (B, T) bool.
    offsets: for each expression and token, a span of the expression's text.
    """
    # Marked on the CPU, so that one copy goes to the device and not one for every word.
    marks = torch.zeros((3, *real.shape), dtype=torch.bool)
    cls, primary, focus = marks
    cls[:, 0] = True
    for row, expression in enumerate(expressions):
        for span in expression.focus_words:
            focus[row, word_tokens(offsets[row], span)] = True
        if expression.primary_word:
            primary[row, word_tokens(offsets[row], expression.primary_word)] = True
    cls, primary, focus = on_device(marks, real.device)
    return TokenRoles(cls, primary, focus | primary, real)


def word_tokens(offsets: Sequence[Span], word: Span) -> list[int]:
    """Return the numbers of the tokens that overlap a word."""
    return [
        number
        for number, (start, end) in enumerate(offsets)
        if start < end and start < word[1] and end > word[0]
    ]
