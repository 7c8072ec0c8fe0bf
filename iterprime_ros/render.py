"""Pictures for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

_WIDTH, _DPI = 16.0, 100  # inches, pixels an inch: 1600 pixels wide
# Without the grey one, which means that there is no object.
_COLOURS = 255 * np.delete(mpl.colormaps['tab10'](range(10))[:, :3], 7, axis=0)


def camera_figure(
    rgb: NDArray[np.uint8],
    depth: NDArray[np.float32],
    ids: NDArray[np.int32],
    names: Mapping[int, str],
) -> Figure:
    """Return a figure of what an RGB-D camera sees beside what is there.

    rgb: (H, W, 3); depth: (H, W) in metres; ids: (H, W), 0 where there is no object; names: of the
    ids that are to be labelled.
    """
    height, width = depth.shape
    panel = _WIDTH / 3.08
    figure = Figure(figsize=(_WIDTH, panel * height / width + 0.35), dpi=_DPI, layout='constrained')
    colour, metres, truth = figure.subplots(1, 3)

    colour.imshow(rgb)
    colour.set_title('image')
    # The table is what matters; whatever is behind it would take most of the colours.
    nearest, farthest = np.nanpercentile(depth, [0.5, 75])
    shown = metres.imshow(depth, cmap='turbo_r', vmin=nearest, vmax=1.15 * farthest)
    metres.set_title('depth')
    scale = metres.inset_axes((1.01, 0, 0.03, 1))
    figure.colorbar(shown, cax=scale, label='metres', extend='max')

    truth.imshow(painted(rgb, ids))
    truth.set_title('true masks')
    for number, name in names.items():
        rows, columns = np.nonzero(ids == number)
        if rows.size:
            label = truth.text(
                columns.mean(), rows.mean(), name.replace(' ', '\n', 1), ha='center', va='center'
            )
            label.set(fontsize=9, color='white')
            label.set_path_effects([withStroke(linewidth=2.5, foreground='black')])
    for axes in (colour, metres, truth):
        axes.set_axis_off()
    return figure


def painted(rgb: NDArray[np.uint8], ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return a grey copy (H, W, 3) of an image with each id above 0 in a colour of its own."""
    grey = rgb.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.75
    colours = _COLOURS[(ids - 1) % len(_COLOURS)]
    mixed = np.where(ids[..., None] > 0, 0.35 * grey + 0.65 * colours, grey)
    return mixed.round().astype(np.uint8)


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
