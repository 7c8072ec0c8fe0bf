"""The table of following says what its clips say, group by group."""

import json

import numpy as np
import pytest

from helpers.clip_outcomes import outcome
from iterprime_ros.evaluation.clip_report import (
    ALL,
    FOUND,
    J_AND_F,
    LOST,
    ON_OTHERS,
    RATIOS,
    SWITCHES,
    F,
    J,
    following_report,
    following_results,
    following_table,
    times_table,
    write_following_json,
)

AWAY = (64,) * 5 + (0,) * 12 + (64,) * 20  # gone in frames 5 to 16


def away(name, lost_at, found_at, group='leave'):
    frames = range(len(AWAY))
    states = tuple('lost' if k in range(lost_at, 17) else 'tracking' for k in frames)
    objects = tuple(0 if k < 5 or k >= found_at else None for k in frames)
    return outcome(name, group, areas=AWAY, states=states, objects=objects)


CLIPS = [
    outcome('a', 'push', similarity=(1.0, 0.5), accuracy=(0.5, 0.5)),
    outcome('b', 'push', objects=(0, 1, 1, 0)),
    away('c', lost_at=15, found_at=32),
    away('d', lost_at=16, found_at=33),
]


def test_means_are_over_clips_and_not_over_frames():
    found = following_results(CLIPS).metrics
    assert list(found) == ['push', 'leave', ALL]
    assert found['push'][J].value == pytest.approx((0.75 + 1) / 2)
    assert found['push'][F].value == pytest.approx((0.5 + 1) / 2)
    assert found['push'][J_AND_F].value == pytest.approx((0.625 + 1) / 2)
    assert found[ALL][J].value == pytest.approx((0.75 + 3) / 4)
    assert found['push'][ON_OTHERS].value == pytest.approx(2 / 6)


def test_switches_are_those_of_all_clips_together():
    found = following_results(CLIPS).metrics
    assert found['push'][SWITCHES].value == 2
    assert found['leave'][SWITCHES].value == 0
    assert found[ALL][SWITCHES].value == 2
    assert found[ALL][SWITCHES].low == 0


def test_absences_count_within_10_and_15_frames():
    found = following_results(CLIPS).metrics
    # 10 frames after it left, and 11; 15 after it came back, and 16.
    assert found['leave'][LOST].value == 0.5
    assert found['leave'][FOUND].value == 0.5
    assert found[ALL][FOUND].value == 0.5
    assert np.isnan(found['push'][FOUND].value)


def test_an_absence_that_ends_too_early_is_not_counted():
    short = outcome(
        'e', areas=(64, 0, 0, 64), states=('tracking',) * 4, objects=(0, None, None, None)
    )
    found = following_results([short]).metrics
    assert np.isnan(found[ALL][FOUND].value)
    assert np.isnan(found[ALL][LOST].value)


def test_a_data_set_without_groups_has_one_row():
    assert list(following_results([outcome(group=ALL)]).metrics) == [ALL]


def test_the_table_has_a_row_for_every_group_and_follower():
    table = following_table(
        {'tracker': following_results(CLIPS), 'every-frame': following_results(CLIPS)}
    )
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()]
    assert rows[0] == ['group', 'by', 'clips', *RATIOS]
    assert [(row[0], row[1], row[2]) for row in rows[2:]] == [
        ('push', 'tracker', '2'),
        ('push', 'every-frame', '2'),
        ('leave', 'tracker', '2'),
        ('leave', 'every-frame', '2'),
        (ALL, 'tracker', '4'),
        (ALL, 'every-frame', '4'),
    ]
    leave = dict(zip(rows[0], rows[4], strict=True))
    assert leave[SWITCHES] == '0 (0 to 0)'
    assert leave[FOUND] == '0.500 (0.000 to 1.000) of 2'
    assert dict(zip(rows[0], rows[2], strict=True))[FOUND] == ''


def test_times_are_medians_of_all_frames_but_the_first():
    clips = [
        outcome('a', wall_ms=(900.0, 1.0, 2.0), cpu_ms=(800.0, 1.0, 1.0)),
        outcome('b', wall_ms=(700.0, 3.0), cpu_ms=(600.0, 3.0)),
    ]
    table = times_table({'tracker': following_results(clips)})
    assert table.splitlines()[-1].startswith('| tracker | 800.0 | 2.0 | 1.0 |')


def test_clips_of_one_frame_have_no_steps():
    table = times_table({'tracker': following_results([outcome(frames=1)])})
    assert table.splitlines()[-1].startswith('| tracker | 10.0 |')


def test_the_report_has_facts_tables_and_a_legend():
    report = following_report({'profile': 'tabletop'}, {'tracker': following_results(CLIPS)})
    assert report.startswith('# Evaluation of following\n\n- profile: tabletop\n\n')
    assert all(f'- {name}: ' in report for name in RATIOS)


def test_the_json_has_every_clip_and_no_nan(tmp_path):
    path = tmp_path / 'results.json'
    write_following_json(path, {'split': 'test'}, {'tracker': following_results(CLIPS)})

    def refuse(constant):
        raise ValueError(constant)

    content = json.loads(path.read_text(), parse_constant=refuse)
    assert content['split'] == 'test'
    found = content['followers']['tracker']
    assert found['metrics']['push'][FOUND]['value'] is None
    assert [each['clip_id'] for each in found['clips']] == ['a', 'b', 'c', 'd']
    assert found['clips'][1][SWITCHES] == 2
    assert found['clips'][2]['absences'][0]['lost_after'] == 10
    assert 'masks' not in found['clips'][0]
