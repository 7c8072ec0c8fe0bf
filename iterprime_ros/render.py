"""Pictures for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
    """Return a figure of answers on one image (H, W, 3), a column each.

    Above the object in green with the true outline in white, below the heatmap over the image.
    """
    height, width = rgb.shape[:2]
    panel = _WIDTH / (len(answers) + 0.1)
    figure = Figure(
        figsize=(_WIDTH, 2 * panel * height / width + 1.1), dpi=_DPI, layout='constrained'
    )
    columns = figure.subplots(2, len(answers), squeeze=False).T
    for (found, heat), answer in zip(columns, answers, strict=True):
        found.imshow(overlay(rgb, answer.mask))
        found.set_title(fill(f'"{answer.command}"', 46), fontsize=13)
        if answer.truth is not None:
            found.contour(answer.truth, levels=[0.5], colors='white', linewidths=1)
        heat.imshow(rgb.mean(axis=2), cmap='gray')
        if answer.heatmap is not None:
            heat.imshow(answer.heatmap, cmap='inferno', alpha=0.6, vmin=0, vmax=1)
        heat.set_title(fill(answer.text, 60), fontsize=10)
        for axes in (found, heat):
            axes.set_axis_off()
    return figure
