"""What an evaluation found, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.evaluation.metrics import Estimate, Outcome, estimates, miou, precision
from iterprime_ros.evaluation.runner import Answered
from iterprime_ros.render import overlay

_PANELS_WIDE = 6
SHEET = 24  # pictures on a contact sheet
_SHOWN_WIDTH = 320  # pixels of a picture on it


def strata_table(outcomes: Sequence[Outcome]) -> str:
    """Return a markdown table of every measure by stratum, with intervals."""
    strata = list(dict.fromkeys(outcome.stratum for outcome in outcomes))
    rows = {
        stratum: estimates([outcome for outcome in outcomes if outcome.stratum == stratum])
        for stratum in strata
    }
    rows['all'] = estimates(outcomes)
    counts = {stratum: sum(o.stratum == stratum for o in outcomes) for stratum in strata}
    counts['all'] = len(outcomes)
    measures = list(rows['all'])
    lines = [
        '| | questions | ' + ' | '.join(measures) + ' |',
        '|---' * (len(measures) + 2) + '|',
    ]
    for name, found in rows.items():
        cells = [_cell(found.get(measure)) for measure in measures]
        lines.append(f'| {name} | {counts[name]} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def breakdown_table(outcomes: Sequence[Outcome], name: str) -> str:
    """Return a markdown table of objects that are there, by a field: kind or manner."""
    present = [outcome for outcome in outcomes if outcome.is_present]
    groups: dict[str, list[Outcome]] = {}
    for outcome in present:
        groups.setdefault(str(getattr(outcome, name)), []).append(outcome)
    lines = [f'| {name} | questions | mIoU | P@0.5 |', '|---|---|---|---|']
    lines += [
        f'| {key} | {len(some)} | {miou(some):.3f} | {precision(some, 0.5):.3f} |'
        for key, some in sorted(groups.items())
    ]
    return '\n'.join(lines)


def plain_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a markdown table of rows with the same columns."""
    names = list(rows[0])
    lines = ['| ' + ' | '.join(names) + ' |', '|---' * len(names) + '|']
    lines += ['| ' + ' | '.join(row[name] for name in names) + ' |' for row in rows]
    return '\n'.join(lines)


def write_json(path: Path, facts: Mapping[str, object], outcomes: Sequence[Outcome]) -> None:
    """Write the facts, the measures by stratum and every outcome; what is unknown is null."""
    strata = dict.fromkeys(outcome.stratum for outcome in outcomes)
    measured = {
        stratum: {
            name: asdict(estimate)
            for name, estimate in estimates([o for o in outcomes if o.stratum == stratum]).items()
        }
        for stratum in strata
    }
    rows = [
        {
            name: None if isinstance(value, float) and isnan(value) else value
            for name, value in {**asdict(outcome), 'iou': outcome.iou}.items()
        }
        for outcome in outcomes
    ]
    content = {**facts, 'measures': measured, 'outcomes': rows}
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


@dataclass(frozen=True)
class Panel:
    """An answer as a contact sheet shows it, small enough to keep thousands.

    picture: (h, w, 3) uint8 with the mask in green. truth: (h, w) bool, None for nothing there.
    """

    picture: NDArray[np.uint8]
    truth: NDArray[np.bool_] | None
    title: str
    outcome: Outcome


def panel_of(answered: Answered) -> Panel:
    """Return an answer as a panel."""
    step = max(1, answered.rgb.shape[1] // _SHOWN_WIDTH)
    truth = answered.question.truth
    return Panel(
        overlay(answered.rgb, answered.answer.mask)[::step, ::step].copy(),
        None if truth is None else truth[::step, ::step].copy(),
        _verdict(answered),
        answered.outcome,
    )


def worst(panels: Sequence[Panel], count: int = SHEET) -> list[Panel]:
    """Return the worst answers: least IoU first, and objects found where nothing is."""

    def goodness(panel: Panel) -> tuple[float, float]:
        outcome = panel.outcome
        if outcome.is_present:
            return outcome.iou, -outcome.probability
        return float(outcome.is_refused), -outcome.probability

    return sorted(panels, key=goodness)[:count]


def contact_sheet(panels: Sequence[Panel]) -> Figure:
    """Return a figure of answers: the mask in green, the outline of the truth in white."""
    rows = -(-len(panels) // _PANELS_WIDE)
    figure = Figure(figsize=(16, 2.75 * rows), dpi=90, layout='constrained')
    places = figure.subplots(rows, _PANELS_WIDE, squeeze=False).ravel()
    for axes, panel in zip(places, panels, strict=False):
        axes.imshow(panel.picture)
        if panel.truth is not None:
            axes.contour(panel.truth, levels=[0.5], colors='white', linewidths=0.8)
        axes.set_title(panel.title, fontsize=8)
    for axes in places:
        axes.set_axis_off()
    return figure


def sampled(panels: Sequence[Panel], count: int = SHEET) -> list[Panel]:
    """Return answers as they come, evenly from the first to the last."""
    chosen = np.linspace(0, len(panels) - 1, min(count, len(panels))).round().astype(int)
    return [panels[k] for k in chosen]


def _verdict(each: Answered) -> str:
    text = fill(each.question.wording, 38)
    chance = f'match {each.outcome.probability:.2f}'
    if not each.outcome.is_present:
        right = 'nothing there, rightly refused' if each.outcome.is_refused else 'nothing is there'
        return f'{text}\n{right}, {chance}'
    if each.outcome.is_refused:
        return f'{text}\nrefused though there, {chance}'
    return f'{text}\nIoU {each.outcome.iou:.2f}, {chance}'


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ''
    return f'{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})'
