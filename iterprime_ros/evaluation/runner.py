"""Answers the questions of a data set and compares the answers with the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Asked, Outcome, is_complete, overlap
from iterprime_ros.evaluation.segmenter import Segmenter
from iterprime_ros.pipeline import Frame, IteRPrimE


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question with its answer.

    image: (H, W, 3) uint8 RGB, the image that the question is about.
    question: with the ground truth.
    answer: of the model or the baseline.
    outcome: the answer compared with the ground truth.
    """

    image: NDArray[np.uint8]
    question: Question
    answer: Segmentation
    outcome: Outcome


def embed_sample(model: IteRPrimE, sample: Sample, image_only: bool = False) -> Frame:
    """Return what a model keeps of an image with the depth and calibration that it has.

    image_only: whether depth and calibration are withheld.
    """
    if image_only:
        return model.embed(sample.image)
    return model.embed(sample.image, sample.depth, sample.pinhole)


def answer_sample(segmenter: Segmenter, sample: Sample, frame: Any) -> list[AnsweredQuestion]:
    """Answer the questions about an image together.

    frame: what the embed of the segmenter returned for the image.
    """
    commands = [question.command for question in sample.questions]
    answers = segmenter.segment_many(frame, commands)
    return [
        AnsweredQuestion(
            sample.image, question, answer, outcome_of(sample.image_id, question, answer)
        )
        for question, answer in zip(sample.questions, answers, strict=True)
    ]


def outcome_of(image_id: str, question: Question, answer: Segmentation) -> Outcome:
    """Return an answer compared with the ground truth of its question."""
    found = [each.mask for each in answer.instances]
    return compared(image_id, question, answer.status, answer.match_probability, answer.mask, found)


def compared(
    image_id: str,
    question: Question,
    status: Status,
    match_probability: float,
    mask: NDArray[np.bool_],
    found: Sequence[NDArray[np.bool_]],
) -> Outcome:
    """Return the parts of an answer compared with the ground truth of its question.

    mask: (H, W) bool, of all that is found.
    found: (H, W) bool each, one for each object that is found.
    """
    asked = asked_of(question)
    target = question.target_mask if asked in (Asked.ONE, Asked.SEVERAL) else None
    intersection, union = overlap(mask, target)
    return Outcome(
        image_id=image_id,
        group=question.group,
        command=question.command,
        asked=asked,
        status=status.value,
        match_probability=match_probability,
        intersection=intersection,
        union=union,
        is_complete=target is not None and is_complete(found, instances_of(question)),
        tags=question.tags,
        mask_area=int(mask.sum()),
    )


def asked_of(question: Question) -> Asked:
    """Return what a question asks for."""
    if question.target_mask is None:
        return Asked.NOTHING
    if question.is_ambiguous:
        return Asked.UNCLEAR
    return Asked.SEVERAL if len(question.target_masks) > 1 else Asked.ONE


def instances_of(question: Question) -> tuple[NDArray[np.bool_], ...]:
    """Return the mask of every object that the expression of a question fits."""
    if question.target_masks or question.target_mask is None:
        return question.target_masks
    return (question.target_mask,)
