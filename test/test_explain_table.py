"""Tables of chances say what the reasoning says, and have room."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.parts_answers import answer_about, disc
from iterprime_ros.explain_table import place_tables, split_table, tables_of
from iterprime_ros.language.command_parser import CommandParser

SIZE = (120, 160)
SCENE = {  # where they are, from left to right
    'red mug': (20, 60),
    'blue mug': (60, 90),
    'white plate': (80, 40),
    'red bottle': (110, 80),
    'green mug': (140, 50),
}


@pytest.fixture(scope='module')
def ask():
    parser = CommandParser.load()
    masks = [disc(SIZE, *place, 10) for place in SCENE.values()]
    return lambda command: answer_about(command, masks, list(SCENE), parser=parser)


@pytest.mark.parametrize(
    'command',
    [
        'the mug',
        'the mug left of the plate',
        'the mug that is not red',
        'the leftmost mug on the right',
        'the mug left of the plate left of the bottle',
        'the bottle between the mug and the plate',
        'all the mugs that are not left of the plate',
    ],
)
def test_the_last_column_is_the_product_of_the_others(ask, command):
    answer = ask(command)
    tables = tables_of(answer.parts)
    for table in tables:
        parts = [each.chances for each in table.columns if not each.is_product]
        assert np.prod(parts, axis=0) == pytest.approx(table.columns[-1].chances)
    chances = [each.chance for each in answer.candidates]
    assert tables[0].columns[-1].chances == pytest.approx(chances)


def test_every_noun_phrase_has_one_table(ask):
    tables = tables_of(ask('the mug left of the plate left of the bottle').parts)
    assert [table.title for table in tables] == [
        '“mug”',
        '“plate”, anchor of “left of”',
        '“bottle”, anchor of “left of”',
    ]
    assert [table.is_whole for table in tables] == [True, False, False]
    assert [column.heading for column in tables[0].columns] == [
        'match',
        'left of “plate”',
        'chance',
    ]


def test_anchors_are_the_numbers_of_the_candidates(ask):
    answer = ask('the blue mug left of the plate')
    table = tables_of(answer.parts)[0]
    (anchor,) = table.columns[1].anchors[0]
    assert np.array_equal(answer.candidates[anchor].mask, disc(SIZE, *SCENE['white plate'], 10))
    assert (table.columns[0].anchors.shape, table.columns[2].anchors.shape) == ((5, 0), (5, 0))


def test_a_relation_that_does_not_hold_names_no_anchor(ask):
    answer = ask('the mug left of the plate')
    table = tables_of(answer.parts)[0]
    rightmost = next(
        n
        for n, each in enumerate(answer.candidates)
        if each.mask[SCENE['green mug'][1], SCENE['green mug'][0]]
    )
    assert table.columns[1].anchors[rightmost] == [-1]


def test_a_plural_anchor_of_between_is_one_table(ask):
    assert len(tables_of(ask('the plate between the mugs').parts)) == 2


def test_a_wide_table_is_split_and_loses_nothing(ask):
    table = tables_of(ask('the leftmost mug on the left left of the plate').parts)[0]
    assert len(table.columns) >= 4
    for width in (0.1, 2.5, 3.5, 100.0):
        pieces = split_table(table, width)
        assert [column for piece in pieces for column in piece.columns] == list(table.columns)
        assert all(len(each.columns) == 1 or each.width <= width for each in pieces)
    assert split_table(table, 100.0)[0].title == table.title


@given(
    st.lists(st.tuples(st.floats(1, 14), st.floats(0.5, 6)), max_size=8),
    st.floats(0.5, 8),
    st.floats(0.5, 8),
)
def test_tables_overlap_neither_each_other_nor_the_picture(sizes, picture, height):
    places = place_tables(sizes, picture, 14.0, height)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(places, sizes, strict=True)]
    boxes.append((0, 0, picture - 0.01, height))
    for box in boxes:
        assert box[0] >= 0
        assert box[2] <= 14.0 + 1e-6
    for one, other in combinations(boxes, 2):
        across = min(one[2], other[2]) - max(one[0], other[0])
        down = min(one[3], other[3]) - max(one[1], other[1])
        assert across <= 1e-6 or down <= 1e-6
