"""Asks a pipeline every question of a data set, and keeps what came of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.evaluation.datasets.tabletop import Question, QuestionedScene
from iterprime_ros.evaluation.metrics import Outcome, overlap
from iterprime_ros.pipeline import Frame, IteRPrimE, Segmentation, Status

_REFUSALS = (Status.NOT_FOUND, Status.INVALID)
Masked = Callable[[Segmentation], NDArray[np.bool_]]


@dataclass(frozen=True)
class Answered:
    """A question about a picture (H, W, 3) uint8, its answer, and what came of it."""

    rgb: NDArray[np.uint8]
    question: Question
    answer: Segmentation
    outcome: Outcome


def answer_scene(model: IteRPrimE, scene: QuestionedScene, frame: Frame) -> list[Answered]:
    """Ask all questions about a scene; frame: what model.embed made of its picture."""
    answers = model.segment_many(frame, [question.command for question in scene.questions])
    return [
        Answered(scene.rgb, question, answer, outcome_of(scene.seed, question, answer, answer.mask))
        for question, answer in zip(scene.questions, answers, strict=True)
    ]


def outcome_of(
    seed: int, question: Question, answer: Segmentation, mask: NDArray[np.bool_]
) -> Outcome:
    """Return what came of a question that was answered with a mask (H, W) bool."""
    intersection, union = overlap(mask, question.truth)
    return Outcome(
        scene=seed,
        stratum=question.stratum.value,
        kind=question.kind,
        manner=question.manner,
        command=question.command,
        status=answer.status.value,
        probability=answer.match_probability,
        intersection=intersection,
        union=union,
        is_present=question.truth is not None,
        is_refused=answer.status in _REFUSALS,
    )


def with_best_possible(
    model: IteRPrimE, frame: Frame, answered: Sequence[Answered]
) -> Iterator[Answered]:
    """Yield what was answered with the best IoU that any choice among the masks could have had.

    The masks are those that the proposer offers at the middle of the true object.
    """
    for each in answered:
        truth = each.question.truth
        if truth is None:
            yield each
            continue
        y, x = np.unravel_index(
            ndimage.distance_transform_cdt(np.pad(truth, 1))[1:-1, 1:-1].argmax(), truth.shape
        )
        masks = model.proposer.propose(frame.embedding, torch.tensor([[int(x), int(y)]])).masks
        pairs = [overlap(mask.cpu().numpy(), truth) for mask in masks]
        best = max((shared / whole for shared, whole in pairs), default=0.0)
        yield replace(each, outcome=replace(each.outcome, best_iou=best))
