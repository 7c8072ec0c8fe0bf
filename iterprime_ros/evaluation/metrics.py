"""The measures of referring image segmentation, with bootstrap intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

PRECISIONS = (0.5, 0.7, 0.9)
STRATA = ('attributes', 'place', 'relation')  # of objects that are there
_RESAMPLES = 1000
_LEVEL = 95  # percent


@dataclass(frozen=True)
class Outcome:
    """What came of one question.

    scene: its seed. intersection, union: pixels of answer and truth together; the union is 0 where
    nothing is there. is_present: whether the object is there. is_refused: whether the answer was
    that it is not. best_iou: of the best candidate that the mask model offers when it is asked at
    the middle of the object, NaN where that was not looked at.
    """

    scene: int
    stratum: str
    kind: str | None
    manner: str
    command: str
    status: str
    probability: float
    intersection: int
    union: int
    is_present: bool
    is_refused: bool
    best_iou: float = float('nan')

    @property
    def iou(self) -> float:
        """Intersection over union, 0 for an object that was not found."""
        return self.intersection / self.union if self.union else 0.0


@dataclass(frozen=True)
class Estimate:
    """A measure, and the interval that holds it in 95 of 100 resamplings of the scenes."""

    value: float
    low: float
    high: float


def oiou(outcomes: Sequence[Outcome]) -> float:
    """Return the overall IoU: all intersections over all unions; large objects count for more."""
    union = sum(outcome.union for outcome in outcomes)
    return sum(outcome.intersection for outcome in outcomes) / union if union else float('nan')


def miou(outcomes: Sequence[Outcome]) -> float:
    """Return the mean IoU."""
    return _mean([outcome.iou for outcome in outcomes])


def precision(outcomes: Sequence[Outcome], threshold: float) -> float:
    """Return P@threshold: the share of objects whose IoU is above it."""
    return _mean([outcome.iou > threshold for outcome in outcomes])


def refused(outcomes: Sequence[Outcome]) -> float:
    """Return the share that was answered with nothing."""
    return _mean([outcome.is_refused for outcome in outcomes])


def best_possible(outcomes: Sequence[Outcome]) -> float:
    """Return the mean IoU of the best candidates."""
    return _mean([outcome.best_iou for outcome in outcomes])


def estimates(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Return every measure of objects that are there, and of refusals where nothing is."""
    present = [outcome for outcome in outcomes if outcome.is_present]
    absent = [outcome for outcome in outcomes if not outcome.is_present]
    found: dict[str, Estimate] = {}
    if present:
        measures: dict[str, Callable[[Sequence[Outcome]], float]] = {'oIoU': oiou, 'mIoU': miou}
        for threshold in PRECISIONS:
            measures[f'P@{threshold}'] = partial(precision, threshold=threshold)
        measures['refused wrongly'] = refused
        if not np.isnan(best_possible(present)):
            measures['best possible mIoU'] = best_possible
        found = {name: bootstrapped(measure, present) for name, measure in measures.items()}
    if absent:
        found['refused rightly'] = bootstrapped(refused, absent)
    return found


def bootstrapped(
    measure: Callable[[Sequence[Outcome]], float], outcomes: Sequence[Outcome]
) -> Estimate:
    """Return a measure with its percentile bootstrap interval, by whole scenes.

    Questions about one scene are not independent, so that scenes are drawn and not questions.
    """
    rng = np.random.default_rng(0)
    scenes: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        scenes.setdefault(outcome.scene, []).append(outcome)
    groups = list(scenes.values())
    values = [
        measure([outcome for k in drawn for outcome in groups[k]])
        for drawn in rng.integers(len(groups), size=(_RESAMPLES, len(groups)))
    ]
    low, high = np.percentile(values, [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return Estimate(measure(outcomes), float(low), float(high))


def overlap(answer: NDArray[np.bool_], truth: NDArray[np.bool_] | None) -> tuple[int, int]:
    """Return pixels of the intersection and the union of two masks; (0, 0) without a truth."""
    if truth is None:
        return 0, 0
    return int((answer & truth).sum()), int((answer | truth).sum())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float('nan')
