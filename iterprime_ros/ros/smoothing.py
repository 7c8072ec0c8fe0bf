"""What depth is at a pixel, by the pixels round it: noise goes, edges stay."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

_RIDGE = 0.05  # pixels squared, far below the variance of any 5 x 5 pixels


def local_median(
    depth: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the medians (N,) of the 5 x 5 pixels round each, NaN where none is known.

    depth: (h, w) metres, NaN where not known. rows, columns: (N,) of its pixels.
    Of the two in the middle of an even number it is the nearer, never a depth between an object and
    what is behind it.
    """
    windows = sliding_window_view(np.pad(depth, 2, constant_values=np.nan), (5, 5))
    ordered = np.sort(windows[rows, columns].reshape(-1, 25), axis=1)  # NaN comes last
    middle = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]


def local_plane(
    rows: NDArray[np.intp], columns: NDArray[np.intp], z: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return depths (N,) on the planes that fit best to the 5 x 5 pixels round each.

    z: (N,) metres at the pixels of rows and columns (N,), at least one; no others are looked at.
    Inverse depth is linear in the pixel on a plane, so this is linear regression. Other than a mean
    it does not draw an outline inwards, where only one side of a pixel is seen.
    """
    row, column = rows - rows.min(), columns - columns.min()
    shape = row.max() + 1, column.max() + 1

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        grid = np.zeros(shape)
        grid[row, column] = values
        return 25 * ndimage.uniform_filter(grid, 5, mode='constant')[row, column]

    count = total(np.ones(len(z)))
    # From their means, so that squares of large numbers do not cancel.
    u, v, inverse = (k - k.mean() for k in (column, row, 1 / z.astype(np.float64)))
    mean_u, mean_v, mean = (total(k) / count for k in (u, v, inverse))
    # The ridge keeps a pixel without neighbours, or with some in a line, where it is.
    uu = total(u * u) / count - mean_u**2 + _RIDGE
    vv = total(v * v) / count - mean_v**2 + _RIDGE
    uv = total(u * v) / count - mean_u * mean_v
    u_inverse = total(u * inverse) / count - mean_u * mean
    v_inverse = total(v * inverse) / count - mean_v * mean
    determinant = uu * vv - uv**2
    across = (vv * u_inverse - uv * v_inverse) / determinant
    down = (uu * v_inverse - uv * u_inverse) / determinant
    fitted = mean + across * (u - mean_u) + down * (v - mean_v)
    return 1 / (fitted + (1 / z.astype(np.float64)).mean())
