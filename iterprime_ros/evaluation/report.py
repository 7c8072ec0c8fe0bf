"""The report of an evaluation: markdown tables for people, JSON for programs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.metrics import (
    CONFIDENCE_LEVEL,
    MEAN_IOU,
    METRICS,
    P_05,
    Estimate,
    Outcome,
    estimates,
)

ALL = 'all'  # the row of every question; a data set without groups uses it as its only group


def by_group(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of every group, as they first appear; groups without a target last."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.group, []).append(outcome)
    has_target = {name: any(o.has_target for o in some) for name, some in groups.items()}
    return dict(sorted(groups.items(), key=lambda item: not has_target[item[0]]))


@dataclass(frozen=True)
class Results:
    """The outcomes of one model and what was computed from them.

    outcomes: of every question.
    metrics: estimates by group, then by the name of the metric; the group ALL has all outcomes.
    """

    outcomes: Sequence[Outcome]
    metrics: Mapping[str, Mapping[str, Estimate]]


def results_of(outcomes: Sequence[Outcome]) -> Results:
    """Return outcomes with their metrics."""
    groups = {**by_group(outcomes), ALL: outcomes}
    return Results(outcomes, {name: estimates(some) for name, some in groups.items()})


def report_text(
    facts: Mapping[str, object], results: Results, baselines: Mapping[str, Results]
) -> str:
    """Return the report in markdown.

    facts: what was evaluated and how, value by name; 'profile' is among them.
    results: of the profile's model.
    baselines: results of every baseline on the same questions, by its name.
    """
    parts = [
        '# Evaluation',
        '\n'.join(f'- {name}: {value}' for name, value in facts.items()),
        f'## Profile {facts["profile"]}',
        metrics_table(results),
        'Answers by status:',
        status_table(results.outcomes),
    ]
    for name, each in baselines.items():
        parts += [f'## Baseline {name}', metrics_table(each)]
    parts += ['## Legend', _legend(results)]
    for tag in dict.fromkeys(tag for outcome in results.outcomes for tag in outcome.tags):
        parts += [
            f'## Profile {facts["profile"]}: targets by {tag}',
            tag_table(results.outcomes, tag),
        ]
    return '\n\n'.join(parts)


def metrics_table(results: Results) -> str:
    """Return a markdown table of every metric with its interval, a row for each group."""
    counts = {**Counter(outcome.group for outcome in results.outcomes), ALL: len(results.outcomes)}
    rows = []
    for group, metrics in results.metrics.items():
        cells = {name: str(metrics.get(name, '')) for name in results.metrics[ALL]}
        rows.append({'group': group, 'questions': str(counts[group]), **cells})
    return markdown_table(rows)


def status_table(outcomes: Sequence[Outcome]) -> str:
    """Return a markdown table of how many answers have each status, a row for each group."""
    present = {outcome.status for outcome in outcomes}
    names: list[str] = [status.value for status in Status if status.value in present]
    groups = {**by_group(outcomes), ALL: outcomes}
    rows: list[dict[str, str]] = []
    for group, some in groups.items():
        counts = Counter(outcome.status for outcome in some)
        cells = {name: str(counts[name]) for name in names}
        rows.append({'group': group, **cells})
    return markdown_table(rows)


def tag_table(outcomes: Sequence[Outcome], tag: str) -> str:
    """Return a markdown table of the questions with a target, a row for each value of a tag."""
    values: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.has_target and tag in outcome.tags:
            values.setdefault(outcome.tags[tag], []).append(outcome)
    return markdown_table(
        [
            {
                tag: value,
                'questions': str(len(some)),
                'P@0.5': f'{P_05(some):.3f}',
                'mIoU': f'{MEAN_IOU(some):.3f}',
            }
            for value, some in sorted(values.items())
        ]
    )


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a markdown table of rows with the same columns; '' without rows."""
    if not rows:
        return ''
    names = list(rows[0])
    lines = ['| ' + ' | '.join(names) + ' |', '|---' * len(names) + '|']
    lines += ['| ' + ' | '.join(row[name] for name in names) + ' |' for row in rows]
    return '\n'.join(lines)


def write_json(
    path: Path, facts: Mapping[str, object], results: Results, baselines: Mapping[str, Results]
) -> None:
    """Write the facts, every metric by group and every outcome; NaN is written as null.

    path: of the file to write.
    facts, results, baselines: see report_text.
    """
    content = {
        **facts,
        **_as_json(results),
        'baselines': {name: _as_json(each) for name, each in baselines.items()},
    }
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def _as_json(results: Results) -> dict[str, Any]:
    metrics = {
        group: {name: asdict(estimate) for name, estimate in found.items()}
        for group, found in results.metrics.items()
    }
    rows = [
        {
            name: None if isinstance(value, float) and isnan(value) else value
            for name, value in _fields(outcome).items()
        }
        for outcome in results.outcomes
    ]
    return {'metrics': metrics, 'outcomes': rows}


def _fields(outcome: Outcome) -> dict[str, Any]:
    return {
        **asdict(outcome),
        'asked': outcome.asked.value,
        'iou': outcome.iou,
        'has_target': outcome.has_target,
        'is_rejected': outcome.is_rejected,
    }


def _legend(results: Results) -> str:
    introduction = (
        f'Brackets hold {CONFIDENCE_LEVEL} % bootstrap intervals, resampled by image. The target '
        'of a question is what it refers to; some questions have none, and of some it is unclear. '
        'Every mask is compared with the target, whatever the status of the answer: of AMBIGUOUS, '
        'that of the best candidate.'
    )
    metrics = [f'- {name}: {METRICS[name].description}' for name in results.metrics[ALL]]
    return '\n'.join([introduction, '', *metrics])
