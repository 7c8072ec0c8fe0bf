"""Logistic regression with weights that are not negative, and how good its probabilities are."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Array = NDArray[np.float64]
Truths = NDArray[np.bool_]

_LARGEST = 100.0  # of a weight, where the data can be separated
_BINS = 15


def fit_logistic(features: Array, truths: Truths) -> tuple[Array, float]:
    """Return the weights (F,) >= 0 and the bias of least log loss; all in [-100, 100].

    features: (n, F), n at least 1.
    truths: (n,), the probability of which is sigmoid(features @ weights + bias).
    """
    count = features.shape[1]

    def loss(parameters: Array) -> tuple[float, Array]:
        scores = features @ parameters[:-1] + parameters[-1]
        residuals = special.expit(scores) - truths
        gradient = np.append(residuals @ features, residuals.sum()) / len(truths)
        return float(np.mean(np.logaddexp(0, scores) - truths * scores)), gradient

    bounds = [(0.0, _LARGEST)] * count + [(-_LARGEST, _LARGEST)]
    start = np.append(np.full(count, 0.1), 0.0)
    found = optimize.minimize(loss, start, jac=True, bounds=bounds, method='L-BFGS-B')
    return found.x[:-1], float(found.x[-1])


def log_loss(probabilities: Array, truths: Truths) -> float:
    """Return the mean of -log of the probability of what is true, in nats."""
    tiny = np.finfo(np.float64).tiny
    of_the_truth = np.where(truths, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(of_the_truth, tiny)).mean())


def accuracy(probabilities: Array, truths: Truths) -> float:
    """Return the fraction on whose side of 0.5 the truth is."""
    return float(((probabilities >= 0.5) == truths).mean())


def expected_calibration_error(probabilities: Array, truths: Truths) -> float:
    """Return the mean distance of probability and frequency in 15 bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (arXiv 1706.04599), eq. 3, for
    the probability that something is true.
    """
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    differences = np.bincount(bins, probabilities - truths, _BINS)
    return float(np.abs(differences).sum() / len(truths))
