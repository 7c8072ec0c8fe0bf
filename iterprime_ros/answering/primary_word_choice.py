"""The parser's primary word beside that of the learned head: which one is used, and what is noted.

The more probable one is used: the head's by its calibrated probability, the parser's by how often
it is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from iterprime_ros.answer import Segmentation
from iterprime_ros.answering.grounded_expression import phrase_span
from iterprime_ros.grounding.alignment import Expression, Span
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.primary_word_head import PrimaryWordHead, read_words
from iterprime_ros.language.command_parser import ParsedCommand


@dataclass(frozen=True)
class PrimaryWordOpinion:
    """What the head says about a command.

    span: its primary word, [start, end) characters of the command's expression; None where it says
        nothing.
    chance: that this is the primary word, in [0, 1]; at most what the head's calibration can vouch
        for, since words it was not fitted on can make it as sure as it gets.
    parser_reliability: the chance that the parser's is, in [0, 1].
    """

    span: Span | None = None
    chance: float = 0.0
    parser_reliability: float = 1.0

    def differs(self, command: ParsedCommand) -> bool:
        """Whether the head and the parser name words that do not overlap."""
        if self.span is None or command.primary_word is None:
            return False
        (start, end), (first, last) = self.span, command.primary_word
        return not (start < last and first < end)

    def prevails(self, command: ParsedCommand) -> bool:
        """Whether the head's word is used in place of the parser's."""
        if command.primary_word is None:
            return self.span is not None
        return self.differs(command) and self.chance > self.parser_reliability

    def applied(self, expression: Expression, command: ParsedCommand) -> Expression:
        """Return what is grounded of a command, with the primary word that is used.

        expression: the whole expression, or the words of the noun phrase alone; it stays as it is
            where the head's word is not among them.
        """
        if self.span is None or not self.prevails(command):
            return expression
        is_whole = expression.text == command.expression
        word = self.span if is_whole else phrase_span(command, self.span)
        if word is None:
            return expression
        focus = tuple(sorted({*expression.focus_words, word}))
        return replace(expression, primary_word=word, focus_words=focus)

    def noted(self, answer: Segmentation, grounded: Expression) -> Segmentation:
        """Return an answer with a note where the head and the parser differ.

        grounded: the expression that was grounded, with the primary word that was used.
        """
        command = answer.command
        if command is None or not self.differs(command):
            return answer
        ours, parsers = _word(command, self.span), _word(command, command.primary_word)
        used = grounded.text[slice(*(grounded.primary_word or (0, 0)))] or 'neither'
        note = (
            f'The parser takes "{parsers}" for the primary word, the attention to words "{ours}" '
            f'(chance {self.chance:.3f}); "{used}" is used.'
        )
        return replace(answer, notes=(*answer.notes, note))


def _word(command: ParsedCommand, span: Span | None) -> str:
    return command.expression[slice(*span)] if span else ''


def primary_word_opinions(
    head: PrimaryWordHead | None,
    matcher: Matcher,
    image: Any,
    commands: Sequence[ParsedCommand],
    prompt: str,
) -> list[PrimaryWordOpinion]:
    """Return what the head says about commands on an image; nothing where there is no head.

    image: what matcher.encode_image returned.
    prompt: what the matcher reads; holds {expression} once.
    """
    if head is None or not commands:
        return [PrimaryWordOpinion() for _ in commands]
    texts = [command.expression for command in commands]
    read = read_words(matcher, image, texts, prompt, head.block)
    return [_opinion(head, *each) for each in read]


def _opinion(head: PrimaryWordHead, words: Sequence[Span], features: Tensor) -> PrimaryWordOpinion:
    if not words:
        return PrimaryWordOpinion()
    chances = head.probabilities(features)
    best = int(chances.argmax())
    chance = min(float(chances[best]), head.highest_chance)
    return PrimaryWordOpinion(words[best], chance, head.parser_reliability)
