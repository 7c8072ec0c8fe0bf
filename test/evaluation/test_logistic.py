"""The regression against a plain search, and its measures against loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from iterprime_ros.evaluation.logistic import (
    accuracy,
    expected_calibration_error,
    fit_logistic,
    log_loss,
)

JUDGED = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40).map(
    lambda pairs: tuple(map(np.array, zip(*pairs, strict=True)))
)


@given(JUDGED)
def test_measures_are_their_definitions(judged):
    chances, truths = judged
    pairs = list(zip(chances.tolist(), truths.tolist(), strict=True))
    losses = [-math.log(max(p if t else 1 - p, 1e-307)) for p, t in pairs]
    assert log_loss(chances, truths) == pytest.approx(np.mean(losses), abs=0.1, rel=0.01)
    assert accuracy(chances, truths) == sum((p >= 0.5) == t for p, t in pairs) / len(pairs)
    error = 0.0
    for k in range(15):
        inside = [(p, t) for p, t in pairs if min(int(p * 15), 14) == k]
        if inside:
            mean_p, mean_t = np.mean(inside, axis=0)
            error += len(inside) / len(pairs) * abs(mean_p - mean_t)
    assert expected_calibration_error(chances, truths) == pytest.approx(error)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_no_step_from_the_fit_lowers_the_loss(seed, is_misleading):
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 2, (200, 2))
    weights = np.array([1.0, -0.5 if is_misleading else 0.5])
    truths = rng.random(200) < expit(features @ weights - 1)
    fitted, bias = fit_logistic(features, truths)
    assert (fitted >= 0).all()
    if is_misleading:
        assert fitted[1] == pytest.approx(0, abs=0.2)
    best = log_loss(expit(features @ fitted + bias), truths)
    for step in (*np.eye(3), *-np.eye(3)):
        near = np.maximum(fitted + 0.02 * step[:2], 0)
        assert best <= log_loss(expit(features @ near + bias + 0.02 * step[2]), truths) + 1e-6


def test_what_was_true_by_a_logistic_is_found_again():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 3, (20_000, 2))
    truths = rng.random(20_000) < expit(features @ [0.7, 0.2] - 1.5)
    weights, bias = fit_logistic(features, truths)
    assert [*weights, bias] == pytest.approx([0.7, 0.2, -1.5], abs=0.1)
    chances = expit(features @ weights + bias)
    assert expected_calibration_error(chances, truths) < 0.02


def test_what_a_line_divides_has_a_finite_fit():
    values = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    weights, bias = fit_logistic(values, values[:, 0] > 0)
    assert 1 < weights[0] <= 100
    assert abs(bias) <= 100
