"""The metrics of referring image segmentation, with bootstrap intervals.

Who defines what, as their code says:

- oIoU, mIoU: VoyageWang/IteRPrimE evaluator.py, yz93/LAVT-RIS test.py, toggle1995/RIS-DMMI test.py
  (also for Ref-ZOM); ChenyunWu/PhraseCutDataset utils/evaluator.py calls them cumulative and mean
  IoU. IteRPrimE adds 1e-6 to both areas of an IoU, which changes it by less than 1e-6.
- P@X counts an IoU > X in IteRPrimE and PhraseCut, an IoU >= X in LAVT, DMMI and ReLA.
- gIoU, cIoU, N-acc, T-acc: henghuiding/ReLA gres_model/evaluation/refer_evaluation.py.
- empty-mask accuracy: RIS-DMMI test.py, for the expressions of Ref-ZOM without a target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from iterprime_ros.evaluation.bootstrap import Estimate, ratio_estimates
from iterprime_ros.evaluation.outcome import Asked, Outcome

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of P@X
_SAME = 0.5  # an IoU above it: a mask is of an object
_TARGETS = (Asked.ONE, Asked.SEVERAL)


def _one(_: Outcome) -> float:
    return 1.0


@dataclass(frozen=True)
class Metric:
    """A sum over questions divided by another sum: the mean of `numerator` unless said otherwise.

    numerator: what is summed above.
    description: half a sentence for the legend of a table.
    asked: the questions that it is over.
    denominator: what is summed below.
    """

    numerator: Callable[[Outcome], float]
    description: str
    asked: tuple[Asked, ...] = _TARGETS
    denominator: Callable[[Outcome], float] = _one

    def __call__(self, outcomes: Sequence[Outcome]) -> float:
        """Return the value over those of the outcomes that it is for; NaN without any."""
        some = [outcome for outcome in outcomes if outcome.asked in self.asked]
        below = sum(map(self.denominator, some))
        return sum(map(self.numerator, some)) / below if below else float('nan')


def _is_above(outcome: Outcome, threshold: float) -> float:
    return float(outcome.iou > threshold)


def _reaches(outcome: Outcome, threshold: float) -> float:
    return float(outcome.iou >= threshold)


P_05 = Metric(partial(_is_above, threshold=0.5), 'fraction of targets with IoU above 0.5')
MEAN_IOU = Metric(lambda outcome: outcome.iou, 'mean IoU over targets')
OVERALL_IOU = Metric(
    lambda outcome: outcome.intersection,
    'sum of intersections over sum of unions, over targets',
    denominator=lambda outcome: outcome.union,
)
FALSE_REJECTIONS = Metric(
    lambda outcome: outcome.is_rejected, 'fraction of questions with a target that were rejected'
)
CORRECT_REJECTIONS = Metric(
    lambda outcome: outcome.is_rejected,
    'fraction of questions about what is not there that were rejected',
    (Asked.NOTHING,),
)
FALSE_AMBIGUOUS = Metric(
    lambda outcome: outcome.is_ambiguous,
    'fraction of questions that only one object fits that were answered with AMBIGUOUS',
    (Asked.ONE,),
)
CORRECT_AMBIGUOUS = Metric(
    lambda outcome: outcome.is_ambiguous,
    'fraction of questions for one object that several fit that were answered with AMBIGUOUS',
    (Asked.UNCLEAR,),
)
ALL_INSTANCES = Metric(
    lambda outcome: outcome.is_complete,
    'fraction of questions for several objects whose answer has each of them, with IoU above 0.5, '
    'and nothing else',
    (Asked.SEVERAL,),
)
ORACLE_MEAN_IOU = Metric(
    lambda outcome: outcome.oracle_iou,
    'mean IoU of the best candidate for one object: of all objects found in the image, or of the '
    'masks proposed at the centre of the target where answers are read off one heatmap',
    (Asked.ONE,),
)
RECALL_05 = Metric(
    lambda outcome: outcome.oracle_iou > _SAME,
    'fraction of targets of which a candidate has an IoU above 0.5, whichever was chosen',
    (Asked.ONE,),
)

# In the order of a table's columns.
METRICS: Mapping[str, Metric] = {
    'P@0.5': P_05,
    'mIoU': MEAN_IOU,
    'oIoU': OVERALL_IOU,
    'false rejections': FALSE_REJECTIONS,
    'correct rejections': CORRECT_REJECTIONS,
    'false AMBIGUOUS': FALSE_AMBIGUOUS,
    'correct AMBIGUOUS': CORRECT_AMBIGUOUS,
    'all instances': ALL_INSTANCES,
    'oracle mIoU': ORACLE_MEAN_IOU,
}


# A column for each threshold and each of the two comparisons; see the head of this file.
PRECISIONS: Mapping[str, Metric] = {
    f'P@{threshold} ({sign})': Metric(
        partial(compares, threshold=threshold), f'fraction of targets with IoU {sign} {threshold}'
    )
    for sign, compares in (('>', _is_above), ('>=', _reaches))
    for threshold in THRESHOLDS
}


def _generalised_iou(outcome: Outcome) -> float:
    if outcome.has_target:
        return 0.0 if outcome.is_rejected else outcome.iou
    return float(outcome.is_rejected)


def _generalised_intersection(outcome: Outcome) -> float:
    return 0.0 if outcome.is_rejected else outcome.intersection


def _generalised_union(outcome: Outcome) -> float:
    if outcome.has_target:
        return outcome.union
    return 0.0 if outcome.is_rejected else outcome.mask_area


# Of questions with a target and questions about what is not there together.
GENERALISED: Mapping[str, Metric] = {
    'gIoU': Metric(
        _generalised_iou,
        'mean IoU over all questions: without a target 1 if rejected, else 0; of a target that was '
        'rejected 0',
        (*_TARGETS, Asked.NOTHING),
    ),
    'cIoU': Metric(
        _generalised_intersection,
        'sum of intersections over sum of unions of all questions; without a target the union is '
        'the mask of the answer, unless rejected',
        (*_TARGETS, Asked.NOTHING),
        _generalised_union,
    ),
    'N-acc': Metric(
        lambda outcome: outcome.is_rejected,
        'fraction of questions without a target that were rejected',
        (Asked.NOTHING,),
    ),
    'T-acc': Metric(
        lambda outcome: not outcome.is_rejected,
        'fraction of questions with a target that were not rejected',
    ),
    'empty masks': Metric(
        lambda outcome: outcome.mask_area == 0,
        'fraction of questions without a target whose answer has no pixel (the accuracy of '
        'Ref-ZOM)',
        (Asked.NOTHING,),
    ),
}


def estimates(
    outcomes: Sequence[Outcome], metrics: Mapping[str, Metric] = METRICS
) -> dict[str, Estimate]:
    """Return every metric that these outcomes allow, by its name, in the order of `metrics`."""
    found: dict[str, Estimate] = {}
    for asked in dict.fromkeys(metric.asked for metric in metrics.values()):
        same = {name: metric for name, metric in metrics.items() if metric.asked == asked}
        some = [outcome for outcome in outcomes if outcome.asked in asked]
        if some:
            found |= zip(same, _estimates(list(same.values()), some), strict=True)
    return {name: found[name] for name in metrics if name in found and not isnan(found[name].value)}


def _estimates(metrics: Sequence[Metric], outcomes: Sequence[Outcome]) -> list[Estimate]:
    """Return metrics over outcomes, at least one, that are of questions all of them are over."""

    def column(function: Callable[[Outcome], float]) -> NDArray[np.float64]:
        return np.fromiter(map(function, outcomes), np.float64, len(outcomes))

    return ratio_estimates(
        np.stack([column(metric.numerator) for metric in metrics], axis=1),
        np.stack([column(metric.denominator) for metric in metrics], axis=1),
        [outcome.image_id for outcome in outcomes],
    )


def quality(outcomes: Sequence[Outcome]) -> float:
    """Return one number in [0, 1] by which models and settings are compared.

    The mean of P@0.5, mIoU, correct rejections, 1 - false rejections, correct AMBIGUOUS, 1 - false
    AMBIGUOUS and all instances, of those that these outcomes allow.
    """
    merits = [
        *(metric(outcomes) for metric in (P_05, MEAN_IOU, CORRECT_REJECTIONS)),
        *(1 - metric(outcomes) for metric in (FALSE_REJECTIONS, FALSE_AMBIGUOUS)),
        *(metric(outcomes) for metric in (CORRECT_AMBIGUOUS, ALL_INSTANCES)),
    ]
    return float(np.nanmean(merits))


def bootstrap(metric: Metric, outcomes: Sequence[Outcome]) -> Estimate:
    """Return a metric with its percentile bootstrap interval, resampled by image.

    There must be an outcome of a question that the metric is over.
    """
    return _estimates([metric], [each for each in outcomes if each.asked in metric.asked])[0]


def bootstrap_mean(values: Sequence[float], image_ids: Sequence[str]) -> Estimate:
    """Return the mean of values, at least one, with its interval, resampled by image."""
    column = np.asarray(values, np.float64)[:, None]
    return ratio_estimates(column, np.ones_like(column), image_ids)[0]


def overlap(mask: NDArray[np.bool_], target: NDArray[np.bool_] | None) -> tuple[int, int]:
    """Return the pixels of the intersection and of the union; (0, 0) without a target."""
    if target is None:
        return 0, 0
    return int((mask & target).sum()), int((mask | target).sum())


def is_complete(masks: Sequence[NDArray[np.bool_]], targets: Sequence[NDArray[np.bool_]]) -> bool:
    """Return whether masks are those of the targets: each of one target, with IoU above 0.5.

    masks, targets: (H, W) bool each. Without targets the answer is False.
    """
    if not targets or len(masks) != len(targets):
        return False
    pairs = [[overlap(mask, target) for target in targets] for mask in masks]
    fits = np.array([[shared > _SAME * union for shared, union in row] for row in pairs])
    return bool(fits[optimize.linear_sum_assignment(fits, maximize=True)].all())
