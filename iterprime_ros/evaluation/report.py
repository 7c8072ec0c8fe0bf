"""The report of an evaluation: markdown tables for people, JSON for programs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.bootstrap import CONFIDENCE_LEVEL, Estimate
from iterprime_ros.evaluation.metrics import (
    GENERALISED,
    MEAN_IOU,
    METRICS,
    OVERALL_IOU,
    P_05,
    PRECISIONS,
    Metric,
    estimates,
)
from iterprime_ros.evaluation.outcome import Outcome, outcome_as_json
from iterprime_ros.evaluation.published import published_figures

ALL = 'all'  # the row of every question; a data set without groups uses it as its only group
_COMPARISONS = (
    'fraction of targets with IoU above X, or of X and above. With > count '
    '[IteRPrimE](https://github.com/VoyageWang/IteRPrimE/blob/main/evaluator.py) and '
    '[PhraseCut](https://github.com/ChenyunWu/PhraseCutDataset/blob/master/utils/evaluator.py), '
    'with >= [LAVT](https://github.com/yz93/LAVT-RIS/blob/main/test.py), '
    '[DMMI](https://github.com/toggle1995/RIS-DMMI/blob/main/test.py) and '
    '[ReLA](https://github.com/henghuiding/ReLA/blob/main/gres_model/evaluation/refer_evaluation.py)'
)
_PUBLISHED_NOTE = (
    'In percent. Methods differ in models, masks and images counted, as far as known in the column '
    '"settings"; figures of a part of the split (a limit, a shard) are not comparable. An empty '
    'cell: not read in the source.'
)
_OF_TAGS = {'oIoU': OVERALL_IOU, 'mIoU': MEAN_IOU, 'P@0.5': P_05}


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
    metrics: estimates by group, then by the name of the metric in METRICS, PRECISIONS or
        GENERALISED; the group ALL has all outcomes.
    """

    outcomes: Sequence[Outcome]
    metrics: Mapping[str, Mapping[str, Estimate]]


def results_of(outcomes: Sequence[Outcome]) -> Results:
    """Return outcomes with their metrics."""
    groups = {**by_group(outcomes), ALL: outcomes}
    metrics = {**METRICS, **PRECISIONS, **GENERALISED}
    return Results(outcomes, {name: estimates(some, metrics) for name, some in groups.items()})


def report_text(
    facts: Mapping[str, object], results: Results, baselines: Mapping[str, Results]
) -> str:
    """Return the report in markdown.

    facts: what was evaluated and how, value by name; 'profile' is among them. Published figures
        are those of its 'dataset' and 'split'.
    results: of the profile's model.
    baselines: results of every baseline on the same questions, by its name.
    """
    profile = f'Profile {facts["profile"]}'
    named = {profile: results, **{f'Baseline {name}': each for name, each in baselines.items()}}
    parts = ['# Evaluation', '\n'.join(f'- {name}: {value}' for name, value in facts.items())]
    if baselines:
        parts += ['## All together', comparison_table(named)]
    for name, each in named.items():
        parts += [f'## {name}', metrics_table(each)]
        if each is results:
            parts += ['Answers by status:', status_table(results.outcomes)]
    for heading, metrics in _further_metrics(results).items():
        for name, each in named.items():
            parts += [f'## {name}: {heading}', metrics_table(each, metrics)]
    published = published_table(str(facts.get('dataset')), str(facts.get('split')), named)
    if published:
        parts += ['## Published figures', _PUBLISHED_NOTE, published]
    parts += ['## Legend', _legend(results)]
    targets = [outcome for outcome in results.outcomes if outcome.has_target]
    for tag in dict.fromkeys(tag for outcome in targets for tag in outcome.tags):
        for name, each in named.items():
            parts += [f'## {name}: targets by {tag}', tag_table(each.outcomes, tag)]
    return '\n\n'.join(parts)


def _further_metrics(results: Results) -> dict[str, Mapping[str, Metric]]:
    """Return the metrics that have tables of their own, by the headings of these."""
    present = results.metrics[ALL]
    further: dict[str, Mapping[str, Metric]] = {}
    if present.keys() & PRECISIONS.keys():
        further['precision at thresholds of IoU'] = PRECISIONS
    if 'N-acc' in present:  # without questions about what is not there, they are those above
        further['with and without a target'] = GENERALISED
    return further


def comparison_table(results: Mapping[str, Results]) -> str:
    """Return a markdown table of the metrics over all questions, a row for each name."""
    present = {name for each in results.values() for name in each.metrics[ALL]}
    metrics = {**METRICS, **GENERALISED} if 'N-acc' in present else METRICS
    shown = [name for name in metrics if name in present]
    return markdown_table(
        [
            {'model': model, **{name: str(each.metrics[ALL].get(name, '')) for name in shown}}
            for model, each in results.items()
        ]
    )


def published_table(dataset: str, split: str, results: Mapping[str, Results]) -> str:
    """Return a markdown table of results, then of the published figures on the same split.

    results: measured here, by the name of the model; their intervals in brackets.

    The figures are percentages. Without any publication on that split the table is ''.
    """
    published = published_figures(dataset, split)
    if not published:
        return ''
    here = [
        {
            'method': name,
            'oIoU': _percent(each.metrics[ALL].get('oIoU')),
            'mIoU': _percent(each.metrics[ALL].get('mIoU')),
            'settings': 'measured here',
            'source': 'this report',
        }
        for name, each in results.items()
    ]
    there = [
        {
            'method': each.method,
            'oIoU': '' if each.overall_iou is None else str(each.overall_iou),
            'mIoU': '' if each.mean_iou is None else str(each.mean_iou),
            'settings': each.settings,
            'source': f'<{each.source}>',
        }
        for each in published
    ]
    return markdown_table([*here, *there])


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return ''
    value, low, high = (100 * each for each in (estimate.value, estimate.low, estimate.high))
    return f'{value:.2f} ({low:.2f} to {high:.2f})'


def metrics_table(results: Results, metrics: Mapping[str, Metric] = METRICS) -> str:
    """Return a markdown table of metrics with their intervals, a row for each group.

    Metrics that the outcomes do not allow are left out; '' where none is left.
    """
    shown = [name for name in metrics if name in results.metrics[ALL]]
    if not shown:
        return ''
    counts = {**Counter(outcome.group for outcome in results.outcomes), ALL: len(results.outcomes)}
    rows = []
    for group, found in results.metrics.items():
        cells = {name: str(found.get(name, '')) for name in shown}
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
    rows = []
    for value, some in sorted(values.items()):
        found = estimates(some, _OF_TAGS)
        cells = {name: str(found.get(name, '')) for name in _OF_TAGS}
        rows.append({tag: value, 'questions': str(len(some)), **cells})
    return markdown_table(rows)


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
    return {'metrics': metrics, 'outcomes': [_fields(each) for each in results.outcomes]}


def _fields(outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome_as_json(outcome),
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
    further = _further_metrics(results).values()
    described = {**METRICS, **(GENERALISED if GENERALISED in further else {})}
    lines = [
        f'- {name}: {metric.description}'
        for name, metric in described.items()
        if name in results.metrics[ALL]
    ]
    if PRECISIONS in further:
        lines.append(f'- P@X (>), P@X (>=): {_COMPARISONS}')
    return '\n'.join([introduction, '', *lines])
