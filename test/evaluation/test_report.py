from dataclasses import replace

from helpers.outcomes import BASE
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.evaluation.report import (
    by_group,
    markdown_table,
    metrics_table,
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
