"""The covariance of a centre, against centres of many samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.geometry.centre_covariance import centre_covariance

PIXEL = 0.001


def test_independent_patches_have_the_scatter_of_their_means():
    """Patches of 4 points that err together, many times: the means scatter as is said."""
    rng = np.random.default_rng(0)
    spread = np.array([0.02, 0.01, 0.004])

    def sample():
        patches = rng.normal(0.0, spread, (40, 3))
        return np.repeat(patches, 4, axis=0).astype(np.float32)

    samples = [sample() for _ in range(2000)]
    scatter = np.cov(np.stack([each.mean(axis=0) for each in samples]).T)
    said = np.mean([centre_covariance(each, 0.0) for each in samples], axis=0)
    assert np.diag(said) == pytest.approx(np.diag(scatter), rel=0.1)


@given(st.integers(1, 200), st.integers(0, 99))
def test_it_is_positive_definite_and_never_below_the_edge_of_the_mask(count, seed):
    points = np.random.default_rng(seed).normal(0.0, 0.05, (count, 3)).astype(np.float32)
    covariance = centre_covariance(points, PIXEL)
    assert np.array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() >= (0.5 * PIXEL) ** 2 * (1 - 1e-9)


def test_more_points_are_known_better_up_to_the_edge():
    points = np.random.default_rng(0).normal(0.0, 0.05, (100, 3)).astype(np.float32)
    few, many = (np.trace(centre_covariance(np.tile(points, (n, 1)), PIXEL)) for n in (1, 10**4))
    assert few > 100 * many
    assert many == pytest.approx(3 * (0.5 * PIXEL) ** 2, rel=0.1)
