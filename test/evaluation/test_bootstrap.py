"""The bootstrap against resampling of whole lists of questions."""

import math

import numpy as np
import pytest

from iterprime_ros.evaluation.bootstrap import ratio_estimates


@pytest.mark.parametrize('images', [1, 7, 3001])  # of 3001 there are several batches of resamples
def test_intervals_are_percentiles_over_resampled_images(images):
    rng = np.random.default_rng(images)
    image_of = np.concatenate([np.arange(images), rng.integers(images, size=images)])
    above = rng.random((len(image_of), 2))
    below = np.ones_like(above)
    below[:, 1] += rng.random(len(image_of))
    found = ratio_estimates(above, below, [f'image {k}' for k in image_of])
    drawn = np.random.default_rng(0).integers(images, size=(1000, images))
    questions = [np.flatnonzero(image_of == k) for k in range(images)]
    for column, estimate in enumerate(found):
        sums = np.array(
            [[each[rows, column].sum() for rows in questions] for each in (above, below)]
        )
        ratios = sums[0][drawn].sum(axis=1) / sums[1][drawn].sum(axis=1)
        low, high = np.percentile(ratios, [2.5, 97.5])
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-12)
        assert estimate.value == pytest.approx(above[:, column].sum() / below[:, column].sum())


def test_a_resample_without_any_denominator_is_left_out():
    (found,) = ratio_estimates(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]), ['a', 'b'])
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    (none,) = ratio_estimates(np.array([[0.0]]), np.array([[0.0]]), ['a'])
    assert math.isnan(none.value)
    assert math.isnan(none.low)
