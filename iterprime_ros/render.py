"""Pictures of answers: mask overlays and figures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.errors import UnwritableError

_WIDTH, _DPI = 16.0, 100  # inches and pixels per inch: 1600 pixels wide
_TITLE_CHARACTERS, _CAPTION_CHARACTERS = 46, 60  # per line
_MAX_LINES = 4
_LIGHT = 140  # luminance from which black letters are readable on a colour

# RGB of the objects in a picture, each as far from those before it as may be.
_INSTANCE_COLOURS = (
    (40, 220, 90),
    (255, 150, 30),
    (70, 150, 255),
    (235, 80, 205),
    (240, 220, 50),
    (50, 215, 225),
    (245, 75, 65),
    (160, 120, 255),
    (185, 125, 75),
    (255, 165, 190),
    (150, 175, 45),
    (140, 160, 185),
)


@dataclass(frozen=True)
class DrawnAnswer:
    """An answer as it is drawn.

    command: the command as it was sent.
    text: the sentence that answers it.
    mask: (H, W) bool, the segmented object; all False for none.
    heatmap: (H, W) float32 in [0, 1], or None if there is none.
    truth: (H, W) bool, the true mask of the object that is referred to, or None if the scene has
        no such object or it is unclear which one is meant.
    """

    command: str
    text: str
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float32] | None
    truth: NDArray[np.bool_] | None


def overlay(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a copy of an image in which a mask is tinted green and the rest is dimmed.

    image: (H, W, 3) uint8.
    mask: (H, W) bool; if it is empty, nothing is dimmed.
    """
    return overlay_instances(image, [mask])


def overlay_instances(
    image: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]
) -> NDArray[np.uint8]:
    """Return a copy of an image in which each mask has its `instance_colour`; the rest is dimmed.

    image: (H, W, 3) uint8.
    masks: (H, W) bool each; earlier ones hide later ones. If all are empty, nothing is dimmed.
    """
    if not any(mask.any() for mask in masks):
        return image.copy()
    mixed = 0.45 * image
    for n, mask in reversed(list(enumerate(masks))):
        colour = np.array(_INSTANCE_COLOURS[n % len(_INSTANCE_COLOURS)])
        mixed[mask] = 0.55 * image[mask] + 0.45 * colour
        interior = mask.copy()
        interior[1:-1, 1:-1] &= mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        mixed[mask & ~interior] = colour
    return mixed.round().astype(np.uint8)


def instance_colour(n: int) -> tuple[str, str]:
    """Return the colour of object n, counted from 0, and that of letters on it, for Matplotlib.

    Colours repeat after twelve.
    """
    red, green, blue = _INSTANCE_COLOURS[n % len(_INSTANCE_COLOURS)]
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    return f'#{red:02x}{green:02x}{blue:02x}', 'black' if luminance >= _LIGHT else 'white'


def answers_figure(rgb: NDArray[np.uint8], answers: Sequence[DrawnAnswer]) -> Figure:
    """Return a figure of the answers to one or more commands on the same image.

    Each answer has two panels: the mask in green with the true outline in white, and the heatmap
    over the image. They are side by side for one answer, one above the other for several.

    rgb: (H, W, 3) uint8.
    """
    height, width = rgb.shape[:2]
    rows, columns = (1, 2) if len(answers) == 1 else (2, len(answers))
    titles = [_wrapped(f'"{answer.command}"', _TITLE_CHARACTERS) for answer in answers]
    captions = [_wrapped(answer.text, _CAPTION_CHARACTERS) for answer in answers]
    text_heights = [  # inches
        0.26 * _max_line_count(titles) + 0.3,
        0.2 * _max_line_count(captions) + 0.3,
    ]
    panel_height = _WIDTH / (columns + 0.1) * height / width
    text_height = max(text_heights) if rows == 1 else sum(text_heights)
    figure = Figure(
        figsize=(_WIDTH, rows * panel_height + text_height), dpi=_DPI, layout='constrained'
    )
    panels = figure.subplots(rows, columns, squeeze=False).T.reshape(len(answers), 2)
    for (mask_axes, heatmap_axes), answer, title, caption in zip(
        panels, answers, titles, captions, strict=True
    ):
        mask_axes.imshow(overlay(rgb, answer.mask))
        mask_axes.set_title(title, fontsize=13, parse_math=False)
        if answer.truth is not None:
            mask_axes.contour(answer.truth, levels=[0.5], colors='white', linewidths=1)
        heatmap_axes.imshow(rgb.mean(axis=2), cmap='gray')
        if answer.heatmap is not None:
            heatmap_axes.imshow(answer.heatmap, cmap='inferno', alpha=0.6, vmin=0, vmax=1)
        heatmap_axes.set_title(caption, fontsize=10, parse_math=False)
        for axes in (mask_axes, heatmap_axes):
            axes.set_axis_off()
            axes.set_anchor('S')  # spare height goes to the text above
    return figure


def _wrapped(text: str, width: int) -> str:
    """Return a text in lines of at most `width` characters, truncated to a few lines."""
    limit = _MAX_LINES * width
    return fill(text if len(text) <= limit else f'{text[: limit - 4]} ...', width)


def _max_line_count(texts: Sequence[str]) -> int:
    return max(text.count('\n') + 1 for text in texts)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; the file then replaces `path` in one step.

    A viewer of `path` never sees a file that is written in part. Missing folders are created.

    Raises UnwritableError if the file cannot be written.
    """
    temporary = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableError(f'Cannot write {path}: {error.strerror or error}.') from error
