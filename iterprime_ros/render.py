"""Pictures for people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.errors import UnwritableError

_WIDTH, _DPI = 16.0, 100  # inches, pixels an inch: 1600 pixels wide


def overlay(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a copy of an image (H, W, 3) with a mask (H, W) bool in green, the rest dimmed."""
    if not mask.any():
        return image.copy()
    green = np.array([40, 220, 90])
    mixed = np.where(mask[..., None], 0.55 * image + 0.45 * green, 0.45 * image)
    inside = mask.copy()
    inside[1:-1, 1:-1] &= mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    mixed[mask & ~inside] = green
    return mixed.round().astype(np.uint8)


@dataclass(frozen=True)
class DrawnAnswer:
    """A command, the sentence that answered it, and what was found.

    mask: (H, W) bool. heatmap: (H, W) float32 in [0, 1], None where there is none. truth: (H, W)
    bool, None where nothing is meant.
    """

    command: str
    text: str
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float32] | None
    truth: NDArray[np.bool_] | None


def answers_figure(rgb: NDArray[np.uint8], answers: Sequence[DrawnAnswer]) -> Figure:
    """Return a figure of answers on one image (H, W, 3), at least one.

    Of each the object in green with the true outline in white, and the heatmap over the image: one
    answer side by side, several in a column each.
    """
    height, width = rgb.shape[:2]
    rows, columns = (1, 2) if len(answers) == 1 else (2, len(answers))
    said = [_wrapped(f'"{answer.command}"', 46) for answer in answers]
    answered = [_wrapped(answer.text, 60) for answer in answers]
    words = [0.26 * _most_lines(said) + 0.3, 0.2 * _most_lines(answered) + 0.3]  # inches
    panel = _WIDTH / (columns + 0.1) * height / width
    figure = Figure(
        figsize=(_WIDTH, rows * panel + (max(words) if rows == 1 else sum(words))),
        dpi=_DPI,
        layout='constrained',
    )
    panels = figure.subplots(rows, columns, squeeze=False).T.reshape(len(answers), 2)
    for (found, heat), answer, above, below in zip(panels, answers, said, answered, strict=True):
        found.imshow(overlay(rgb, answer.mask))
        found.set_title(above, fontsize=13, parse_math=False)
        if answer.truth is not None:
            found.contour(answer.truth, levels=[0.5], colors='white', linewidths=1)
        heat.imshow(rgb.mean(axis=2), cmap='gray')
        if answer.heatmap is not None:
            heat.imshow(answer.heatmap, cmap='inferno', alpha=0.6, vmin=0, vmax=1)
        heat.set_title(below, fontsize=10, parse_math=False)
        for axes in (found, heat):
            axes.set_axis_off()
            axes.set_anchor('S')  # what room is left belongs to the words above
    return figure


def _wrapped(text: str, width: int) -> str:
    """Return a text in lines of at most a width, four of them at most."""
    return fill(text if len(text) <= 4 * width else f'{text[: 4 * width - 4]} ...', width)


def _most_lines(texts: Sequence[str]) -> int:
    return max(text.count('\n') + 1 for text in texts)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield where to write a file that appears at `path` only once it is whole.

    The folder is made where there is none. Raises UnwritableError.
    """
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableError(f'Cannot write {path}: {error.strerror}.') from error
