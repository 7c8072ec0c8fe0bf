"""Masks as points on a coarse grid, which is all that measuring them needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS = 120  # of the grid: 1 % of an image height is enough
_EDGE = 0.004  # of the image height: pixels so near to the edge of a mask may be background
_JUMP = 0.03  # of the depth, between neighbours on both sides of which are two surfaces
_OUTSIDE = 0.01  # share of a mask's columns or rows that may lie outside its box, at either end
_ALONE = 0.1  # share of a mask that must be in no other one for the rest to be left out
_FEWEST = 4  # points of a mask whose box is taken from the grid
_SURROUNDINGS = 0.15  # image heights round the objects that are their surroundings
_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True)
class MaskPoints:
    """The points of K masks of H x W pixels on a grid of h x w pixels that are a step apart.

    masks: (K, H, W) bool.
    step: in pixels; the grid begins at pixel step // 2.
    covered: (K, h, w) bool, the masks on the grid.
    owners, rows, columns: (N,) int64, the mask of each point, ascending, and its place on the grid.
    """

    masks: NDArray[np.bool_]
    step: int
    covered: NDArray[np.bool_]
    owners: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    @classmethod
    def of(cls, masks: NDArray[np.bool_]) -> 'MaskPoints':
        """Return the points of masks (K, H, W)."""
        step = max(1, round(masks.shape[1] / _ROWS))
        covered = np.ascontiguousarray(masks[:, step // 2 :: step, step // 2 :: step])
        flat, width = np.flatnonzero(covered), covered.shape[2]
        owners, cells = np.divmod(flat, max(1, covered.shape[1] * width))
        rows, columns = np.divmod(cells, max(1, width))
        return cls(masks, step, covered, owners, rows, columns)

    def bounds(self) -> NDArray[np.int64]:
        """Return (K + 1,) where the points of each mask begin, and where the last ones end."""
        return np.searchsorted(self.owners, np.arange(len(self.masks) + 1))

    def pixel_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows or columns of pixels of those of the grid."""
        return rows * self.step + self.step // 2

    @property
    def margin(self) -> float:
        """Mean distance of the outermost points of `on_surfaces` from the outline, in pixels."""
        return self._reach + self.step / 2

    @property
    def _reach(self) -> int:
        return max(1, round(_EDGE * self.masks.shape[1]))

    def boxes(self) -> NDArray[np.float64]:
        """Return (K, 4) left, top, right, bottom, in image heights from the image centre.

        A hundredth of a mask may lie outside on each side.
        """
        height, width = self.masks.shape[1:]
        boxes, bounds = np.empty((len(self.masks), 4)), self.bounds()
        for k, mask in enumerate(self.masks):
            start, end = bounds[k], bounds[k + 1]
            is_few = end - start < _FEWEST
            pitch = 1 if is_few else self.step
            rows, columns = self.rows[start:end], self.columns[start:end]
            places = np.nonzero(mask) if is_few else (rows, columns)
            for axis, place in enumerate(reversed(places)):
                share = np.cumsum(np.bincount(place))
                first = np.searchsorted(share, _OUTSIDE * share[-1], 'right')
                last = np.searchsorted(share, (1 - _OUTSIDE) * share[-1], 'left')
                boxes[k, axis], boxes[k, axis + 2] = first * pitch, (last + 1) * pitch
        boxes[:, ::2] -= width / 2
        boxes[:, 1::2] -= height / 2
        return boxes / height

    def on_surfaces(self, z: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which points (N,) show their object and not what is behind it.

        z: (h, w) metres, the depth on the grid, NaN where unknown.

        Left out are points without depth, at the edge of a mask, behind a step in depth inside it,
        and in several masks, unless nearly all of its mask is: masks that are a little too large
        cover the background, and of two objects on each other a part of the other one.
        """
        (height, width), (last_row, last_column) = self.masks.shape[1:], np.subtract(z.shape, 1)
        depth = z[self.rows, self.columns]
        is_good = np.isfinite(depth)
        is_alone = np.count_nonzero(self.covered, axis=0)[self.rows, self.columns] == 1
        count = len(self.masks)
        points, alone = (np.bincount(self.owners, w, count) for w in (None, is_alone))
        is_good &= is_alone | (alone < _ALONE * points)[self.owners]
        rows, columns = self.pixel_rows(self.rows), self.pixel_rows(self.columns)
        for down, right in _NEIGHBOURS:
            near_rows = np.clip(rows + down * self._reach, 0, height - 1)
            near_columns = np.clip(columns + right * self._reach, 0, width - 1)
            is_good &= self.masks[self.owners, near_rows, near_columns]
            next_rows = np.clip(self.rows + down, 0, last_row)
            next_columns = np.clip(self.columns + right, 0, last_column)
            is_step = depth - z[next_rows, next_columns] > _JUMP * depth
            is_good &= ~(is_step & self.covered[self.owners, next_rows, next_columns])
        return is_good

    def surroundings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the grid's rows and columns (M,) round all masks, at a distance from edges."""
        covered = np.logical_or.reduce(self.covered)
        grown = covered.copy()
        grown[1:] |= covered[:-1]
        grown[:-1] |= covered[1:]
        grown[:, 1:] |= covered[:, :-1]
        grown[:, :-1] |= covered[:, 1:]
        reach = round(_SURROUNDINGS * len(covered))
        top, left = (max(0, each.min() - reach) for each in (self.rows, self.columns))
        bottom, right = (each.max() + reach + 1 for each in (self.rows, self.columns))
        rows, columns = np.nonzero(~grown[top:bottom, left:right])
        return rows + top, columns + left
