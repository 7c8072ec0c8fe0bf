"""The pictures of an answer, drawn by what draws the figure of `iterprime segment --explain`."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation
from iterprime_ros.explain_heatmaps import Draw, mask_panel, round_panel, word_panels
from iterprime_ros.explain_objects import draw_objects, shown_candidates

_INCHES, _DPI = 6.4, 100  # 640 pixels wide
_TALLEST = 2.0  # height over width that a picture gets at most
_SHOWN_MASKS = 4

Captioned = tuple[NDArray[np.uint8], str]


def round_pictures(image: NDArray[np.uint8], answer: Segmentation) -> list[Captioned]:
    """Return the heatmap of every round of refinement and of every focus word, with captions.

    image: (H, W, 3) uint8 RGB, the image that `answer` is about.

    Pictures are (h, 640, 3) uint8 RGB.
    """
    rounds = [round_panel(image, each, number) for number, each in enumerate(answer.rounds)]
    return _drawn_all(image, [*rounds, *word_panels(image, answer)])


def candidate_pictures(image: NDArray[np.uint8], answer: Segmentation) -> list[Captioned]:
    """Return the picture of all objects, or the best masks where one heatmap was read.

    image: (H, W, 3) uint8 RGB, the image that `answer` is about.
    """
    if answer.parts is None:
        best = range(len(answer.candidates[:_SHOWN_MASKS]))
        return _drawn_all(image, [mask_panel(image, answer, number) for number in best])
    if not answer.candidates:
        return []
    shown = shown_candidates(answer, answer.parts)
    objects = partial(draw_objects, image=image, answer=answer, shown=shown, inches=_INCHES)
    picture, _ = _drawn(image, objects)
    return [(picture, 'objects by chance')]


def _drawn_all(image: NDArray[np.uint8], draws: Sequence[Draw]) -> list[Captioned]:
    return [_drawn(image, each) for each in draws]


def _drawn(image: NDArray[np.uint8], draw: Draw) -> Captioned:
    """Return what is drawn over an image, and the title of its axes."""
    aspect = min(image.shape[0] / image.shape[1], _TALLEST)
    figure = Figure(figsize=(_INCHES, _INCHES * aspect), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    draw(axes)
    caption = axes.get_title()
    axes.set_title('')
    axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy(), caption
