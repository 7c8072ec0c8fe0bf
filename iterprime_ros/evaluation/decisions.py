"""What answers part by part would have been with other thresholds, without asking again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from iterprime_ros.answer import Candidate, Segmentation, Status, union
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Outcome
from iterprime_ros.evaluation.runner import answer_sample, compared
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.masks.ambiguity import is_other_object
from iterprime_ros.pipeline import Frame, IteRPrimE

_LEAST = 1e-9  # a chance below it never counts, as in answering.by_parts


@dataclass(frozen=True)
class JudgedCandidates:
    """The candidates of a question with their chances.

    outcomes: with none, the first, the first two ... of the candidates as the answer; up to the
        first, unless several objects are meant.
    chances: (K,) of the candidates, highest first.
    rival: the highest chance of another object than the first candidate; 0 without any.
    """

    outcomes: tuple[Outcome, ...]
    chances: tuple[float, ...]
    rival: float


@dataclass(frozen=True)
class JudgedQuestion:
    """A question whose answer any thresholds decide.

    stages: the candidates that are looked at one after the other, until some fit: the objects of
        the frame, then those with the masks at peaks of the heatmap.
    is_plural: whether the command was understood as one for all objects that fit; a number that it
        says is not looked at.
    is_superlative: whether it was understood as one for the object that has a place in an order.
    """

    stages: tuple[JudgedCandidates, ...]
    is_plural: bool = False
    is_superlative: bool = False


def judge(model: IteRPrimE, samples: Iterable[tuple[Sample, Frame]]) -> list[JudgedQuestion]:
    """Answer questions part by part, each by all candidates that there are."""
    # No object fits well enough for the second, which therefore looks at the masks at peaks, too.
    asking = [
        with_settings(
            model, answer={'by': 'parts', 'match_threshold': threshold, 'ambiguity_margin': 0.0}
        )
        for threshold in (0.0, 1.0)
    ]
    return [
        _judged(sample.image_id, answered[0].question, [each.answer for each in answered])
        for sample, frame in samples
        for answered in zip(*(answer_sample(each, sample, frame) for each in asking), strict=True)
    ]


def decided(judged: JudgedQuestion, match_threshold: float, ambiguity_margin: float) -> Outcome:
    """Return the outcome with these settings of the answer, as the pipeline decides."""
    for stage in judged.stages:
        outcome = _decided(stage, judged, match_threshold, ambiguity_margin)
        if not outcome.is_rejected:
            break
    return outcome


def _decided(
    judged: JudgedCandidates, asked: JudgedQuestion, match_threshold: float, ambiguity_margin: float
) -> Outcome:
    least = max(match_threshold, _LEAST)
    fitting = sum(chance >= least for chance in judged.chances)
    is_near = (
        ambiguity_margin > 0
        and judged.rival >= _LEAST
        and judged.rival >= judged.chances[0] * (1 - ambiguity_margin)
    )
    if not fitting:
        is_undecided = asked.is_superlative and sum(judged.chances) >= least
        if is_undecided and is_near:
            return replace(judged.outcomes[1], status=Status.AMBIGUOUS.value)
        return judged.outcomes[0]
    if asked.is_plural:
        return replace(judged.outcomes[fitting], status=Status.FOUND_SEVERAL.value)
    has_rival = is_near and judged.rival >= least
    status = Status.AMBIGUOUS if has_rival else Status.FOUND
    return replace(judged.outcomes[1], status=status.value)


def _judged(image_id: str, question: Question, answers: Sequence[Segmentation]) -> JudgedQuestion:
    command = answers[0].command
    is_plural = command is not None and command.phrase.is_plural
    stages = tuple(_candidates(image_id, question, answer, is_plural) for answer in answers)
    is_superlative = command is not None and bool(command.phrase.superlatives) and not is_plural
    return JudgedQuestion(stages, is_plural, is_superlative)


def _candidates(
    image_id: str, question: Question, answer: Segmentation, is_plural: bool
) -> JudgedCandidates:
    candidates = sorted(answer.candidates, key=lambda each: -each.chance)
    most = len(candidates) if is_plural else min(len(candidates), 1)
    outcomes = tuple(
        _outcome(image_id, question, answer, candidates[:count]) for count in range(most + 1)
    )
    chances = tuple(each.chance for each in candidates)
    return JudgedCandidates(outcomes, chances, _rival(candidates))


def _outcome(
    image_id: str, question: Question, answer: Segmentation, meant: Sequence[Candidate]
) -> Outcome:
    unusable = Status.INVALID if answer.status is Status.INVALID else Status.NOT_FOUND
    status = Status.FOUND if meant else unusable
    found = [each.mask for each in meant]
    mask = union(found, answer.mask.shape)
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
