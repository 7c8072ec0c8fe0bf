"""The arrays of this package."""

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float = NDArray[np.floating]
Grey = NDArray[np.uint8]
