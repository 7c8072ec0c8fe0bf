"""The report of following: a table by group of clips for people, JSON for programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from iterprime_ros.evaluation.bootstrap import CONFIDENCE_LEVEL, Estimate, ratio_estimates
from iterprime_ros.evaluation.clip_outcome import ClipOutcome, clip_outcome_as_json
from iterprime_ros.evaluation.datasets.clips import ALL
from iterprime_ros.evaluation.report import markdown_table
from iterprime_ros.evaluation.video_metrics import BACK, GONE, SAME, within

LOST_WITHIN, FOUND_WITHIN = 10, 15  # frames
J_AND_F, J, F, SWITCHES, ON_OTHERS, FOUND, LOST = (
    'J&F',
    'J',
    'F',
    'identity switches',
    'on another object',
    f'found again within {FOUND_WITHIN}',
    f'LOST within {LOST_WITHIN}',
)


@dataclass(frozen=True)
class _Ratio:
    """A sum over clips divided by another sum over clips.

    of: returns what a clip adds to both.
    description: half a sentence for the legend.
    """

    of: Callable[[ClipOutcome], tuple[float, float]]
    description: str


def _in_time(verdicts: Sequence[bool | None]) -> tuple[float, float]:
    counted = [each for each in verdicts if each is not None]
    return sum(counted), len(counted)


def _found_in_time(outcome: ClipOutcome) -> tuple[float, float]:
    gone = outcome.absences
    return _in_time([within(e.found_after, e.found_frames, FOUND_WITHIN) for e in gone])


def _lost_in_time(outcome: ClipOutcome) -> tuple[float, float]:
    gone = outcome.absences
    return _in_time([within(e.lost_after, e.lost_frames, LOST_WITHIN) for e in gone])


RATIOS: Mapping[str, _Ratio] = {
    J_AND_F: _Ratio(lambda o: (o.j_and_f, 1), 'the mean of J and F'),
    J: _Ratio(
        lambda o: (o.j, 1),
        'region similarity, the IoU of the mask with the visible pixels of the target, 1 where '
        'both are empty; the mean over the frames of a clip, then over the clips (DAVIS, MeViS)',
    ),
    F: _Ratio(
        lambda o: (o.f, 1),
        'boundary accuracy, the harmonic mean of precision and recall of the boundary pixels with '
        'a tolerance of ceil(0.008 x diagonal) pixels; means as of J',
    ),
    SWITCHES: _Ratio(
        lambda o: (o.switches, 1),
        'how often the mask went over to another object than the last one that it was on, in all '
        f'clips together; it is on an object with an IoU of at least {SAME} (the mismatches of '
        'CLEAR MOT). Going over and coming back are two',
    ),
    ON_OTHERS: _Ratio(
        lambda o: (o.on_others, len(o.objects)),
        'the fraction of frames in which the mask is on another object than the target',
    ),
    FOUND: _Ratio(
        _found_in_time,
        f'the fraction of absences after which the mask is on the target again at most '
        f'{FOUND_WITHIN} frames after it came back; "of n" is how many absences were followed by '
        'more frames than these',
    ),
    LOST: _Ratio(
        _lost_in_time,
        f'the fraction of absences in which LOST is said at most {LOST_WITHIN} frames after the '
        f'target left. It left in the first frame with less than {100 * GONE:.0f} % of its first '
        f'area, and came back in the next one with {100 * BACK:.0f} %; "of n" is how many absences '
        'were longer',
    ),
}


@dataclass(frozen=True)
class FollowingResults:
    """The outcomes of one follower and what was computed from them.

    outcomes: of every clip.
    metrics: estimates by group, then by a key of RATIOS; the group ALL has all clips. Of switches
        it is the number in the group.
    """

    outcomes: Sequence[ClipOutcome]
    metrics: Mapping[str, Mapping[str, Estimate]]

    def of_group(self, group: str) -> list[ClipOutcome]:
        """Return the outcomes of a group."""
        return [each for each in self.outcomes if group in (ALL, each.group)]


def following_results(outcomes: Sequence[ClipOutcome]) -> FollowingResults:
    """Return outcomes, at least one, with their metrics."""
    groups = [*dict.fromkeys(each.group for each in outcomes if each.group != ALL), ALL]
    metrics = {}
    for group in groups:
        some = [each for each in outcomes if group in (ALL, each.group)]
        metrics[group] = _estimates(some)
    return FollowingResults(outcomes, metrics)


def following_report(facts: Mapping[str, object], results: Mapping[str, FollowingResults]) -> str:
    """Return the report in markdown.

    facts: what was evaluated and how, value by name.
    results: by the name of the follower, all of the same clips.
    """
    parts = ['# Evaluation of following']
    parts.append('\n'.join(f'- {name}: {value}' for name, value in facts.items()))
    parts += ['## By group of clips', following_table(results)]
    parts += ['## Time of a frame', times_table(results), '## Legend', _legend()]
    return '\n\n'.join(parts)


def following_table(results: Mapping[str, FollowingResults]) -> str:
    """Return a markdown table of the metrics, a row for each group and follower."""
    first = next(iter(results.values()))
    rows = []
    for group in first.metrics:
        for name, each in results.items():
            some = each.of_group(group)
            cells = {
                metric: _cell(metric, found, some) for metric, found in each.metrics[group].items()
            }
            rows.append({'group': group, 'by': name, 'clips': str(len(some)), **cells})
    return markdown_table(rows)


def times_table(results: Mapping[str, FollowingResults]) -> str:
    """Return a markdown table of what frames took, the first ones of clips apart."""
    rows = []
    for name, each in results.items():
        steps = np.concatenate([outcome.steps for outcome in each.outcomes])
        first = np.median([outcome.wall_ms[0] for outcome in each.outcomes])
        row = {'by': name, 'first frame, ms': f'{first:.1f}'}
        if len(steps):
            wall, cpu = np.median(steps, axis=0)
            late = np.percentile(steps[:, 0], 95)
            row |= {
                'step, ms': f'{wall:.1f}',
                'CPU ms': f'{cpu:.1f}',
                '95th percentile, ms': f'{late:.1f}',
            }
        rows.append(row)
    return markdown_table(rows)


def write_following_json(
    path: Path, facts: Mapping[str, object], results: Mapping[str, FollowingResults]
) -> None:
    """Write the facts, every metric by follower and group, and every outcome without its masks.

    path: of the file to write. NaN is written as null.
    """
    content = {**facts, 'followers': {name: _as_json(each) for name, each in results.items()}}
    path.write_text(json.dumps(content) + '\n', encoding='utf-8')


def _estimates(outcomes: Sequence[ClipOutcome]) -> dict[str, Estimate]:
    sums = np.array([[ratio.of(each) for ratio in RATIOS.values()] for each in outcomes], float)
    videos = [each.video_id for each in outcomes]
    found = dict(zip(RATIOS, ratio_estimates(sums[..., 0], sums[..., 1], videos), strict=True))
    count = len(outcomes)
    mean = found[SWITCHES]
    found[SWITCHES] = Estimate(count * mean.value, count * mean.low, count * mean.high)
    return found


def _cell(metric: str, estimate: Estimate, outcomes: Sequence[ClipOutcome]) -> str:
    if np.isnan(estimate.value):
        return ''
    if metric == SWITCHES:
        return f'{estimate.value:.0f} ({estimate.low:.0f} to {estimate.high:.0f})'
    if metric in (FOUND, LOST):
        counted = sum(RATIOS[metric].of(each)[1] for each in outcomes)
        return f'{estimate} of {counted:.0f}'
    return str(estimate)


def _as_json(results: FollowingResults) -> dict[str, Any]:
    metrics = {
        group: {
            name: {key: None if np.isnan(value) else value for key, value in asdict(each).items()}
            for name, each in found.items()
        }
        for group, found in results.metrics.items()
    }
    return {'metrics': metrics, 'clips': [_fields(each) for each in results.outcomes]}


def _fields(outcome: ClipOutcome) -> dict[str, Any]:
    fields = clip_outcome_as_json(outcome)
    del fields['masks']
    return {
        **fields,
        J_AND_F: outcome.j_and_f,
        SWITCHES: outcome.switches,
        'absences': [asdict(each) for each in outcome.absences],
    }


def _legend() -> str:
    introduction = (
        f'Brackets hold {CONFIDENCE_LEVEL} % bootstrap intervals, resampled by video. All frames '
        'count, the first one too. What is said to be LOST has an empty mask.'
    )
    times = (
        '- step: the median time of a frame after the first one, from the image to the mask; CPU '
        'is that of all threads'
    )
    lines = [f'- {name}: {ratio.description}' for name, ratio in RATIOS.items()]
    return '\n'.join([introduction, '', *lines, times])
