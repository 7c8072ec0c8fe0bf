"""The metrics of referring image segmentation, with bootstrap intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from iterprime_ros.evaluation.outcome import Asked, Outcome

CONFIDENCE_LEVEL = 95  # percent
_RESAMPLES = 1000
_SAME = 0.5  # an IoU above it: a mask is of an object


@dataclass(frozen=True)
class Estimate:
    """A metric with its bootstrap interval.

    value: over all outcomes.
    low: lower bound of the interval.
    high: upper bound of the interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.value:.3f} ({self.low:.3f} to {self.high:.3f})'


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
    asked: tuple[Asked, ...] = (Asked.ONE, Asked.SEVERAL)
    denominator: Callable[[Outcome], float] = _one

    def __call__(self, outcomes: Sequence[Outcome]) -> float:
        """Return the value over those of the outcomes that it is for; NaN without any."""
        some = [outcome for outcome in outcomes if outcome.asked in self.asked]
        below = sum(map(self.denominator, some))
        return sum(map(self.numerator, some)) / below if below else float('nan')


def _is_above(outcome: Outcome, threshold: float) -> float:
    return float(outcome.iou > threshold)


def _precision(threshold: float) -> Metric:
    return Metric(
        partial(_is_above, threshold=threshold),
        f'fraction of targets with IoU above {threshold}',
    )


P_05 = _precision(0.5)
MEAN_IOU = Metric(lambda outcome: outcome.iou, 'mean IoU over targets')
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
    'oIoU': Metric(
        lambda outcome: outcome.intersection,
        'sum of intersections over sum of unions',
        denominator=lambda outcome: outcome.union,
    ),
    'P@0.7': _precision(0.7),
    'P@0.9': _precision(0.9),
    'false rejections': FALSE_REJECTIONS,
    'correct rejections': CORRECT_REJECTIONS,
    'false AMBIGUOUS': FALSE_AMBIGUOUS,
    'correct AMBIGUOUS': CORRECT_AMBIGUOUS,
    'all instances': ALL_INSTANCES,
    'oracle mIoU': ORACLE_MEAN_IOU,
}


def estimates(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Return every metric that these outcomes allow, by its name in METRICS."""
    return {
        name: bootstrap(metric, outcomes)
        for name, metric in METRICS.items()
        if not isnan(metric(outcomes))
    }


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

    Questions about one image are not independent, so images are drawn rather than questions: those
    with a question that the metric is for, of which there must be one.
    """
    by_image: dict[str, list[float]] = {}
    for outcome in outcomes:
        if outcome.asked in metric.asked:
            sums = by_image.setdefault(outcome.image_id, [0.0, 0.0])
            sums[0] += metric.numerator(outcome)
            sums[1] += metric.denominator(outcome)
    return _resampled(metric(outcomes), by_image)


def bootstrap_mean(values: Sequence[float], image_ids: Sequence[str]) -> Estimate:
    """Return the mean of values, at least one, with its interval, resampled by image."""
    by_image: dict[str, list[float]] = {}
    for value, image_id in zip(values, image_ids, strict=True):
        sums = by_image.setdefault(image_id, [0.0, 0.0])
        sums[0] += value
        sums[1] += 1
    return _resampled(float(np.mean(values)), by_image)


def _resampled(value: float, by_image: Mapping[str, Sequence[float]]) -> Estimate:
    """Return a ratio of two sums with its interval; by_image: the two of each image."""
    images = np.array(list(by_image.values()))
    rng = np.random.default_rng(0)
    drawn = images[rng.integers(len(images), size=(_RESAMPLES, len(images)))].sum(axis=1)
    tail = (100 - CONFIDENCE_LEVEL) / 2
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [tail, 100 - tail])
    return Estimate(value, float(low), float(high))


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
