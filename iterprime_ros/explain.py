"""The figure for a person who asks "why that one?"."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.pipeline import Candidate, Look, Segmentation, Status, Word, upsampled
from iterprime_ros.render import overlay

Draw = Callable[[Axes], None]

_WIDTH, _DPI = 15.0, 100  # inches, pixels an inch: 1500 pixels wide
_COLUMNS = 5
_ANSWER_COLUMNS = ((0, 2), (2, 4), (4, 5))  # of the answer, its heatmap and the facts
_TALLEST = 2.0  # height over width that a panel gets at most
_COLOUR = {
    Status.FOUND: '#1a7f37',
    Status.AMBIGUOUS: '#b35900',
    Status.NOT_FOUND: '#b3261e',
    Status.INVALID: '#b3261e',
}


def explanation(image: NDArray[np.uint8], answer: Segmentation) -> Figure:
    """Return a figure, 1500 pixels wide, of how an answer came about.

    image: (H, W, 3) uint8, the image that `answer` is about. Rows: the image and its answer beside
    the heatmap; every round with what was hidden from it; every focus word's map; the candidates.
    """
    rows = [_answer_row(image, answer)]
    for title, draws in (
        ('rounds', [_round(image, look, n) for n, look in enumerate(answer.looks)]),
        ('words', [_word(image, answer, each) for each in answer.words]),
        ('masks', [_candidate(image, each, n) for n, each in enumerate(answer.candidates[:5])]),
    ):
        for start in range(0, len(draws), _COLUMNS):
            rows.append((title if start == 0 else '', draws[start : start + _COLUMNS]))
    height, width = image.shape[:2]
    panel = _WIDTH / (_COLUMNS + 0.35)
    each = panel * min(height / width, _TALLEST) + 0.42
    figure = Figure(
        figsize=(_WIDTH, (len(rows) + 0.55) * each + 0.9), dpi=_DPI, layout='constrained'
    )
    said = answer.command.text if answer.command else ''
    figure.suptitle(
        f'“{said}”\n{answer.text}',
        fontsize=15,
        color=_COLOUR[answer.status],
        weight='bold',
        parse_math=False,
    )
    grid = figure.add_gridspec(len(rows), _COLUMNS, height_ratios=[1.55] + [1.0] * (len(rows) - 1))
    for r, (title, panels) in enumerate(rows):
        for c, draw in enumerate(panels):
            place = grid[r, slice(*_ANSWER_COLUMNS[c])] if r == 0 else grid[r, c]
            axes = figure.add_subplot(place)
            draw(axes)
            axes.set_xticks([])
            axes.set_yticks([])
            if c == 0 and title:
                axes.set_ylabel(title, fontsize=13, weight='bold')
    return figure


def _answer_row(image: NDArray[np.uint8], answer: Segmentation) -> tuple[str, list[Draw]]:
    def picture(axes: Axes) -> None:
        axes.imshow(overlay(image, answer.mask))
        axes.set_title('answer' if answer.mask.any() else 'image (no mask)')

    def heat(axes: Axes) -> None:
        _over(axes, image, answer.heatmap)
        axes.set_title(f'heatmap, match {answer.match_probability:.2f}')

    def facts(axes: Axes) -> None:
        axes.set_axis_off()
        axes.text(
            0,
            1,
            _facts(answer),
            va='top',
            fontsize=10.5,
            linespacing=1.5,
            wrap=True,
            parse_math=False,
        )

    return '', [picture, heat, facts]


def _facts(answer: Segmentation) -> str:
    lines = []
    if answer.command:
        command = answer.command
        primary = next((each for each in answer.words if each.is_primary), None)
        lines += [
            f'verb: {command.action_verb or "none"}',
            f'expression: {command.expression[:60]}',
            f'primary word: {_spoken(answer, primary) if primary else "none"}',
        ]
    lines += [f'{stage}: {spent:.0f} ms' for stage, spent in answer.milliseconds.items()]
    lines += [f'note: {note}' for note in answer.notes]
    return '\n'.join(lines)


def _spoken(answer: Segmentation, word: Word) -> str:
    return answer.command.expression[slice(*word.span)] if answer.command else ''


def _round(image: NDArray[np.uint8], look: Look, number: int) -> Draw:
    def draw(axes: Axes) -> None:
        _over(axes, image, enlarged(look.heatmap, image))
        hidden = np.ma.masked_where(~look.hidden, np.ones(look.hidden.shape))
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
        share = look.hidden.mean()
        title = f'round {number}: match {look.probability:.2f}'
        title += f', {share:.0%} hidden' if share else ''
        axes.set_title(title if look.kept else f'{title}, left out', fontsize=10.5)

    return draw


def _word(image: NDArray[np.uint8], answer: Segmentation, word: Word) -> Draw:
    def draw(axes: Axes) -> None:
        _over(axes, image, enlarged(word.heatmap, image))
        spoken = _spoken(answer, word)
        axes.set_title(
            f'{spoken} (primary)' if word.is_primary else spoken,
            fontsize=11,
            weight='bold' if word.is_primary else 'normal',
            parse_math=False,
        )

    return draw


def _candidate(image: NDArray[np.uint8], candidate: Candidate, number: int) -> Draw:
    def draw(axes: Axes) -> None:
        axes.imshow(overlay(image, candidate.mask))
        axes.set_title(
            f'{"winner" if number == 0 else f"mask {number + 1}"}: heat {candidate.score:.2f}, '
            f'sure {candidate.confidence:.2f}',
            fontsize=10.5,
        )

    return draw


def enlarged(patches: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a map (rows, cols) at the size of an image (H, W, 3), min-max scaled."""
    height, width = image.shape[:2]
    return upsampled(torch.from_numpy(patches), (height, width)).numpy()


def _over(axes: Axes, image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> None:
    """Draw a heatmap over a grey image, clear where it is cold."""
    axes.imshow(image.mean(axis=2), cmap='gray', vmin=0, vmax=330)
    axes.imshow(heatmap, cmap='inferno', vmin=0, vmax=1, alpha=0.25 + 0.65 * heatmap)
