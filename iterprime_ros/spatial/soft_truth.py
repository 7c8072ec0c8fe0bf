"""The truth of a comparison near its limit."""

import numpy as np
from numpy.typing import NDArray

_STEEPNESS = 3.0  # logistic(3) = 0.95


def soft(difference: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """Return the soft truth of difference > 0, in [0, 1]: 0.5 at 0 and 0.95 at the margin.

    It is the logistic function. NaN stays NaN.
    """
    # As a hyperbolic tangent it does not overflow.
    return 0.5 + 0.5 * np.tanh(0.5 * _STEEPNESS * difference / margin)
