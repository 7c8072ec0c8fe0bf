"""How the objects of a command are found: all of the frame, or by hiding what was found (IGRS)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from iterprime_ros.evaluation.datasets.dataset import Sample
from iterprime_ros.evaluation.metrics import P_05, RECALL_05, Asked, Outcome, bootstrap
from iterprime_ros.evaluation.oracle import with_oracle_iou
from iterprime_ros.evaluation.runner import answer_sample, asked_of
from iterprime_ros.evaluation.variants import GRAD_CAM, PWEM, with_settings
from iterprime_ros.pipeline import Frame, IteRPrimE


@dataclass(frozen=True)
class SearchedObjects:
    """The objects of one command on a new frame.

    outcome: of the answer among them, with its oracle IoU.
    count: number of masks.
    milliseconds: that finding them took.
    phrase_count: number of noun phrases in the command.
    """

    outcome: Outcome
    count: int
    milliseconds: float
    phrase_count: int


def search_variants(model: IteRPrimE) -> dict[str, IteRPrimE]:
    """Return the model with each way of finding objects; each answers by parts, rejecting nothing.

    The first finds all objects of the frame at once.
    """
    answer = {'by': 'parts', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    described = {'search': 'described'}
    return {
        'all of the frame': with_settings(model, answer=answer, objects={'search': 'all'}),
        'described (IGRS), Grad-CAM': with_settings(model, GRAD_CAM, answer, objects=described),
        'described (IGRS), PWEM': with_settings(model, PWEM, answer, objects=described),
    }


def searched_objects(
    model: IteRPrimE, sample: Sample, frame: Frame
) -> Iterator[tuple[str, list[SearchedObjects]]]:
    """Yield the name of every way of finding objects, and what it found for each question.

    Only questions for one object that is there count; each is asked about the frame as if it were
    new.
    """
    asked = [question for question in sample.questions if asked_of(question) is Asked.ONE]
    for name, variant in search_variants(model).items():
        found = []
        for question in asked:
            new = replace(frame, objects={})
            one = answer_sample(variant, replace(sample, questions=(question,)), new)
            (answered,) = with_oracle_iou(variant, new, one)
            answer = answered.answer
            command = answer.command
            if command is None:
                continue
            found.append(
                SearchedObjects(
                    answered.outcome,
                    len(answer.candidates),
                    answer.milliseconds['find objects'],
                    len(list(command.phrase.noun_phrases())),
                )
            )
        yield name, found


def search_row(name: str, found: Sequence[SearchedObjects]) -> dict[str, str]:
    """Return the row of one way of finding objects, over at least one question."""
    outcomes = [each.outcome for each in found]
    return {
        'objects': name,
        'recall@0.5': str(bootstrap(RECALL_05, outcomes)),
        'P@0.5': str(bootstrap(P_05, outcomes)),
        'masks, mean': f'{np.mean([each.count for each in found]):.1f}',
        'ms on a new frame, one noun phrase': _median_time(found, True),
        'ms, several': _median_time(found, False),
    }


def _median_time(found: Sequence[SearchedObjects], is_one: bool) -> str:
    """Return the median time of commands with one noun phrase, or of those with several."""
    times = [each.milliseconds for each in found if (each.phrase_count == 1) is is_one]
    return f'{np.median(times):.0f}' if times else ''
