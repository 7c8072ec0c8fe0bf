"""A picture of clips, one in a row, for people."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iterprime_ros.evaluation.clip_log import RecordedFollowing
from iterprime_ros.evaluation.clip_outcome import ClipOutcome
from iterprime_ros.evaluation.datasets.clips import ClipDataset, ClipFrame
from iterprime_ros.evaluation.mask_rle import decoded
from iterprime_ros.render import overlay

CLIPS, COLUMNS = 8, 8  # of a sheet
_MAX_WIDTH = 240  # pixels of a panel's picture, about


def worst_clips(recorded: RecordedFollowing, name: str, count: int = CLIPS) -> list[int]:
    """Return the clips of a follower with the lowest J&F, the lowest first."""
    scores = {index: each[name].j_and_f for index, each in recorded.outcomes.items()}
    return sorted(scores, key=lambda index: (scores[index], index))[:count]


def shown_frames(length: int, count: int = COLUMNS) -> list[int]:
    """Return numbers of frames at even steps from the first to the last."""
    return [int(k) for k in np.linspace(0, length - 1, min(count, length)).round()]


def clip_sheet(
    title: str, recorded: RecordedFollowing, dataset: ClipDataset, indices: Sequence[int]
) -> Figure:
    """Return a figure of clips, at least one: a row for each clip and follower.

    dataset: the whole data set; the frames that are shown are read again.
    indices: of the clips.
    """
    names = list(next(iter(recorded.outcomes.values())))
    rows = len(indices) * len(names)
    figure = Figure(figsize=(16, 1.75 * rows + 0.5), dpi=80, layout='constrained')
    figure.suptitle(
        f'{title}. Green: the mask. White outline: the target.', fontsize=10, parse_math=False
    )
    cells = figure.subplots(rows, COLUMNS, squeeze=False)
    for number, clip in enumerate(dataset.subset(indices)):
        outcomes = recorded.outcomes[indices[number]]
        frames = shown_frames(clip.length)
        for column, frame in enumerate(clip.read(frames)):
            drawn = cells[number * len(names) :, column]
            _draw_frame(dict(zip(names, drawn, strict=False)), frame, outcomes, frames[column])
        for row, (name, each) in zip(cells[number * len(names) :], outcomes.items(), strict=False):
            heading = f'{clip.clip_id}, {name}: J&F {each.j_and_f:.2f}\n{fill(clip.expression, 36)}'
            row[0].set_title(heading, fontsize=6, loc='left', parse_math=False)
    for axes in cells.ravel():
        axes.set_axis_off()
    return figure


def _draw_frame(
    cells: Mapping[str, Axes], frame: ClipFrame, outcomes: Mapping[str, ClipOutcome], index: int
) -> None:
    step = max(1, frame.image.shape[1] // _MAX_WIDTH)
    for name, axes in cells.items():
        outcome = outcomes[name]
        axes.imshow(overlay(frame.image, decoded(outcome.masks[index]))[::step, ::step])
        if frame.target[::step, ::step].any():
            axes.contour(frame.target[::step, ::step], levels=[0.5], colors='white', linewidths=0.8)
        if index:
            verdict = f'{index}: {outcome.states[index]}, J {outcome.similarity[index]:.2f}'
            axes.set_title(verdict, fontsize=7, parse_math=False)
