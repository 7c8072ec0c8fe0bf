"""Percentile bootstrap intervals of ratios of sums, resampled by image.

Questions about one image are not independent, so images are drawn rather than questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE_LEVEL = 95  # percent
_RESAMPLES = 1000
_COUNTS_AT_ONCE = 2_000_000  # numbers of draws in memory, of so many images and resamples together


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


def ratio_estimates(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], image_ids: Sequence[str]
) -> list[Estimate]:
    """Return for each of M metrics its sum of numerators over its sum of denominators.

    numerators, denominators: (N, M), for N questions, at least one.
    image_ids: of the image of each question.

    A resample whose sum of denominators is 0 is left out of the interval of its metric.
    """
    numbers: dict[str, int] = {}
    image_of = np.array([numbers.setdefault(name, len(numbers)) for name in image_ids])
    above, below = (
        np.stack([np.bincount(image_of, column) for column in columns.T], axis=1)
        for columns in (numerators, denominators)
    )
    sums = np.concatenate([above, below], axis=1)
    values, drawn = (_ratios(each) for each in (sums.sum(axis=0, keepdims=True), _drawn(sums)))
    return [
        Estimate(float(value), *_interval(column))
        for value, column in zip(values[0], drawn.T, strict=True)
    ]


def _drawn(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums (R, C) over the images of each resample; sums: (I, C) of each image."""
    count = len(sums)
    rng = np.random.default_rng(0)
    at_once = max(1, _COUNTS_AT_ONCE // count)
    drawn = []
    for start in range(0, _RESAMPLES, at_once):
        rows = min(at_once, _RESAMPLES - start)
        images = rng.integers(count, size=(rows, count))
        images += count * np.arange(rows)[:, None]
        times = np.bincount(images.ravel(), minlength=rows * count).reshape(rows, count)
        drawn.append(times @ sums)
    return np.concatenate(drawn)


def _ratios(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    above, below = np.split(sums, 2, axis=1)
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float('nan'), float('nan')
    tail = (100 - CONFIDENCE_LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
