"""What answers would have been with other thresholds, without asking again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Outcome
from iterprime_ros.evaluation.runner import AnsweredQuestion, answer_sample, compared
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.masks.ambiguity import is_other_object
from iterprime_ros.pipeline import Frame, IteRPrimE

_LEAST = 1e-9  # a chance below it never counts, as in answering.by_parts


@dataclass(frozen=True)
class JudgedQuestion:
    """A question with the chances of its candidates, from which any thresholds decide.

    outcomes: with none, the first, the first two ... of the candidates as the answer; one where the
        command could not be used.
    chances: (K,) of the candidates, highest first.
    rival: the highest chance of another object than the first candidate; 0 without any.
    is_plural: whether the command was understood as one for all objects that fit.
    """

    outcomes: tuple[Outcome, ...]
    chances: tuple[float, ...]
    rival: float
    is_plural: bool


def judge(model: IteRPrimE, samples: Iterable[tuple[Sample, Frame]]) -> list[JudgedQuestion]:
    """Answer questions part by part, each by all candidates that there are."""
    asking = with_settings(
        model, answer={'by': 'parts', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    )
    return [
        _judged(sample.image_id, each)
        for sample, frame in samples
        for each in answer_sample(asking, sample, frame)
    ]


def decided(judged: JudgedQuestion, match_threshold: float, ambiguity_margin: float) -> Outcome:
    """Return the outcome with these settings of the answer, as `answer_by_parts` decides."""
    if judged.outcomes[0].status == Status.INVALID.value:
        return judged.outcomes[0]
    least = max(match_threshold, _LEAST)
    fitting = sum(chance >= least for chance in judged.chances)
    if not fitting:
        return judged.outcomes[0]
    if judged.is_plural:
        return replace(judged.outcomes[fitting], status=Status.FOUND_SEVERAL.value)
    has_rival = (
        ambiguity_margin > 0
        and judged.rival >= least
        and judged.rival >= judged.chances[0] * (1 - ambiguity_margin)
    )
    status = Status.AMBIGUOUS if has_rival else Status.FOUND
    return replace(judged.outcomes[1], status=status.value)


def _judged(image_id: str, answered: AnsweredQuestion) -> JudgedQuestion:
    answer = answered.answer
    if answer.command is None:
        return JudgedQuestion((answered.outcome,), (), 0.0, False)
    candidates = sorted(answer.candidates, key=lambda each: -each.chance)
    is_plural = answer.command.phrase.is_plural
    counted = range(len(candidates) + 1 if is_plural else min(len(candidates), 1) + 1)
    outcomes = tuple(
        _outcome(image_id, answered.question, answer, candidates[:count]) for count in counted
    )
    chances = tuple(each.chance for each in candidates)
    return JudgedQuestion(outcomes, chances, _rival(candidates), is_plural)


def _outcome(
    image_id: str, question: Question, answer: Segmentation, meant: Sequence[Candidate]
) -> Outcome:
    mask = np.zeros_like(answer.mask)
    for each in meant:
        mask |= each.mask
    status = Status.FOUND if meant else Status.NOT_FOUND
    found = [each.mask for each in meant]
    return compared(image_id, question, status, answer.match_probability, mask, found)


def _rival(candidates: Sequence[Candidate]) -> float:
    if not candidates:
        return 0.0
    first, *others = (torch.from_numpy(each.mask) for each in candidates)
    rivals = (
        candidate.chance
        for candidate, mask in zip(candidates[1:], others, strict=True)
        if is_other_object(mask, first)
    )
    return next(rivals, 0.0)
