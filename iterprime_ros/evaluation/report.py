"""What an evaluation found, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

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


def written_json(path: Path, facts: Mapping[str, object], outcomes: Sequence[Outcome]) -> None:
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


def worst(answered: Sequence[Answered], count: int = SHEET) -> list[Answered]:
    """Return the worst answers: least IoU first, and objects found where nothing is."""

    def goodness(each: Answered) -> tuple[float, float]:
        if each.outcome.is_present:
            return each.outcome.iou, -each.outcome.probability
        return float(each.outcome.is_refused), -each.outcome.probability

    return sorted(answered, key=goodness)[:count]


def contact_sheet(answered: Sequence[Answered]) -> Figure:
    """Return a figure of answers: the mask in green, the outline of the truth in white."""
    rows = -(-len(answered) // _PANELS_WIDE)
    figure = Figure(figsize=(16, 2.75 * rows), dpi=90, layout='constrained')
    panels = figure.subplots(rows, _PANELS_WIDE, squeeze=False).ravel()
    for axes, each in zip(panels, answered, strict=False):
        step = max(1, each.rgb.shape[1] // _SHOWN_WIDTH)
        axes.imshow(overlay(each.rgb, each.answer.mask)[::step, ::step])
        if each.question.truth is not None:
            truth = each.question.truth[::step, ::step]
            axes.contour(truth, levels=[0.5], colors='white', linewidths=0.8)
        axes.set_title(_verdict(each), fontsize=8)
    for axes in panels:
        axes.set_axis_off()
    return figure


def sampled(answered: Sequence[Answered], count: int = SHEET) -> list[Answered]:
    """Return answers as they come, evenly from the first to the last."""
    chosen = np.linspace(0, len(answered) - 1, min(count, len(answered))).round().astype(int)
    return [answered[k] for k in chosen]


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
