"""The picture of the objects shows those that matter, with room for their labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.parts_answers import answer_about, disc
from iterprime_ros.answer import Status
from iterprime_ros.explain_objects import (
    MOST_SHOWN,
    arrow_sources,
    free_box,
    marked_candidates,
    relation_arrows,
    shown_candidates,
)
from iterprime_ros.language.command_parser import CommandParser

SIZE = (120, 160)


@pytest.fixture(scope='module')
def ask():
    parser = CommandParser.load()

    def answer(command, scene):
        masks = [disc(SIZE, *place, 4) for _, place in scene]
        return answer_about(command, masks, [thing for thing, _ in scene], parser=parser)

    return answer


def number_at(answer, x, y):
    return next(n for n, each in enumerate(answer.candidates) if each.mask[y, x])


MUGS = [('red mug', (20, 60)), ('blue mug', (60, 100)), ('plate', (90, 50)), ('bottle', (140, 60))]


def test_every_mug_that_is_meant_has_an_arrow_to_its_anchor(ask):
    answer = ask('all the mugs left of the plate', MUGS)
    assert answer.status is Status.FOUND_SEVERAL
    assert marked_candidates(answer) == [0, 1]
    arrows = relation_arrows(answer.parts, arrow_sources(answer, answer.parts, range(4)))
    plate = number_at(answer, 90, 50)
    assert [(each.source, each.target) for each in arrows] == [(0, plate), (1, plate)]
    assert all(each.text.startswith('left of 0.9') for each in arrows)


def test_anchors_point_at_their_own_anchors(ask):
    answer = ask('the red mug left of the plate left of the bottle', MUGS)
    assert answer.status is Status.FOUND
    plate, bottle = number_at(answer, 90, 50), number_at(answer, 140, 60)
    arrows = relation_arrows(answer.parts, [0])
    assert [(each.source, each.target) for each in arrows] == [(0, plate), (plate, bottle)]
    assert [each.anchor.text for each in arrows] == ['plate', 'bottle']


def test_between_points_at_both(ask):
    answer = ask('the plate between the red mug and the bottle', MUGS)
    assert answer.status is Status.FOUND
    targets = {each.target for each in relation_arrows(answer.parts, [0])}
    assert targets == {number_at(answer, 20, 60), number_at(answer, 140, 60)}


def test_both_of_an_ambiguous_answer_are_marked(ask):
    answer = ask('the mug', MUGS)
    assert answer.status is Status.AMBIGUOUS
    assert marked_candidates(answer) == [0, 1]


def test_of_what_is_not_found_the_thing_itself_is_explained(ask):
    answer = ask('the bottle left of the plate', MUGS)
    assert answer.status is Status.NOT_FOUND
    assert marked_candidates(answer) == []
    assert arrow_sources(answer, answer.parts, range(4)) == [number_at(answer, 140, 60)]
    nothing = ask('the banana left of the plate', MUGS)
    assert arrow_sources(nothing, nothing.parts, range(4)) == []


def test_of_many_objects_the_anchor_is_among_those_shown(ask):
    crowd = [('ball', (5 + 10 * (n % 15), 5 + 10 * (n // 15))) for n in range(60)]
    answer = ask('the mug left of the plate', [*crowd, ('plate', (140, 100)), ('mug', (20, 100))])
    shown = shown_candidates(answer, answer.parts)
    assert len(shown) == MOST_SHOWN
    assert shown[0] == 0
    assert number_at(answer, 140, 100) in shown
    several = ask('all the balls', crowd)
    assert shown_candidates(several, several.parts) == list(range(24))


numbers = st.floats(0, 100)
places = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6)


@given(places, st.floats(1, 40), st.floats(1, 40), st.lists(places, max_size=4))
def test_a_label_takes_the_first_free_place_inside(wanted, wide, tall, others):
    taken = []
    for each in others:
        taken.append(free_box(each, (20, 10), (100, 100), taken))
    box = free_box(wanted, (wide, tall), (100, 100), taken)
    assert 0 <= box[0] <= box[2] <= 100 + 1e-9
    assert 0 <= box[1] <= box[3] <= 100 + 1e-9
    boxes = [free_box([place], (wide, tall), (100, 100), []) for place in wanted]
    areas = [sum(shared(each, other) for other in taken) for each in boxes]
    assert box == boxes[int(np.argmin(areas))]


def shared(one, other):
    across = max(0, min(one[2], other[2]) - max(one[0], other[0]))
    return across * max(0, min(one[3], other[3]) - max(one[1], other[1]))
