"""The outcomes of an evaluation, image by image, and their log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterprime_ros.evaluation.outcome import Outcome, outcome_as_json, outcome_from_json
from iterprime_ros.evaluation.run_log import LogFormat, read_run_log

PROFILE = 'profile'  # whose answers these are, where they are no baseline's


@dataclass(frozen=True)
class RecordedAnswer:
    """An answer as the log keeps it.

    expression: the referring expression of the question.
    outcome: the answer compared with the ground truth.
    mask: of the answer, in COCO's run-length encoding.
    """

    expression: str
    outcome: Outcome
    mask: Mapping[str, Any]


@dataclass(frozen=True)
class AnsweredImage:
    """The answers to all questions about an image.

    has_depth: whether depth was given.
    answers: to each question in order, by the name of the baseline, or PROFILE.
    """

    has_depth: bool
    answers: Mapping[str, tuple[RecordedAnswer, ...]]


@dataclass(frozen=True)
class RecordedEvaluation:
    """What a log holds.

    header: what is evaluated, value by name: 'images' is their number in the data set, 'shard' is
        [k, n], 'baselines' are names.
    images: by their position in the data set, in the order of the log.
    """

    header: Mapping[str, Any]
    images: Mapping[int, AnsweredImage]

    def outcomes(self, name: str = PROFILE) -> list[Outcome]:
        """Return the outcomes of every question, of a baseline or of PROFILE."""
        return [each.outcome for image in self.images.values() for each in image.answers[name]]


def shard_indices(count: int, shard: Sequence[int]) -> range:
    """Return the images of a shard [k, n]: each n-th of a number of images, from the k-th on."""
    number, total = shard
    return range(number - 1, count, total)


def read_log(folder: Path) -> RecordedEvaluation:
    """Return what the log in a folder holds. Raises InvalidLogError."""
    return RecordedEvaluation(*read_run_log(folder, OUTCOMES))


def _as_json(image: AnsweredImage) -> dict[str, Any]:
    answers = {
        name: [
            {
                'expression': each.expression,
                'outcome': outcome_as_json(each.outcome),
                'mask': each.mask,
            }
            for each in some
        ]
        for name, some in image.answers.items()
    }
    return {'has_depth': image.has_depth, 'answers': answers}


def _from_json(content: Mapping[str, Any]) -> AnsweredImage:
    answers = {
        name: tuple(
            RecordedAnswer(
                each['expression'], outcome_from_json(each['outcome']), dict(each['mask'])
            )
            for each in some
        )
        for name, some in content['answers'].items()
    }
    return AnsweredImage(bool(content['has_depth']), answers)


OUTCOMES = LogFormat(
    'outcomes.jsonl',
    'images',
    lambda header: shard_indices(header['images'], header['shard']),
    _as_json,
    _from_json,
)
