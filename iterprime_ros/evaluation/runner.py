"""Answers the questions of a data set and compares the answers with the ground truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Outcome, overlap
from iterprime_ros.evaluation.segmenter import Segmenter

_REJECTIONS = (Status.NOT_FOUND, Status.INVALID)


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


def answer_sample(segmenter: Segmenter, sample: Sample, frame: Any) -> list[AnsweredQuestion]:
    """Answer the questions about an image together.

    frame: what segmenter.embed returned for the image.
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
    intersection, union = overlap(answer.mask, question.target_mask)
    return Outcome(
        image_id=image_id,
        group=question.group,
        command=question.command,
        status=answer.status.value,
        match_probability=answer.match_probability,
        intersection=intersection,
        union=union,
        has_target=question.target_mask is not None,
        is_rejected=answer.status in _REJECTIONS,
        tags=question.tags,
    )
