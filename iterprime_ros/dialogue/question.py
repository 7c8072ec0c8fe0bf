"""The question back where several objects fit a command: "Which mug: the left one, or ..."."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.dialogue.wording import order_spans, with_words
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.language.phrase import Order, RelationConstraint, Superlative
from iterprime_ros.language.word_lists import ORDINALS
from iterprime_ros.spatial.distinctions import Distinction, counted_from, distinctions, firsts
from iterprime_ros.spatial.measurements import Measurements, measure
from iterprime_ros.spatial.reasoner import Reasoning, reason
from iterprime_ros.spatial.words import described, number_word, plural

_MOST_NAMED = 3  # choices; nobody remembers more
_PAIR = 2
_ORDINAL = {rank: word for word, rank in reversed(ORDINALS.items())}
_STARTS = {Order.LEFTMOST: 'from the left', Order.RIGHTMOST: 'from the right'}


@dataclass(frozen=True)
class Choice:
    """One of the objects that a question names.

    candidate: its index among the candidates of the answer that the question is about.
    words: how the question names it: "the one on the left".
    command: a whole command that means it: "pick up the leftmost red mug".
    """

    candidate: int
    words: str
    command: str


@dataclass(frozen=True)
class Question:
    """A question back.

    text: the question.
    command: the command that it is about.
    choices: the objects in the order in which they are named; none where no words were found that
        tell them apart.
    firsts: for an order the index of the choice that clearly comes first in it.
    """

    text: str
    command: ParsedCommand
    choices: tuple[Choice, ...]
    firsts: Mapping[Order, int]


def question_for(
    answer: Segmentation,
    depth: np.ndarray | None = None,
    pinhole: Pinhole | None = None,
) -> Question | None:
    """Return the question back to an answer; None unless it is AMBIGUOUS and about one object.

    depth: (h, w) float32 in metres, NaN where unknown, registered to the image; None without.
    pinhole: the calibration of the image.

    Depth and calibration serve answers that are read off one heatmap; the others know where their
    objects are.
    """
    command = answer.command
    if answer.status is not Status.AMBIGUOUS or command is None or command.phrase.is_plural:
        return None
    reasoning, rivals, measured, candidates = _rivals(answer, command, depth, pinhole)
    if len(rivals) < _PAIR:
        return None
    found = distinctions(reasoning, rivals, measured)
    if not found:
        noun = command.phrase.text
        text = f'Which {noun}? Say where it is, or what only it is.'
        return Question(text, command, (), {})
    choices = tuple(
        Choice(candidates[each.index], _named(each), _command_with(command, each)) for each in found
    )
    place = {each.index: number for number, each in enumerate(found)}
    first = {order: place[k] for order, k in firsts(rivals, measured).items()}
    text = _which(command.phrase.text, choices, counted_from(found))
    return Question(text, command, choices, first)


def question_between(command: ParsedCommand, commands: tuple[ParsedCommand, ...]) -> Question:
    """Return the question which of several commands was said, where each means another object.

    command: the likeliest one.
    commands: all of them, in the order of the candidates of the answer.
    """
    names = [f'the {_bare(each.expression)}' for each in commands]
    choices = tuple(
        Choice(k, name, each.text)
        for k, (name, each) in enumerate(zip(names, commands, strict=True))
    )
    return Question(f'Did you mean {_listed(names)}?', command, choices, {})


def _rivals(
    answer: Segmentation,
    command: ParsedCommand,
    depth: np.ndarray | None,
    pinhole: Pinhole | None,
) -> tuple[Reasoning, tuple[int, ...], Measurements, dict[int, int]]:
    """Return what is known of the objects of an answer, which of them rival, and which is which.

    The last is the index of the candidate by that of the object.
    """
    if answer.parts is not None:
        candidates = {k: number for number, k in enumerate(answer.parts.objects)}
        return answer.parts.reasoning, answer.parts.rivals, answer.parts.measured, candidates
    pair = answer.candidates[:_PAIR]
    measured = measure(np.stack([each.mask for each in pair]), depth, pinhole)
    reasoning = reason(command.phrase, lambda _: np.ones(len(pair)), measured)
    return reasoning, tuple(range(len(pair))), measured, {k: k for k in range(len(pair))}


def _which(noun: str, choices: tuple[Choice, ...], side: str) -> str:
    """Return the question; side: from which the choices are counted, '' where they are not."""
    if side and len(choices) > _MOST_NAMED:
        count = number_word(len(choices))
        return f'Which of the {count} {plural(noun)}? Say which one from the {side}.'
    return f'Which {noun}: {_listed([each.words for each in choices])}?'


def _listed(names: list[str]) -> str:
    return f'{", ".join(names[:-1])}, or {names[-1]}'


def _named(distinction: Distinction) -> str:
    words = distinction.words
    if isinstance(distinction.constraint, Superlative):
        if distinction.constraint.rank > 1:
            return f'the {words}'
        if ' ' not in words:
            return f'the {words} one'
    return f'the one {words}'


def _command_with(command: ParsedCommand, distinction: Distinction) -> str:
    """Return a command that means the candidate of a distinction and no other."""
    without, constraint = order_spans(command), distinction.constraint
    if isinstance(constraint, RelationConstraint):
        anchor = f'the {described(constraint.anchors[0])}'
        relation = f'{constraint.relation.value} {anchor}'
        return with_words(command, after=relation, without=without)
    if constraint.rank == 1:
        return with_words(command, before=constraint.order.value, without=without)
    ordinal, start = _ORDINAL[constraint.rank], _STARTS[constraint.order]
    return with_words(command, before=ordinal, beside=start, without=without)


def _bare(expression: str) -> str:
    return expression.removeprefix('the ').removeprefix('a ').removeprefix('an ')
