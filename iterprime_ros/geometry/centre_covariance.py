"""How exactly the centre of a visible surface is known."""

import numpy as np
from numpy.typing import NDArray

_WINDOW = 25  # depths that count as one: stereo matching and `local_plane` share 5 x 5 pixels
_EDGE = 0.5  # pixels: a centre moves by half of what one edge of the mask does, here a pixel


def centre_covariance(points: NDArray[np.float32], pixel: float) -> NDArray[np.float64]:
    """Return the covariance (3, 3), in square metres, of the centre of N points.

    points: (N, 3) in metres, N >= 1.
    pixel: the width of a depth pixel at the object, in metres.

    The mean of n independent measurements has 1 / n of their covariance. Neighbouring depths are
    not independent, so that n is N / 25. The edge of the mask is off for all of them together, by
    about a pixel, which no number of points averages out. Both figures are assumptions; they are
    calibrated on no camera.
    """
    spread = np.cov(points.T.astype(np.float64), bias=True)
    independent = max(1.0, len(points) / _WINDOW)
    return np.asarray(spread / independent + (_EDGE * pixel) ** 2 * np.eye(3))
