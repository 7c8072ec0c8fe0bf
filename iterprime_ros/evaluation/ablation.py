"""What each part of the algorithm is worth: the same questions with parts left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.evaluation.datasets.tabletop import QuestionedScene
from iterprime_ros.evaluation.metrics import STRATA, Outcome, bootstrapped, miou, precision
from iterprime_ros.evaluation.runner import Answered, answer_scene, outcome_of, with_best_possible
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.pipeline import Frame, IteRPrimE, Segmentation, Status

_NO_EMPHASIS = {'local_emphasis': False, 'global_emphasis': False}
_EMPHASIS = {'local_emphasis': True, 'global_emphasis': True}


@dataclass(frozen=True)
class Variant:
    """A pipeline under the name of what it leaves out or adds."""

    name: str
    model: IteRPrimE


def grounding_variants(model: IteRPrimE) -> list[Variant]:
    """Return Grad-CAM alone, with emphasis, with 1 to 4 rounds, and all of it."""

    def variant(name: str, **changes: object) -> Variant:
        grounding = model.profile.grounding.model_copy(update=changes)
        profile = model.profile.model_copy(update={'grounding': grounding})
        return Variant(name, model.with_profile(profile))

    return [
        variant('Grad-CAM alone', **_NO_EMPHASIS, rounds=1),
        variant('+ PWEM, local', local_emphasis=True, global_emphasis=False, rounds=1),
        variant('+ PWEM, global', local_emphasis=False, global_emphasis=True, rounds=1),
        variant('+ PWEM, both', local_emphasis=True, global_emphasis=True, rounds=1),
        *(variant(f'+ IGRS, {n} rounds', **_NO_EMPHASIS, rounds=n) for n in (2, 3, 4)),
        *(variant(f'+ PWEM, both, + IGRS, {n} rounds', **_EMPHASIS, rounds=n) for n in (2, 3, 4)),
        Variant('full, as in the profile', model),
    ]


def ablation_rows(model: IteRPrimE, scenes: Iterable[QuestionedScene]) -> Iterator[dict[str, str]]:
    """Yield a row for every variant of grounding, then of masks: mIoU and P@0.5 by stratum."""
    variants = grounding_variants(model)
    regions = RegionProposer()
    plain = IteRPrimE(model.matcher, regions, model.parser, model.profile)
    found: dict[str, list[Outcome]] = {}

    def keep(name: str, outcomes: Iterable[Outcome]) -> None:
        found.setdefault(name, []).extend(each for each in outcomes if each.is_present)

    for scene in scenes:
        frame = model.embed(scene.rgb)
        for variant in variants:
            answered = answer_scene(variant.model, scene, frame)
            keep(variant.name, (each.outcome for each in answered))
        keep(
            'masks: heatmap above 0.5',
            (
                outcome_of(scene.seed, each.question, each.answer, _thresholded(each.answer))
                for each in answered
            ),
        )
        keep('masks: regions', (each.outcome for each in _with_regions(plain, scene, frame)))
        best = with_best_possible(model, frame, answered)
        outcomes = [each.outcome for each in best if each.outcome.is_present]
        keep('masks: best possible candidate', map(_as_best, outcomes))
    for name, outcomes in found.items():
        yield {'variant': name, **_cells(outcomes)}


def _with_regions(plain: IteRPrimE, scene: QuestionedScene, frame: Frame) -> list[Answered]:
    """Return the answers with other masks; frame: of the same picture, whose memory serves here."""
    image = torch.from_numpy(scene.rgb.copy()).permute(2, 0, 1).contiguous()
    embedding = plain.proposer.embed(image)
    return answer_scene(plain, scene, replace(frame, embedding=embedding))


def _thresholded(answer: Segmentation) -> NDArray[np.bool_]:
    """Return the heatmap above 0.5 as a mask, nothing where nothing was found."""
    found = answer.status in (Status.FOUND, Status.AMBIGUOUS)
    return (answer.heatmap > 0.5) & found


def _as_best(outcome: Outcome) -> Outcome:
    """Return an outcome as if the best candidate had been chosen, at a scale of a million."""
    scale = 1_000_000
    return replace(outcome, intersection=int(outcome.best_iou * scale), union=scale)


def _cells(outcomes: list[Outcome]) -> dict[str, str]:
    estimate = bootstrapped(miou, outcomes)
    cells = {'mIoU': f'{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})'}
    for stratum in STRATA:
        some = [outcome for outcome in outcomes if outcome.stratum == stratum]
        cells[f'{stratum}: mIoU'] = f'{miou(some):.3f}'
        cells[f'{stratum}: P@0.5'] = f'{precision(some, 0.5):.3f}'
    return cells
