"""A Kalman filter for the position of an object that moves at a nearly constant velocity.

The model is that of white-noise acceleration (Bar-Shalom, Li, Kirubarajan, "Estimation with
Applications to Tracking and Navigation", Wiley 2001, section 6.2.2): between two measurements the
velocity changes by a random amount whose variance grows with time. Positions in metres, velocities
in metres per second, times in seconds, all in one frame. It may move, as a camera's does: what is
estimated is motion relative to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACCELERATION_DENSITY = 1.0  # m^2/s^3 of each axis: 0.2 m/s of velocity in 0.04 s, as when pushed
_STARTING_SPEED = 1.0  # m/s, standard deviation before the second measurement
_STALE = 1.0  # s without a measurement, after which the filter begins anew


@dataclass(frozen=True)
class MotionEstimate:
    """Where an object is believed to be and how it moves.

    time: in seconds, of the last measurement.
    state: (6,) float64, position x, y, z in metres, then velocity in metres per second.
    covariance: (6, 6) float64 of the state.
    """

    time: float
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def position(self) -> NDArray[np.float64]:
        """(3,) in metres."""
        return self.state[:3]

    @property
    def position_covariance(self) -> NDArray[np.float64]:
        """(3, 3) in square metres."""
        return self.covariance[:3, :3]


def filtered(
    before: MotionEstimate | None,
    time: float,
    position: NDArray[np.float64],
    measurement_covariance: NDArray[np.float64],
    acceleration_density: float = ACCELERATION_DENSITY,
) -> MotionEstimate:
    """Return the estimate after a measurement.

    before: the estimate after the measurement before; None where this is the first one.
    time: of the measurement, in seconds.
    position: (3,) as measured, in metres.
    measurement_covariance: (3, 3) in square metres, positive definite.
    acceleration_density: power spectral density of the acceleration, in m^2/s^3.

    A measurement that is older than the estimate, or more than a second newer, begins a new one:
    clocks are set, and an object that was out of sight may have stopped or turned.
    """
    if before is None or not 0 <= time - before.time <= _STALE:
        covariance = np.zeros((6, 6))
        covariance[:3, :3] = measurement_covariance
        covariance[3:, 3:] = _STARTING_SPEED**2 * np.eye(3)
        return MotionEstimate(time, np.concatenate([position, np.zeros(3)]), covariance)
    state, covariance = _predicted(before, time - before.time, acceleration_density)
    innovation = covariance[:3, :3] + measurement_covariance
    gain = np.linalg.solve(innovation, covariance[:3]).T
    state = state + gain @ (position - state[:3])
    kept = np.eye(6)
    kept[:, :3] -= gain
    # Joseph's form stays symmetric and positive however small the measurement's covariance is.
    covariance = kept @ covariance @ kept.T + gain @ measurement_covariance @ gain.T
    return MotionEstimate(time, state, covariance)


def _predicted(
    before: MotionEstimate, seconds: float, density: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    transition = np.eye(6)
    transition[:3, 3:] = seconds * np.eye(3)
    noise = density * np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
    covariance = transition @ before.covariance @ transition.T + np.kron(noise, np.eye(3))
    return transition @ before.state, covariance
