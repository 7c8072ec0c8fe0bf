"""Depth smoothed by local medians and local planes, which keep edges."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

_RIDGE = 0.05  # pixels squared, far below the variance of any 5 x 5 pixels


def local_median(
    depth: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the medians (N,) of the 5 x 5 pixels round each pixel, NaN where all are unknown.

    depth: (h, w) metres, NaN where unknown.
    rows, columns: (N,) of the pixels.

    Of an even number of depths the nearer of the two in the middle is taken, never a depth between
    an object and its background.
    """
    windows = sliding_window_view(np.pad(depth, 2, constant_values=np.nan), (5, 5))
    ordered = np.sort(windows[rows, columns].reshape(-1, 25), axis=1)  # NaN comes last
    middle = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]


def local_plane(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    z: NDArray[np.floating],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    width: int = 5,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Fit a plane to the known depths in a window round each of some pixels.

    rows, columns: (N,) of the pixels whose depth is known, N at least 1.
    z: (N,) metres, their depths.
    at: rows and columns (M,) of the pixels, known or not, where planes are fitted.
    width: side of the window, odd, in pixels.

    Returns the planes' depths at these pixels and the scatter of the known depths round them (both
    (M,) float64 metres, meaningless without a known pixel) and the number (M,) of known pixels.

    Inverse depth is linear in the pixel on a plane, so this is linear regression. Other than a mean
    it does not draw an outline inwards, where only one side of a pixel is seen.
    """
    top, left = min(rows.min(), at[0].min()), min(columns.min(), at[1].min())
    row, column, at_row, at_column = rows - top, columns - left, at[0] - top, at[1] - left
    shape = max(row.max(), at_row.max()) + 1, max(column.max(), at_column.max()) + 1

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        grid = np.zeros(shape)
        grid[row, column] = values
        sums = ndimage.uniform_filter(grid, width, mode='constant')
        return width**2 * sums[at_row, at_column]

    number = np.rint(total(np.ones(len(z)))).astype(np.intp)
    count = np.maximum(number, 1)
    # From their means, so that squares of large numbers do not cancel.
    usual = (1 / z.astype(np.float64)).mean()
    u, v, inverse = column - column.mean(), row - row.mean(), 1 / z.astype(np.float64) - usual
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
    left_over = total(inverse**2) / count - mean**2 - across * u_inverse - down * v_inverse
    u_away, v_away = at_column - column.mean() - mean_u, at_row - row.mean() - mean_v
    depths = 1 / (mean + across * u_away + down * v_away + usual)
    return depths, np.sqrt(np.maximum(left_over, 0)) * depths**2, number
