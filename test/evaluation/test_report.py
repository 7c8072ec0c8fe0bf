from dataclasses import replace

import pytest

from helpers.outcomes import BASE
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.evaluation.report import (
    by_group,
    markdown_table,
    metrics_table,
    report_text,
    results_of,
    status_table,
    tag_table,
)

PLACE = replace(BASE, group='place', tags={'kind': 'cube', 'colour': 'red'})
ABSENT = replace(BASE, group='absent', asked=Asked.NOTHING, union=0, tags={'colour': 'blue'})


def first_cells(table):
    return [line.split('|')[1].strip() for line in table.splitlines()[2:]]


def test_groups_are_in_order_of_appearance_and_those_without_a_target_last():
    some = [BASE, ABSENT, PLACE, BASE]
    assert [*by_group(some)] == ['attributes', 'place', 'absent']
    assert first_cells(metrics_table(results_of(some))) == ['attributes', 'place', 'absent', 'all']


def test_a_data_set_without_groups_has_one_row():
    assert first_cells(metrics_table(results_of([replace(BASE, group='all')] * 2))) == ['all']


def test_a_tag_has_a_row_for_every_value_of_a_target():
    some = [BASE, PLACE, ABSENT]
    assert first_cells(tag_table(some, 'kind')) == ['cube', 'mug']
    assert first_cells(tag_table(some, 'colour')) == ['red']


def test_questions_without_any_target_have_only_rejections():
    table = metrics_table(results_of([replace(ABSENT, status='not found')]))
    assert '| group | questions | correct rejections |' in table
    assert '| all | 1 | 1.000 (1.000 to 1.000) |' in table
    assert tag_table([ABSENT], 'colour') == markdown_table([]) == ''


def test_answers_are_counted_by_status():
    some = [BASE, replace(BASE, status='ambiguous'), replace(ABSENT, status='not found'), PLACE]
    assert status_table(some).splitlines() == [
        '| group | found | not found | ambiguous |',
        '|---|---|---|---|',
        '| attributes | 1 | 0 | 1 |',
        '| place | 1 | 0 | 0 |',
        '| absent | 0 | 1 | 0 |',
        '| all | 2 | 1 | 1 |',
    ]


def cells(text, heading):
    """Return the rows of the table below a heading, the names of its columns first."""
    lines = text.split(f'## {heading}\n', 1)[1].split('\n##')[0].splitlines()
    rows = [line.strip('| ').split(' | ') for line in lines if line.startswith('|')]
    return [rows[0], *rows[2:]]


def report_of(some, baselines=(), **facts):
    facts = {'profile': 'tabletop', 'dataset': 'tabletop', 'split': 'test', **facts}
    return report_text(facts, results_of(some), {name: results_of(some) for name in baselines})


def test_baselines_stand_in_one_table_with_the_profile():
    text = report_of([BASE, replace(PLACE, intersection=1)], ['grad-cam', 'position'])
    rows = cells(text, 'All together')
    assert rows[0][:4] == ['model', 'P@0.5', 'mIoU', 'oIoU']
    assert [row[0] for row in rows[1:]] == [
        *('Profile tabletop', 'Baseline grad-cam', 'Baseline position')
    ]
    assert rows[1][1].startswith('0.500 (')


def test_precision_has_a_table_of_both_comparisons():
    text = report_of([replace(BASE, intersection=7, union=10)])
    rows = cells(text, 'Profile tabletop: precision at thresholds of IoU')
    values = dict(zip(rows[0], rows[-1], strict=True))
    assert values['P@0.7 (>)'].startswith('0.000')
    assert values['P@0.7 (>=)'].startswith('1.000')
    assert 'P@X (>), P@X (>=): ' in text


def test_generalised_metrics_have_a_table_where_there_are_questions_without_a_target():
    heading = 'Profile tabletop: with and without a target'
    assert heading not in report_of([BASE])
    assert '- gIoU: ' not in report_of([BASE])
    text = report_of([BASE, replace(ABSENT, status='not found')])
    rows = cells(text, heading)
    assert rows[0] == ['group', 'questions', 'gIoU', 'cIoU', 'N-acc', 'T-acc', 'empty masks']
    assert rows[-1][2].startswith('0.500')
    assert '- gIoU: ' in text


def test_every_tag_has_a_table_for_every_model():
    text = report_of([replace(BASE, intersection=1), PLACE], ['grad-cam'])
    for model in ('Profile tabletop', 'Baseline grad-cam'):
        rows = cells(text, f'{model}: targets by kind')
        assert rows[0] == ['kind', 'questions', 'oIoU', 'mIoU', 'P@0.5']
        assert rows[2] == ['mug', '1', *['1.000 (1.000 to 1.000)'] * 3]


def test_published_figures_stand_below_ours():
    some = [replace(BASE, intersection=1, union=4)]
    assert 'Published' not in report_of(some)
    rows = cells(report_of(some, dataset='refcoco', split='testA'), 'Published figures')
    assert rows[0] == ['method', 'oIoU', 'mIoU', 'settings', 'source']
    ours = '25.00 (25.00 to 25.00)'
    assert rows[1] == ['Profile tabletop', ours, ours, 'measured here', 'this report']
    (gl_clip,) = [row for row in rows if row[0] == 'GL-CLIP']
    assert gl_clip[1:3] == ['23.66', '24.54']
    assert gl_clip[4].startswith('<https://github.com/Seonghoon-Yu/Zero-shot-RIS/')
    (iterprime,) = [row for row in rows if row[0] == 'IteRPrimE']
    assert iterprime[1:3] == ['', '']


@pytest.mark.parametrize('some', [[replace(ABSENT, status='not found')], [BASE]])
def test_no_heading_is_without_a_table(some):
    text = report_of(some, dataset='refcoco', split='val')
    for section in text.split('\n## ')[1:]:
        assert '|---' in section or section.startswith('Legend')
