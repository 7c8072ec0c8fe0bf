"""How high things stand round an object, seen from above and turned into the axes of grasps."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.table_frame import TableFrame

SIDE = 96  # cells of a side
_HIDDEN_HEIGHTS = np.array([0.0, 0.02, 0.045, 0.08, 0.13])  # m, at which cells are asked for
_THICKEST = 0.08  # m behind what is seen, where its own far side may be


@dataclass(frozen=True)
class HeightMap:
    """A square of SIDE x SIDE cells round the origin of a table frame.

    cell: side of a cell, in metres. Cell [k, l] is at y = (k - (SIDE - 1) / 2) * cell and
        x = (l - (SIDE - 1) / 2) * cell.
    objects: (SIDE, SIDE) float32, height of the object, 0 where it is not, in metres.
    others: (SIDE, SIDE) float32, height of everything else that is seen, 0 where nothing is.
    hidden: (SIDE, SIDE) float32, how high the far sides of other things could be, 0 where they
        could not.
    """

    cell: float
    objects: NDArray[np.float32]
    others: NDArray[np.float32]
    hidden: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        target: NDArray[np.floating],
        others: NDArray[np.floating],
        view: DepthView,
        frame: TableFrame,
        cell: float,
        ground: float,
    ) -> 'HeightMap':
        """Return the map of points.

        target, others: (N, 3) and (M, 3) points in the table frame, of the object and of everything
            else.
        ground: in metres; other things that are lower are taken for the plane.
        """
        low = np.where(others[:, 2] < ground, np.float32(0), others[:, 2])
        seen = _highest(others[:, :2], low, cell)
        is_object = _highest(target[:, :2], target[:, 2], cell)
        is_unknown = np.isnan(seen) & np.isnan(is_object)
        hidden = np.zeros_like(seen)
        hidden[is_unknown] = _hidden_heights(np.argwhere(is_unknown), cell, view, frame)
        return cls(cell, _filled(is_object), np.nan_to_num(seen), hidden)

    def turned(self, angles: int) -> tuple[NDArray[np.float32], ...]:
        """Return objects, others and hidden (angles, SIDE, SIDE) along the axes of grasps.

        Cell [k, m, n] is at u = (n - (SIDE - 1) / 2) * cell along the closing axis, at an angle of
        k * pi / angles to x, and at v = (m - (SIDE - 1) / 2) * cell along the axis a quarter turn
        further.
        """
        index = _turned_index(angles)
        return tuple(each.ravel()[index] for each in (self.objects, self.others, self.hidden))


def highest_beside(
    heights: NDArray[np.float32], rows: NDArray[np.intp], width: float
) -> NDArray[np.float32]:
    """Return the greatest heights (K, R, SIDE) within half a width of rows of a map.

    heights: (K, SIDE, SIDE). rows: (R,). width: in cells.
    """
    reach = max(0, round((width - 1) / 2))
    windows = np.clip(rows[:, None] + np.arange(-reach, reach + 1), 0, SIDE - 1)
    highest = heights[:, windows[:, 0]]
    for row in windows.T[1:]:
        np.maximum(highest, heights[:, row], out=highest)
    return highest


def highest_along(heights: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return the greatest heights (K, R, SIDE) within half a width of cells along u.

    heights: (K, R, SIDE). width: in cells.
    """
    side = 2 * max(0, round((width - 1) / 2)) + 1
    return ndimage.maximum_filter1d(heights, side, axis=2, mode='nearest')


def _highest(
    places: NDArray[np.floating], heights: NDArray[np.floating], cell: float
) -> NDArray[np.float32]:
    """Return the greatest height (SIDE, SIDE) of points in each cell, NaN without points."""
    index = np.rint(places / cell + (SIDE - 1) / 2).astype(np.intp)
    is_inside = ((index >= 0) & (index < SIDE)).all(axis=1)
    flat = index[is_inside, 1] * SIDE + index[is_inside, 0]
    grid = np.full(SIDE * SIDE, -np.inf, np.float32)
    np.maximum.at(grid, flat, heights[is_inside].astype(np.float32))
    return np.where(np.isfinite(grid), grid, np.float32(np.nan)).reshape(SIDE, SIDE)


def _filled(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return heights with 0 for NaN, except where the object is all round: there as high as it."""
    known = np.isfinite(heights)
    inside = ndimage.binary_fill_holes(ndimage.binary_closing(known, np.ones((3, 3), bool)))
    near = ndimage.maximum_filter(np.where(known, heights, np.float32(0)), 5)
    return np.where(known, heights, np.where(inside, near, np.float32(0)))


def _hidden_heights(
    cells: NDArray[np.intp], cell: float, view: DepthView, frame: TableFrame
) -> NDArray[np.float32]:
    """Return how high (N,) something in cells (N, 2) could be that is behind other things."""
    places = (cells[:, ::-1] - (SIDE - 1) / 2) * cell
    columns = np.empty((len(places), len(_HIDDEN_HEIGHTS), 3))
    columns[..., :2], columns[..., 2] = places[:, None], _HIDDEN_HEIGHTS
    optical = frame.to_optical(columns)
    depths, is_object = view.seen_at(optical)
    behind = optical[..., 2] - depths
    is_hidden = (behind > 0) & (behind < _THICKEST) & ~is_object
    return (is_hidden * _HIDDEN_HEIGHTS).max(axis=1).astype(np.float32)


@lru_cache(4)
def _turned_index(angles: int) -> NDArray[np.intp]:
    """Return the cell (angles, SIDE, SIDE) of a map in which that of a turned one lies."""
    theta = np.pi * np.arange(angles)[:, None, None] / angles
    v, u = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    x = u * np.cos(theta) - v * np.sin(theta)
    y = u * np.sin(theta) + v * np.cos(theta)
    column, row = (np.clip(np.rint(k + (SIDE - 1) / 2), 0, SIDE - 1) for k in (x, y))
    return (row * SIDE + column).astype(np.intp)
