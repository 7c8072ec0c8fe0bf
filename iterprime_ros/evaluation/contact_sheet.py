"""Pictures of many answers at once, for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.evaluation.metrics import Asked, Outcome
from iterprime_ros.evaluation.runner import AnsweredQuestion
from iterprime_ros.render import overlay

PANELS = 24  # on a sheet
_COLUMNS = 6
_MAX_WIDTH = 320  # pixels of a panel's picture, about


@dataclass(frozen=True)
class Panel:
    """An answer as a contact sheet shows it, small enough to keep thousands.

    picture: (h, w, 3) uint8 RGB, the image with the answer's mask in green.
    target_mask: (h, w) bool; None without a target.
    title: the expression and the verdict.
    outcome: the answer compared with the ground truth.
    """

    picture: NDArray[np.uint8]
    target_mask: NDArray[np.bool_] | None
    title: str
    outcome: Outcome


def panel_of(answered: AnsweredQuestion) -> Panel:
    """Return an answer as a panel."""
    step = max(1, answered.image.shape[1] // _MAX_WIDTH)
    target = answered.question.target_mask
    return Panel(
        overlay(answered.image, answered.answer.mask)[::step, ::step].copy(),
        None if target is None else target[::step, ::step].copy(),
        f'{fill(answered.question.expression, 38)}\n{_verdict(answered.outcome)}',
        answered.outcome,
    )


def worst(panels: Sequence[Panel], count: int = PANELS) -> list[Panel]:
    """Return the worst answers: lowest IoU first.

    Where nothing or no single object fits, a wrong status counts as 0 and the right one as 1.
    """

    def goodness(panel: Panel) -> tuple[float, float]:
        outcome = panel.outcome
        right = {Asked.NOTHING: outcome.is_rejected, Asked.UNCLEAR: outcome.is_ambiguous}
        return float(right.get(outcome.asked, outcome.iou)), -outcome.match_probability

    return sorted(panels, key=goodness)[:count]


def evenly_spaced(panels: Sequence[Panel], count: int = PANELS) -> list[Panel]:
    """Return answers at even steps from the first to the last."""
    chosen = np.linspace(0, len(panels) - 1, min(count, len(panels))).round().astype(int)
    return [panels[k] for k in chosen]


def contact_sheet(title: str, panels: Sequence[Panel]) -> Figure:
    """Return a figure of at least one answer under a title."""
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(16, 2.75 * rows + 0.4), dpi=90, layout='constrained')
    figure.suptitle(
        f'{title}. Green: the mask of the answer. White outline: the ground truth.',
        fontsize=10,
        parse_math=False,
    )
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, panel in zip(cells, panels, strict=False):
        axes.imshow(panel.picture)
        if panel.target_mask is not None:
            axes.contour(panel.target_mask, levels=[0.5], colors='white', linewidths=0.8)
        axes.set_title(panel.title, fontsize=8, parse_math=False)
    for axes in cells:
        axes.set_axis_off()
    return figure


def _verdict(outcome: Outcome) -> str:
    probability = f'match {outcome.match_probability:.2f}'
    match outcome.asked:
        case Asked.NOTHING:
            verdict = 'correct rejection' if outcome.is_rejected else 'false positive'
        case Asked.UNCLEAR:
            right = 'correctly' if outcome.is_ambiguous else 'ambiguous, but'
            verdict = f'{right} {outcome.status}'
        case _ if outcome.is_rejected:
            verdict = 'false rejection'
        case _:
            verdict = f'{outcome.status}, IoU {outcome.iou:.2f}'
    return f'{verdict}, {probability}'
