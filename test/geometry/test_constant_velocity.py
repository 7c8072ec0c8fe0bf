"""The filter is the least-squares estimate of its own model, and its covariance is honest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from iterprime_ros.geometry.constant_velocity import ACCELERATION_DENSITY, filtered

NOISE = np.diag([1e-6, 1e-6, 4e-6])


def run(times, positions, noise=NOISE):
    estimate = None
    for time, position in zip(times, positions, strict=True):
        estimate = filtered(estimate, time, position, noise)
    return estimate


def joint_estimate(times, positions, noise):
    """Return the last state by one weighted least-squares fit of all states at once."""
    count = len(times)
    rows, values, weights = [], [], []

    def add(block, value, covariance):
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)).T
        rows.append(whitening @ block)
        values.append(whitening @ value)
        weights.append(len(value))

    for k in range(count):
        block = np.zeros((3, 6 * count))
        block[:, 6 * k : 6 * k + 3] = np.eye(3)
        add(block, positions[k], noise)
    start = np.zeros((3, 6 * count))
    start[:, 3:6] = np.eye(3)
    add(start, np.zeros(3), np.eye(3))
    for k in range(1, count):
        dt = times[k] - times[k - 1]
        block = np.zeros((6, 6 * count))
        block[:, 6 * k : 6 * k + 6] = np.eye(6)
        block[:, 6 * k - 6 : 6 * k] = -np.block(
            [[np.eye(3), dt * np.eye(3)], [np.zeros((3, 3)), np.eye(3)]]
        )
        small = ACCELERATION_DENSITY * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        add(block, np.zeros(6), np.kron(small, np.eye(3)))
    solution, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)
    return solution[-6:]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_it_is_the_joint_least_squares_estimate(seed, count):
    rng = np.random.default_rng(seed)
    times = 5.0 + np.cumsum(rng.uniform(0.02, 0.2, count))
    positions = rng.normal(size=(count, 3))
    noise = np.diag(rng.uniform(1e-4, 1e-2, 3))
    expected = joint_estimate(times, positions, noise)
    np.testing.assert_allclose(run(times, positions, noise).state, expected, atol=1e-6)


def test_what_stands_still_is_averaged():
    rng = np.random.default_rng(1)
    positions = [0.3, -0.1, 0.9] + rng.normal(size=(300, 3)) * np.sqrt(np.diag(NOISE)) * 10
    times = np.arange(300) / 30
    estimate = filtered(None, times[0], positions[0], 100 * NOISE, 1e-6)
    for time, position in zip(times[1:], positions[1:], strict=True):
        estimate = filtered(estimate, time, position, 100 * NOISE, 1e-6)
    assert np.abs(estimate.position - [0.3, -0.1, 0.9]).max() < 0.004
    assert np.sqrt(estimate.position_covariance[0, 0]) < 0.005


def test_its_covariance_is_that_of_its_errors():
    # Normalised estimation error squared, section 5.4 of the book: chi-square with 3 degrees.
    rng = np.random.default_rng(2)
    dt, errors = 1 / 30, []
    small = ACCELERATION_DENSITY * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    for _ in range(200):
        truth = np.zeros((2, 3))
        truth[1] = rng.normal(size=3)
        estimate = None
        for k in range(20):
            if k:
                truth = np.array([truth[0] + dt * truth[1], truth[1]])
                truth = truth + np.linalg.cholesky(small) @ rng.normal(size=(2, 3))
            measured = truth[0] + rng.multivariate_normal(np.zeros(3), NOISE)
            estimate = filtered(estimate, k * dt, measured, NOISE)
        error = estimate.position - truth[0]
        errors.append(error @ np.linalg.solve(estimate.position_covariance, error))
    low, high = stats.chi2.ppf([1e-4, 1 - 1e-4], 3 * len(errors)) / len(errors)
    assert low < np.mean(errors) < high


@pytest.mark.parametrize('time', [0.9, -5.0, 2.5])
def test_a_clock_that_jumps_begins_anew(time):
    before = run([0.97, 1.0], [np.zeros(3), np.full(3, 0.1)])
    after = filtered(before, time, np.ones(3), NOISE)
    np.testing.assert_array_equal(after.position, np.ones(3))
    np.testing.assert_array_equal(after.position_covariance, NOISE)


def test_two_measurements_of_one_time_are_averaged():
    estimate = run([1.0, 1.0], [np.zeros(3), np.full(3, 0.002)])
    np.testing.assert_allclose(estimate.position, 0.001)
    np.testing.assert_allclose(estimate.position_covariance, NOISE / 2)
