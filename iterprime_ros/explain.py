"""The figure for a person who asks "why that one?"."""

from collections.abc import Callable, Sequence
from textwrap import wrap

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status, WordHeatmap
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.refinement import RefinementRound
from iterprime_ros.render import overlay

Draw = Callable[[Axes], None]

_WIDTH, _DPI = 15.0, 100  # inches, pixels an inch: 1500 pixels wide
_LEFT, _GAP, _TITLE, _LINE = 0.6, 0.15, 0.45, 0.24  # inches; a line is one of the facts or heading
_FEWEST_COLUMNS, _MOST_COLUMNS = 3, 4
_HEADING_CHARACTERS, _FACT_CHARACTERS = 110, 56  # that fit in a line
_TALLEST = 2.0  # height over width that a panel gets at most
_SHOWN_MASKS = 4
_RANKS = {
    'mean': 'the mean of the heatmap inside',
    'overlap': 'the overlap with the heatmap',
}
_COLOUR = {
    Status.FOUND: '#1a7f37',
    Status.AMBIGUOUS: '#b35900',
    Status.NOT_FOUND: '#b3261e',
    Status.INVALID: '#b3261e',
}


def explanation(image: NDArray[np.uint8], answer: Segmentation) -> Figure:
    """Return a figure, 1500 pixels wide, that explains an answer.

    image: (H, W, 3) uint8 RGB, the image that `answer` is about.

    Rows: the answer and the heatmap; every round with the patches that were hidden from it; every
    focus word's heatmap, unless all are flat; the best masks with the measure that ranked them.
    """
    facts = _facts(answer)
    rows = [('', _answer_row(image, answer, facts), _FEWEST_COLUMNS)]
    for title, draws in (
        ('rounds', [_round(image, each, n) for n, each in enumerate(answer.rounds)]),
        ('words', _words(image, answer)),
        (
            'masks',
            [_candidate(image, answer, n) for n in range(len(answer.candidates[:_SHOWN_MASKS]))],
        ),
    ):
        columns = min(max(len(draws), _FEWEST_COLUMNS), _MOST_COLUMNS)
        for start in range(0, len(draws), columns):
            rows.append((title if start == 0 else '', draws[start : start + columns], columns))
    command = answer.command.text if answer.command else ''
    heading = [*wrap(f'“{command}”', _HEADING_CHARACTERS), *wrap(answer.text, _HEADING_CHARACTERS)]
    aspect = min(image.shape[0] / image.shape[1], _TALLEST)
    sizes = [_panel(columns, aspect) for _, _, columns in rows]
    sizes[0] = (sizes[0][0], max(sizes[0][1], _LINE * len(facts)))
    top = 0.05 + 1.25 * _LINE * len(heading)
    height = top + sum(_TITLE + tall for _, tall in sizes) + _GAP
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.suptitle(
        '\n'.join(heading),
        y=1 - 0.1 / height,
        fontsize=15,
        color=_COLOUR[answer.status],
        weight='bold',
        parse_math=False,
    )
    for (title, draws, _), (wide, tall) in zip(rows, sizes, strict=True):
        top += _TITLE + tall
        for c, draw in enumerate(draws):
            left = _LEFT + c * (wide + _GAP)
            place = (left / _WIDTH, 1 - top / height, wide / _WIDTH, tall / height)
            axes = figure.add_axes(place)
            draw(axes)
            axes.set_xticks([])
            axes.set_yticks([])
            if c == 0 and title:
                axes.set_ylabel(title, fontsize=13, weight='bold')
    return figure


def _panel(columns: int, aspect: float) -> tuple[float, float]:
    """Return the width and height in inches of the panels of a row."""
    wide = (_WIDTH - _LEFT) / columns - _GAP
    return wide, wide * aspect


def _answer_row(image: NDArray[np.uint8], answer: Segmentation, lines: Sequence[str]) -> list[Draw]:
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
            '\n'.join(lines),
            va='top',
            fontsize=10.5,
            linespacing=1.5,
            parse_math=False,
        )

    return [picture, heat, facts]


def _facts(answer: Segmentation) -> list[str]:
    """Return the lines beside the answer, none too long for their place."""
    facts = []
    if answer.command:
        command = answer.command
        primary = next((each for each in answer.word_heatmaps if each.is_primary), None)
        facts += [
            f'verb: {command.action_verb or "none"}',
            f'expression: {command.expression[:60]}',
            f'primary word: {_word_text(answer, primary) if primary else "none"}',
        ]
    facts += [f'{stage}: {spent:.0f} ms' for stage, spent in answer.milliseconds.items()]
    if answer.word_heatmaps and not _has_word_heatmaps(answer):
        facts.append('words: no heatmap of their own in this fusion block')
    if answer.candidates:
        facts.append(f'masks: ranked by {_RANKS[answer.ranked_by]}')
    facts += [f'note: {note}' for note in answer.notes]
    return [line for fact in facts for line in wrap(fact, _FACT_CHARACTERS)]


def _has_word_heatmaps(answer: Segmentation) -> bool:
    return any(np.ptp(each.heatmap) > 0 for each in answer.word_heatmaps)


def _word_text(answer: Segmentation, word: WordHeatmap) -> str:
    return answer.command.expression[slice(*word.span)] if answer.command else ''


def _round(image: NDArray[np.uint8], drawn: RefinementRound, number: int) -> Draw:
    def draw(axes: Axes) -> None:
        _over(axes, image, enlarged(drawn.heatmap, image))
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
        share = drawn.hidden.mean()
        title = f'round {number}: match {drawn.probability:.2f}'
        title += f', {share:.1%} hidden' if share else ''
        axes.set_title(title if drawn.kept else f'{title}, left out', fontsize=10.5)

    return draw


def _words(image: NDArray[np.uint8], answer: Segmentation) -> list[Draw]:
    if not _has_word_heatmaps(answer):
        return []
    return [_word(image, answer, each) for each in answer.word_heatmaps]


def _word(image: NDArray[np.uint8], answer: Segmentation, word: WordHeatmap) -> Draw:
    text = _word_text(answer, word)

    def draw(axes: Axes) -> None:
        _over(axes, image, enlarged(word.heatmap, image))
        axes.set_title(
            f'{text} (primary)' if word.is_primary else text,
            fontsize=11,
            weight='bold' if word.is_primary else 'normal',
            parse_math=False,
        )

    return draw


def _candidate(image: NDArray[np.uint8], answer: Segmentation, number: int) -> Draw:
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


def _over(axes: Axes, image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> None:
    """Draw a heatmap over a grey image, clear where it is cold."""
    axes.imshow(image.mean(axis=2), cmap='gray', vmin=0, vmax=330)
    axes.imshow(heatmap, cmap='inferno', vmin=0, vmax=1, alpha=0.25 + 0.65 * heatmap)
