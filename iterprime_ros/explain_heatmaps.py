"""The panels of heatmaps: rounds of refinement, focus words, and masks that a heatmap ranked."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status, WordHeatmap
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.refinement import RefinementRound
from iterprime_ros.render import overlay

Draw = Callable[[Axes], None]


def has_word_heatmaps(answer: Segmentation) -> bool:
    """Whether any focus word has a heatmap that is not flat."""
    return any(np.ptp(each.heatmap) > 0 for each in answer.word_heatmaps)


def word_text(answer: Segmentation, word: WordHeatmap) -> str:
    """Return a focus word as it stands in the expression."""
    return answer.command.expression[slice(*word.span)] if answer.command else ''


def round_panel(image: NDArray[np.uint8], drawn: RefinementRound, number: int) -> Draw:
    """Return what draws a round of refinement and the patches that were hidden from it."""

    def draw(axes: Axes) -> None:
        draw_over(axes, image, enlarged(drawn.heatmap, image))
        hidden = np.ma.masked_where(~drawn.hidden, np.ones(drawn.hidden.shape))
        height, width = image.shape[:2]
        axes.imshow(
            hidden,
            cmap='gray',
            vmin=0,
            vmax=2,
            alpha=0.75,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            interpolation='nearest',
        )
        axes.set_title(round_title(drawn, number), fontsize=10.5)

    return draw


def round_title(drawn: RefinementRound, number: int) -> str:
    """Return what to write above the heatmap of a round, counted from 0."""
    share = drawn.hidden.mean()
    title = f'round {number}: match {drawn.probability:.2f}'
    title += f', {share:.1%} hidden' if share else ''
    return title if drawn.kept else f'{title}, left out'


def word_panels(image: NDArray[np.uint8], answer: Segmentation) -> list[Draw]:
    """Return what draws the heatmap of each focus word; nothing where all are flat."""
    if not has_word_heatmaps(answer):
        return []
    return [_word(image, answer, each) for each in answer.word_heatmaps]


def _word(image: NDArray[np.uint8], answer: Segmentation, word: WordHeatmap) -> Draw:
    text = word_text(answer, word)

    def draw(axes: Axes) -> None:
        draw_over(axes, image, enlarged(word.heatmap, image))
        axes.set_title(
            f'{text} (primary)' if word.is_primary else text,
            fontsize=11,
            weight='bold' if word.is_primary else 'normal',
            parse_math=False,
        )

    return draw


def mask_panel(image: NDArray[np.uint8], answer: Segmentation, number: int) -> Draw:
    """Return what draws a candidate, counted from 0, with the measure that ranked it."""
    candidate = answer.candidates[number]
    is_rival = number == 1 and answer.status is Status.AMBIGUOUS
    name = 'winner' if number == 0 else 'rival' if is_rival else f'mask {number + 1}'
    by_mean = answer.ranked_by == 'mean'
    measure = candidate.heatmap_mean if by_mean else candidate.heatmap_overlap

    def draw(axes: Axes) -> None:
        axes.imshow(overlay(image, candidate.mask))
        axes.set_title(
            f'{name}: {answer.ranked_by} {measure:.3f}, '
            f'predicted IoU {candidate.predicted_iou:.2f}',
            fontsize=10.5,
        )

    return draw


def enlarged(patches: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a map (rows, cols) at the size of an image (H, W, 3), min-max scaled."""
    height, width = image.shape[:2]
    return upsampled(torch.from_numpy(patches), (height, width)).numpy()


def draw_over(axes: Axes, image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> None:
    """Draw a heatmap (H, W) in [0, 1] over a grey image, clear where it is cold."""
    axes.imshow(image.mean(axis=2), cmap='gray', vmin=0, vmax=330)
    axes.imshow(heatmap, cmap='inferno', vmin=0, vmax=1, alpha=0.25 + 0.65 * heatmap)
