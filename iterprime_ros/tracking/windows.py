"""Windows of a frame, in which mask proposers draw better than in the whole of it.

A small object fills more of a window, and an object at the edge of the frame is in the middle of
one: some models, such as the one that ships, know objects at the edge from hardly any example.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.tracking.arrays import Bool

_SMALLEST = 0.5  # of the frame
_ROOM = 3.5  # sides of the window to those of the object in its middle


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels of a frame; it may reach beyond the frame.

    left, top, width, height: in pixels.
    frame: (H, W) of the frame.
    """

    left: int
    top: int
    width: int
    height: int
    frame: tuple[int, int]

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the window of a frame (H, W, 3); beyond the frame its edge goes on."""
        rows, columns = self._inside()
        before = rows.start - self.top, columns.start - self.left
        after = self.top + self.height - rows.stop, self.left + self.width - columns.stop
        inside = np.ascontiguousarray(image[rows, columns])
        if not any((*before, *after)):
            return inside
        border = before[0], after[0], before[1], after[1]
        return np.asarray(cv2.copyMakeBorder(inside, *border, cv2.BORDER_REPLICATE), np.uint8)

    def cut_mask(self, mask: Bool) -> Bool:
        """Return the window (height, width) of a mask (H, W), False beyond the frame."""
        found = np.zeros((self.height, self.width), dtype=bool)
        rows, columns = self._inside()
        found[self._of_window(rows, columns)] = mask[rows, columns]
        return found

    def paste_mask(self, mask: Bool) -> Bool:
        """Return the mask (H, W) of the frame for one of the window (height, width)."""
        found = np.zeros(self.frame, dtype=bool)
        rows, columns = self._inside()
        found[rows, columns] = mask[self._of_window(rows, columns)]
        return found

    def _inside(self) -> tuple[slice, slice]:
        """Return the rows and columns of the frame that are in the window."""
        rows = slice(max(0, self.top), min(self.frame[0], self.top + self.height))
        columns = slice(max(0, self.left), min(self.frame[1], self.left + self.width))
        return rows, columns

    def _of_window(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """Return rows and columns of the frame as those of the window."""
        return (
            slice(rows.start - self.top, rows.stop - self.top),
            slice(columns.start - self.left, columns.stop - self.left),
        )


def window_around(mask: Bool) -> Window:
    """Return a window, shaped as the frame, with a mask (H, W), not empty, in its middle."""
    height, width = mask.shape
    left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
    share = max(_SMALLEST, _ROOM * across / width, _ROOM * down / height)
    share = min(1.0, share)
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    return Window(
        left + across // 2 - columns // 2, top + down // 2 - rows // 2, columns, rows, mask.shape
    )


def padded_window(size: tuple[int, int], share: float) -> Window:
    """Return the whole of a frame of a size (H, W), with a share of it more on all sides."""
    down, across = (round(share * side) for side in size)
    return Window(-across, -down, size[1] + 2 * across, size[0] + 2 * down, size)
