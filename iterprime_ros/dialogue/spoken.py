"""Which of the hypotheses of a speech recogniser was said: one that is true of the scene.

People speak of what is there. So of sentences that sound alike the one is meant that is true: by
Bayes' rule the chance of each is its confidence times how likely it is that somebody says it of
this scene, which is known from the answer to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.speech.recognizer import Hypothesis

_LEAST = 1e-9  # confidence that is counted
# How likely it is that somebody says what has this answer, relative to what is found, times the
# chance of its object; chosen with 192 spoken commands about calibration scenes.
_SAID_OF_SCENE = {
    Status.FOUND: 1.0,
    Status.FOUND_SEVERAL: 1.0,
    Status.AMBIGUOUS: 0.2,
    Status.NOT_FOUND: 0.1,
    Status.INVALID: 0.001,
}
_LEAST_CHANCE = 0.05  # of an object, where none is found
_OPEN = 0.5  # share of the chance of what is understood, from which another object is asked about
_HOPELESS = 0.1  # share of the chance of the first, below which no answer is looked for
_SAME_OBJECT = 0.5  # IoU


@dataclass(frozen=True)
class GroundedHypothesis:
    """A hypothesis and its answer.

    hypothesis: what may have been said.
    segmentation: the answer to it.
    chance: that it was said and meant, given the sound and the scene, in [0, 1]; the chances of all
        hypotheses of an utterance sum to 1.
    """

    hypothesis: Hypothesis
    segmentation: Segmentation
    chance: float


@dataclass(frozen=True)
class SpokenAnswer:
    """The answer to an utterance.

    hypothesis: what was understood.
    segmentation: the answer to it. Where another hypothesis is about as likely and means another
        object, its status is AMBIGUOUS, its text names both hypotheses and the other object is its
        second candidate.
    alternatives: the other hypotheses that could be meant, best first.
    """

    hypothesis: Hypothesis
    segmentation: Segmentation
    alternatives: tuple[GroundedHypothesis, ...]


def ground_spoken(model: IteRPrimE, frame: Frame, hypotheses: Sequence[Hypothesis]) -> SpokenAnswer:
    """Answer the hypothesis that is both likely to have been said and true of the scene.

    frame: what model.embed returned.
    hypotheses: best first, at least one.

    The likeliest is answered first; the others only where they may yet win or be asked about.

    Raises ValueError without a hypothesis.
    """
    if not hypotheses:
        raise ValueError('Without a hypothesis there is nothing to answer.')
    likeliest = max(hypotheses, key=lambda each: each.confidence)
    (first,) = _answers(model, frame, [likeliest.text])
    least = _HOPELESS * likeliest.confidence * math.exp(log_said_of_scene(first))
    open_ones = [each for each in hypotheses if each != likeliest and each.confidence >= least]
    answers = _answers(model, frame, [each.text for each in open_ones])
    grounded = ranked([likeliest, *open_ones], [first, *answers])
    best, others = grounded[0], grounded[1:]
    answer, rival = best.segmentation, rival_of(grounded)
    if rival is not None:
        answer = _between(best, rival)
    return SpokenAnswer(best.hypothesis, answer, others)


def ranked(
    hypotheses: Sequence[Hypothesis], answers: Sequence[Segmentation]
) -> tuple[GroundedHypothesis, ...]:
    """Return hypotheses with their answers and chances, likeliest first, equal ones as given."""
    logs = np.array(
        [
            math.log(max(heard.confidence, _LEAST)) + log_said_of_scene(answer)
            for heard, answer in zip(hypotheses, answers, strict=True)
        ]
    )
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    return tuple(
        GroundedHypothesis(hypotheses[k], answers[k], float(chances[k]))
        for k in np.argsort(-chances, kind='stable')
    )


def log_said_of_scene(answer: Segmentation) -> float:
    """Return the log of how likely it is that somebody says what has this answer."""
    chance = answer.match_probability
    known = chance if chance > _LEAST_CHANCE else _LEAST_CHANCE  # not, where it is NaN
    return math.log(_SAID_OF_SCENE[answer.status] * known)


def rival_of(grounded: Sequence[GroundedHypothesis]) -> GroundedHypothesis | None:
    """Return the best hypothesis that means another object and may as well have been said.

    grounded: likeliest first. The chances of all hypotheses that mean the same object count.

    None where the best one has no object, or where it is clear.
    """
    best = grounded[0]
    if best.segmentation.status is not Status.FOUND:
        return None
    objects: list[tuple[GroundedHypothesis, float]] = []  # the first that means each, with chances
    for each in grounded:
        if not each.segmentation.status.has_mask:
            continue
        for number, (first, chance) in enumerate(objects):
            if _is_same(first.segmentation.mask, each.segmentation.mask):
                objects[number] = first, chance + each.chance
                break
        else:
            objects.append((each, each.chance))
    (_, clear), *others = objects
    rivals = [each for each in others if each[0].segmentation.instance_count == 1]
    rival, chance = max(rivals, key=lambda each: each[1], default=(None, 0.0))
    return rival if chance >= _OPEN * clear else None


def _answers(model: IteRPrimE, frame: Frame, texts: Sequence[str]) -> list[Segmentation]:
    """Return the answers to commands; those with the same referring expression share one."""
    if not texts:
        return []
    keys = [_expression(model, text) or text for text in texts]
    first: dict[str, str] = {}
    for key, text in zip(keys, texts, strict=True):
        first.setdefault(key, text)
    given = dict(zip(first, model.segment_many(frame, list(first.values())), strict=True))
    answers = []
    for key, text in zip(keys, texts, strict=True):
        answer = given[key]
        if answer.command is not None and first[key] != text:
            answer = replace(answer, command=model.parser.parse(text))
        answers.append(answer)
    return answers


def _expression(model: IteRPrimE, text: str) -> str:
    """Return the referring expression of a command; '' where it has none, or forbids."""
    try:
        command = model.parser.parse(text)
    except InvalidCommandError:
        return ''
    return '' if command.is_prohibition else command.expression


def _between(best: GroundedHypothesis, rival: GroundedHypothesis) -> Segmentation:
    """Return the answer where it is open which of two hypotheses was said."""
    one, other = best.segmentation, rival.segmentation
    text = (
        f'Heard "{best.hypothesis.text}" (chance {best.chance:.2f}) or '
        f'"{rival.hypothesis.text}" ({rival.chance:.2f}), which mean different objects.'
    )
    candidates = (*one.candidates[:1], *other.candidates[:1], *one.candidates[1:])
    return replace(one, status=Status.AMBIGUOUS, text=text, candidates=candidates)


def _is_same(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    union = np.logical_or(one, other).sum()
    return bool(np.logical_and(one, other).sum() >= _SAME_OBJECT * union)
