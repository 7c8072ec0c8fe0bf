"""The effect of each part of the algorithm: the same questions with parts left out.

No row rejects anything, so that rows whose match probabilities mean different things compare. How
well these tell what is there from what is not is a column of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from iterprime_ros.evaluation.ablation_heatmaps import (
    REFERENCE,
    Pointed,
    heatmap_row,
    pointed_heatmaps,
)
from iterprime_ros.evaluation.ablation_objects import (
    SearchedObjects,
    search_row,
    searched_objects,
)
from iterprime_ros.evaluation.ablation_parts import parts_frame, parts_outcomes
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError, Sample
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.evaluation.metrics import (
    MEAN_IOU,
    P_05,
    Asked,
    Outcome,
    bootstrap,
    bootstrap_mean,
)
from iterprime_ros.evaluation.oracle import reduced_sample
from iterprime_ros.evaluation.report import by_group
from iterprime_ros.evaluation.runner import (
    AnsweredQuestion,
    answer_sample,
    asked_of,
    embed_sample,
    outcome_of,
)
from iterprime_ros.evaluation.variants import GRAD_CAM, PWEM, with_settings
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.pipeline import Frame, IteRPrimE

Row = dict[str, str]
_ALONE = 'Grad-CAM alone'
_GRAD_CAM = f'one heatmap: {_ALONE}'
_CONFIGURED = 'one heatmap: as configured in the profile'


@dataclass(frozen=True)
class Variant:
    """A model named for what it adds or leaves out.

    name: of its row in the table.
    model: shares the weights of the model that is taken apart.
    """

    name: str
    model: IteRPrimE


def grounding_variants(model: IteRPrimE) -> list[Variant]:
    """Return Grad-CAM alone, with PWEM, with 2 to 4 rounds of IGRS, with both, and the model.

    All of them answer by one heatmap and reject nothing.
    """
    answer = {'by': 'heatmap', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    configured = with_settings(model, answer=answer)
    base = with_settings(configured, GRAD_CAM)

    def variant(name: str, **grounding: object) -> Variant:
        return Variant(f'one heatmap: {name}', with_settings(base, grounding))

    return [
        variant('Grad-CAM alone, last block', block=model.matcher.fusion_blocks.stop - 1),
        variant(_ALONE),
        variant('+ PWEM, local', local_emphasis=True),
        variant('+ PWEM, global', global_emphasis=True),
        variant('+ PWEM, both', **PWEM),
        *(variant(f'+ IGRS, {n} rounds', rounds=n) for n in (2, 3, 4)),
        *(variant(f'+ PWEM, both, + IGRS, {n} rounds', **PWEM, rounds=n) for n in (2, 3, 4)),
        Variant(_CONFIGURED, configured),
    ]


def ablation_tables(
    model: IteRPrimE, samples: Iterable[Sample], image_only: bool = False
) -> tuple[list[Row], list[Row], list[Row]]:
    """Return a row for every variant of the answer, of the objects, and of the heatmap.

    Over the questions for one object, with P@0.5 by group, and those for what is not there.

    Raises InvalidDatasetError without a question for one object.
    """
    outcomes: dict[str, list[Outcome]] = {}
    searched: dict[str, list[SearchedObjects]] = {}
    pointed: dict[str, list[Pointed]] = {}
    for every_question in samples:
        sample = _comparable(every_question)
        frame = embed_sample(model, sample, image_only)
        for name, some in _heatmap_outcomes(model, sample, frame):
            outcomes.setdefault(name, []).extend(some)
        parts = parts_frame(model, reduced_sample(sample, frame.size), frame)
        for name, some in parts_outcomes(parts, objects_in(model, frame)):
            outcomes.setdefault(name, []).extend(some)
        for name, objects in searched_objects(model, sample, frame):
            searched.setdefault(name, []).extend(objects)
        for name, heatmaps in pointed_heatmaps(parts):
            pointed.setdefault(name, []).extend(heatmaps)
    if not any(each.has_target for each in outcomes.get(_CONFIGURED, ())):
        raise InvalidDatasetError(
            'An ablation needs a data set that has questions with a target, of one object each.'
        )
    return (
        [{'variant': name, **_cells(some, outcomes[_GRAD_CAM])} for name, some in outcomes.items()],
        [search_row(name, objects) for name, objects in searched.items()],
        [heatmap_row(name, heatmaps, pointed[REFERENCE]) for name, heatmaps in pointed.items()],
    )


def _heatmap_outcomes(
    model: IteRPrimE, sample: Sample, frame: Frame
) -> Iterator[tuple[str, list[Outcome]]]:
    """Yield the name and the outcomes of every row that reads one heatmap."""
    variants = grounding_variants(model)
    answered = {each.name: answer_sample(each.model, sample, frame) for each in variants}
    for name, some in answered.items():
        yield name, [each.outcome for each in some]
    configured = answered[_CONFIGURED]
    masked = [_with_heatmap_mask(sample, each) for each in configured]
    yield 'one heatmap, mask: where it is above 0.5', masked
    with_regions = variants[-1].model.with_proposer(RegionProposer())
    region_frame = replace(frame, mask_embedding=with_regions.embed_masks(sample.image), objects={})
    regions = answer_sample(with_regions, sample, region_frame)
    yield 'one heatmap, masks: regions', [each.outcome for each in regions]


def rejection_auc(outcomes: Sequence[Outcome]) -> float:
    """Return how often what is there has the higher match probability than what is not.

    The area under the ROC curve: over all pairs of a question with a target and one without, a tie
    counting half; NaN without such a pair.
    """
    there, not_there = (
        np.nan_to_num([each.match_probability for each in outcomes if each.asked in asked])
        for asked in ((Asked.ONE, Asked.SEVERAL), (Asked.NOTHING,))
    )
    difference = there[:, None] - not_there
    return float(((difference > 0) + 0.5 * (difference == 0)).mean()) if difference.size else np.nan


def _comparable(sample: Sample) -> Sample:
    """Return a sample with the questions that an answer without a threshold can be right about."""
    asked = (Asked.ONE, Asked.NOTHING)
    return replace(sample, questions=tuple(q for q in sample.questions if asked_of(q) in asked))


def _with_heatmap_mask(sample: Sample, answered: AnsweredQuestion) -> Outcome:
    """Return the outcome of the heatmap above 0.5 as a mask; empty where nothing was found."""
    answer = answered.answer
    masked = replace(answer, mask=(answer.heatmap > 0.5) & answer.status.has_mask)
    return outcome_of(sample.image_id, answered.question, masked)


def _cells(outcomes: list[Outcome], reference: list[Outcome]) -> dict[str, str]:
    there = [outcome for outcome in outcomes if outcome.has_target]
    base = {(each.image_id, each.command): each for each in reference if each.has_target}
    gains = [
        P_05.numerator(each) - P_05.numerator(base[each.image_id, each.command]) for each in there
    ]
    cells = {
        'mIoU': str(bootstrap(MEAN_IOU, there)),
        'P@0.5': str(bootstrap(P_05, there)),
        'gain over Grad-CAM': str(bootstrap_mean(gains, [each.image_id for each in there])),
    }
    for group, some in by_group(there).items():
        cells[f'{group}: P@0.5'] = str(bootstrap(P_05, some))
    auc = rejection_auc(outcomes)
    cells['AUC of rejection'] = '' if isnan(auc) else f'{auc:.3f}'
    return cells
