"""The metrics of referring image segmentation, with bootstrap intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isnan

import numpy as np
from numpy.typing import NDArray

CONFIDENCE_LEVEL = 95  # percent
_RESAMPLES = 1000


@dataclass(frozen=True)
class Outcome:
    """An answer compared with the ground truth.

    image_id: of the image that the question is about.
    group: group of the question.
    command: the command as given.
    status: value of the answer's Status.
    match_probability: of image and expression, in [0, 1].
    intersection: pixels that the answer's mask and the target mask share; 0 without a target.
    union: pixels of the two masks together; 0 without a target.
    has_target: whether the image shows what the expression refers to.
    is_rejected: whether the answer says that nothing was found.
    tags: other properties of the question, value by name.
    oracle_iou: IoU of the proposed mask that overlaps most with the target mask, whichever was
        chosen, in [0, 1]; NaN where it was not computed.
    """

    image_id: str
    group: str
    command: str
    status: str
    match_probability: float
    intersection: int
    union: int
    has_target: bool
    is_rejected: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    oracle_iou: float = float('nan')

    @property
    def iou(self) -> float:
        """Intersection over union, in [0, 1]; 0 where the union is empty."""
        return self.intersection / self.union if self.union else 0.0


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


MetricFunction = Callable[[Sequence[Outcome]], float]


@dataclass(frozen=True)
class Metric:
    """A metric and the questions that it is computed over.

    function: from outcomes to a number.
    description: half a sentence for the legend of a table.
    with_target: whether it is over the questions with a target; over those without one otherwise.
    """

    function: MetricFunction
    description: str
    with_target: bool = True


def oiou(outcomes: Sequence[Outcome]) -> float:
    """Return the overall IoU: the sum of intersections over the sum of unions."""
    union = sum(outcome.union for outcome in outcomes)
    return sum(outcome.intersection for outcome in outcomes) / union if union else float('nan')


def miou(outcomes: Sequence[Outcome]) -> float:
    """Return the mean IoU."""
    return _mean([outcome.iou for outcome in outcomes])


def precision(outcomes: Sequence[Outcome], threshold: float) -> float:
    """Return P@threshold: the fraction with an IoU above the threshold."""
    return _mean([outcome.iou > threshold for outcome in outcomes])


def rejection_rate(outcomes: Sequence[Outcome]) -> float:
    """Return the fraction that was rejected."""
    return _mean([outcome.is_rejected for outcome in outcomes])


def oracle_miou(outcomes: Sequence[Outcome]) -> float:
    """Return the mean oracle IoU; NaN where it is missing for some outcome."""
    return _mean([outcome.oracle_iou for outcome in outcomes])


# In the order of a table's columns.
METRICS: Mapping[str, Metric] = {
    'P@0.5': Metric(partial(precision, threshold=0.5), 'fraction of targets with IoU above 0.5'),
    'mIoU': Metric(miou, 'mean IoU over targets'),
    'oIoU': Metric(oiou, 'sum of intersections over sum of unions'),
    'P@0.7': Metric(partial(precision, threshold=0.7), 'fraction of targets with IoU above 0.7'),
    'P@0.9': Metric(partial(precision, threshold=0.9), 'fraction of targets with IoU above 0.9'),
    'false rejections': Metric(
        rejection_rate, 'fraction of questions with a target that were rejected'
    ),
    'correct rejections': Metric(
        rejection_rate, 'fraction of questions without a target that were rejected', False
    ),
    'oracle mIoU': Metric(
        oracle_miou, 'mean IoU of the best mask that is proposed at the centre of a target'
    ),
}


def estimates(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Return every metric that these outcomes allow, by its name in METRICS."""
    by_target = {
        with_target: [outcome for outcome in outcomes if outcome.has_target == with_target]
        for with_target in (True, False)
    }
    return {
        name: bootstrap(metric.function, by_target[metric.with_target])
        for name, metric in METRICS.items()
        if not isnan(metric.function(by_target[metric.with_target]))
    }


def bootstrap(function: MetricFunction, outcomes: Sequence[Outcome]) -> Estimate:
    """Return a metric with its percentile bootstrap interval, resampled by image.

    Questions about one image are not independent, so images are drawn rather than questions.
    """
    rng = np.random.default_rng(0)
    by_image: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_image.setdefault(outcome.image_id, []).append(outcome)
    images = list(by_image.values())
    values = [
        function([outcome for k in drawn for outcome in images[k]])
        for drawn in rng.integers(len(images), size=(_RESAMPLES, len(images)))
    ]
    tail = (100 - CONFIDENCE_LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return Estimate(function(outcomes), float(low), float(high))


def overlap(mask: NDArray[np.bool_], target: NDArray[np.bool_] | None) -> tuple[int, int]:
    """Return the pixels of the intersection and of the union; (0, 0) without a target."""
    if target is None:
        return 0, 0
    return int((mask & target).sum()), int((mask | target).sum())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float('nan')
