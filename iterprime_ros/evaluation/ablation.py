"""The effect of each part of the algorithm: the same questions with parts left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.baselines.grad_cam import grad_cam
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError, Sample
from iterprime_ros.evaluation.metrics import Outcome, bootstrap, miou, precision
from iterprime_ros.evaluation.oracle import with_oracle_iou
from iterprime_ros.evaluation.report import by_group
from iterprime_ros.evaluation.runner import AnsweredQuestion, answer_sample, outcome_of
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.pipeline import Frame, IteRPrimE

_PWEM = {'local_emphasis': True, 'global_emphasis': True}
_FULL = 'full, as configured in the profile'
_ORACLE_UNION = 1_000_000  # turns an IoU into pixels


@dataclass(frozen=True)
class Variant:
    """A model named for what it adds or leaves out.

    name: of its row in the table.
    model: shares the weights of the model that is taken apart.
    """

    name: str
    model: IteRPrimE


def grounding_variants(model: IteRPrimE) -> list[Variant]:
    """Return Grad-CAM alone, with PWEM, with 2 to 4 rounds of IGRS, with both, and the model."""
    base = grad_cam(model)

    def variant(name: str, **grounding: object) -> Variant:
        return Variant(name, with_settings(base, grounding))

    return [
        Variant('Grad-CAM alone', base),
        variant('+ PWEM, local', local_emphasis=True),
        variant('+ PWEM, global', global_emphasis=True),
        variant('+ PWEM, both', **_PWEM),
        *(variant(f'+ IGRS, {n} rounds', rounds=n) for n in (2, 3, 4)),
        *(variant(f'+ PWEM, both, + IGRS, {n} rounds', **_PWEM, rounds=n) for n in (2, 3, 4)),
        Variant(_FULL, model),
    ]


def ablation_rows(model: IteRPrimE, samples: Iterable[Sample]) -> Iterator[dict[str, str]]:
    """Yield a row for every variant of grounding, then of masks: mIoU and P@0.5 by group."""
    variants = grounding_variants(model)
    with_regions = model.with_proposer(RegionProposer())
    outcomes: dict[str, list[Outcome]] = {}

    def add(name: str, some: Iterable[Outcome]) -> None:
        outcomes.setdefault(name, []).extend(each for each in some if each.has_target)

    for sample in samples:
        frame = model.embed(sample.image)
        answered = {each.name: answer_sample(each.model, sample, frame) for each in variants}
        for name, some in answered.items():
            add(name, _outcomes(some))
        full = answered[_FULL]
        add('masks: heatmap above 0.5', (_with_heatmap_mask(sample, each) for each in full))
        region_frame = _with_masks_of(with_regions, sample, frame)
        add('masks: regions', _outcomes(answer_sample(with_regions, sample, region_frame)))
        add('masks: oracle', map(_as_oracle, _outcomes(with_oracle_iou(model, frame, full))))
    if not any(outcomes.values()):
        raise InvalidDatasetError('An ablation needs a data set that has questions with a target.')
    for name, found in outcomes.items():
        yield {'variant': name, **_cells(found)}


def _outcomes(answered: Iterable[AnsweredQuestion]) -> Iterator[Outcome]:
    return (each.outcome for each in answered)


def _with_masks_of(model: IteRPrimE, sample: Sample, frame: Frame) -> Frame:
    """Return a frame with the mask embedding of another model; frame: of the same image."""
    return replace(frame, mask_embedding=model.embed_masks(sample.image))


def _with_heatmap_mask(sample: Sample, answered: AnsweredQuestion) -> Outcome:
    """Return the outcome of the heatmap above 0.5 as a mask; empty where nothing was found."""
    answer = answered.answer
    found = answer.status in (Status.FOUND, Status.AMBIGUOUS)
    masked = replace(answer, mask=(answer.heatmap > 0.5) & found)
    return outcome_of(sample.image_id, answered.question, masked)


def _as_oracle(outcome: Outcome) -> Outcome:
    """Return an outcome whose IoU is its oracle IoU."""
    if not outcome.has_target:
        return outcome
    intersection = int(outcome.oracle_iou * _ORACLE_UNION)
    return replace(outcome, intersection=intersection, union=_ORACLE_UNION)


def _cells(outcomes: list[Outcome]) -> dict[str, str]:
    cells = {'mIoU': str(bootstrap(miou, outcomes))}
    for group, some in by_group(outcomes).items():
        cells[f'{group}: mIoU'] = f'{miou(some):.3f}'
        cells[f'{group}: P@0.5'] = f'{precision(some, 0.5):.3f}'
    return cells
