"""What a person says, answered in the context of the question that was asked last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from iterprime_ros.answer import Segmentation, Status, invalid
from iterprime_ros.dialogue.question import Question, question_between, question_for
from iterprime_ros.dialogue.reply import Reply, ReplyKind, understood
from iterprime_ros.dialogue.spoken import SpokenAnswer, ground_spoken
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.speech.recognizer import Hypothesis

MAX_TURNS = 3  # questions about one command
_PAIR = 2
_TAKEN_BACK = 'The command was taken back.'


@dataclass(frozen=True)
class Exchange:
    """A question that waits for its reply.

    question: the question; its command is all that the person said before, in one.
    turn: which question about the command it is, from 1.
    """

    question: Question
    turn: int = 1


@dataclass(frozen=True)
class Turn:
    """What came of one thing that was said.

    heard: which of the hypotheses it is taken for, as it was said.
    answer: the answer to it, in the context of the question before.
    next: the question that follows; None where nothing is to be asked.
    """

    heard: str
    answer: Segmentation
    next: Exchange | None = None


def take_turn(
    model: IteRPrimE,
    frame: Frame,
    hypotheses: Sequence[Hypothesis],
    before: Exchange | None = None,
    segment: Callable[[Frame, str], Segmentation] | None = None,
) -> Turn:
    """Answer what was said on a frame.

    frame: what model.embed returned.
    hypotheses: what may have been said, best first, at least one.
    before: the question that it may be a reply to.
    segment: answers a command that was said for certain; model.segment by default.

    Where a reply fits nothing, the question is asked again. A reply of which the likeliest
    hypothesis takes the command back is answered with INVALID.
    """
    replies: dict[str, tuple[Hypothesis, Reply]] = {}
    for each in hypotheses:
        reply = _reply(each.text, before, model)
        replies.setdefault(reply.command, (each, reply))
    heard, first = next(iter(replies.values()))
    if first.kind is ReplyKind.END:
        return Turn(heard.text, invalid(_TAKEN_BACK, frame.image_size))
    said = [
        (command, each)
        for command, (each, reply) in replies.items()
        if reply.kind is not ReplyKind.END
    ]
    if len(said) == 1:
        answer = (segment or model.segment)(frame, first.command)
        question, reply = question_for(answer, frame.depth, frame.pinhole), first
    else:
        spoken = ground_spoken(model, frame, [replace(each, text=text) for text, each in said])
        answer, question = spoken.segmentation, _question_for_spoken(spoken, frame)
        heard, reply = replies[spoken.hypothesis.text]
    is_about_same = reply.kind in (ReplyKind.CHOICE, ReplyKind.MORE, ReplyKind.NOTHING)
    if is_about_same:
        answer = replace(answer, notes=(*answer.notes, f'Understood as "{reply.command}".'))
    turn = before.turn + 1 if before and is_about_same else 1
    if before and is_about_same and answer.status is Status.NOT_FOUND:
        question = before.question  # "the blue one", where none is blue
    asks = question is not None and turn <= MAX_TURNS
    return Turn(heard.text, answer, Exchange(question, turn) if question and asks else None)


def _reply(text: str, before: Exchange | None, model: IteRPrimE) -> Reply:
    if before is None:
        return Reply(ReplyKind.OTHER, text)
    return understood(text, before.question, model.parser)


def _question_for_spoken(spoken: SpokenAnswer, frame: Frame) -> Question | None:
    """Return the question what was said, where that is open, else which object is meant."""
    answer, rival = spoken.segmentation, _rival(spoken)
    if answer.command is None or rival is None:
        return question_for(answer, frame.depth, frame.pinhole)
    return question_between(answer.command, (answer.command, rival))


def _rival(spoken: SpokenAnswer) -> ParsedCommand | None:
    """Return the other command that may have been said, which means another object."""
    answer = spoken.segmentation
    if answer.status is not Status.AMBIGUOUS or len(answer.candidates) < _PAIR:
        return None
    if answer.parts is not None and answer.parts.rivals:
        return None  # what was said is clear, and fits several objects
    other = answer.candidates[1].mask
    for each in spoken.alternatives:
        if each.segmentation.instances and np.array_equal(each.segmentation.mask, other):
            return each.segmentation.command
    return None
