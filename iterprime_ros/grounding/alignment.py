"""Which tokens stand for which words: by characters, never by guessing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from iterprime_ros.grounding.gradcam import token_maps
from iterprime_ros.grounding.matcher import Attended, TextBatch

Span = tuple[int, int]


@dataclass(frozen=True)
class Expression:
    """A referring expression inside the text that the matcher reads.

    text: the whole prompt. primary_word: [start, end) in text of the head noun, or None.
    focus_words: spans of the words with content, the primary word among them.
    """

    text: str
    primary_word: Span | None
    focus_words: tuple[Span, ...]


def prompted(
    template: str, expression: str, primary_word: Span | None, focus_words: Sequence[Span]
) -> Expression:
    """Put an expression into a template that has `{expression}` in it, and move its spans along."""
    before, after = template.split('{expression}')

    def moved(span: Span) -> Span:
        return span[0] + len(before), span[1] + len(before)

    return Expression(
        before + expression + after,
        None if primary_word is None else moved(primary_word),
        tuple(map(moved, focus_words)),
    )


@dataclass(frozen=True)
class Roles:
    """What the tokens of B expressions are: each (B, T) bool.

    cls: the text's [CLS]. primary: p. focus: F, the primary word's tokens among them. real: not
    padding.
    """

    cls: Tensor
    primary: Tensor
    focus: Tensor
    real: Tensor

    @property
    def others(self) -> Tensor:
        """O: F without p's, (B, T) bool."""
        return self.focus & ~self.primary


def token_roles(text: TextBatch, expressions: Sequence[Expression]) -> Roles:
    """Return the roles of the tokens of a batch; words cut off by the tokenizer have none."""
    primary, focus = torch.zeros_like(text.real), torch.zeros_like(text.real)
    for row, expression in enumerate(expressions):
        for span in expression.focus_words:
            focus[row, _tokens(text.offsets[row], span)] = True
        if expression.primary_word:
            primary[row, _tokens(text.offsets[row], expression.primary_word)] = True
    cls = torch.zeros_like(text.real)
    cls[:, 0] = True
    return Roles(cls, primary, focus | primary, text.real)


def word_maps(attended: Attended, text: TextBatch, row: int, words: Sequence[Span]) -> Tensor:
    """Return (words, N) float32: the gradient-weighted attention of each word's tokens, C.

    Summed over a word's tokens, averaged over heads. attended: of the whole batch; row: which of
    its expressions; words: spans of characters.
    """
    maps, _ = token_maps(attended.attention[row], attended.gradient[row])
    tokens = maps.mean(dim=0)
    if not words:
        return tokens[:0]
    return torch.stack([tokens[_tokens(text.offsets[row], word)].sum(dim=0) for word in words])


def with_found_primary_word(
    expression: Expression, attended: Attended, text: TextBatch, row: int, words: Sequence[Span]
) -> Expression:
    """Return `expression` with the word that pays the most attention as its primary word."""
    if not words:
        return expression
    best = words[int(word_maps(attended, text, row, words).sum(dim=1).argmax())]
    focus = tuple(sorted({*expression.focus_words, best}))
    return replace(expression, primary_word=best, focus_words=focus)


def _tokens(offsets: Sequence[Span], word: Span) -> list[int]:
    return [
        number
        for number, (start, end) in enumerate(offsets)
        if start < end and start < word[1] and end > word[0]
    ]
