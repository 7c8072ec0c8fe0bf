"""Known objects are told apart by their looks, their size and where they should be."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.tracking.appearance import colour_bins
from iterprime_ros.tracking.known_objects import assigned, known_object

SIZE = 60, 80
RED, GREEN = (200, 30, 20), (30, 160, 40)
PLACES = st.lists(st.tuples(st.integers(0, 70), st.integers(0, 50)), min_size=1, max_size=4)
few = settings(max_examples=30, deadline=None)


def square(x, y, side=8):
    mask = np.zeros(SIZE, dtype=bool)
    mask[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)] = True
    return mask


def painted(*squares):
    """The colours of an image with squares of colours."""
    image = np.full((*SIZE, 3), 120, np.uint8)
    for mask, colour in squares:
        image[mask] = colour
    return colour_bins(image)


def known(mask, colour=RED):
    return known_object(mask, painted((mask, colour)))


def test_an_object_is_itself_and_nothing_of_another_colour_or_size():
    here = square(30, 20)
    red = known(here)
    assert red.likeness(here, painted((here, RED))) == pytest.approx(1)
    assert red.likeness(here, painted((here, GREEN))) == 0
    for side in (3, 16):
        other = square(30, 20, side)
        assert red.likeness(other, painted((other, RED))) == 0
    assert red.likeness(np.zeros(SIZE, dtype=bool), painted()) == 0


def test_the_nearer_the_likelier_and_less_so_after_a_while():
    red = known(square(30, 20))
    places = [square(x, 20) for x in (30, 34, 40, 60)]
    chances = [red.likeness(each, painted((each, RED))) for each in places]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 0.2
    for _ in range(60):
        red.miss(np.eye(3))
    assert red.likeness(places[-1], painted((places[-1], RED))) > 0.35


def test_what_left_over_the_edge_may_come_back_anywhere():
    gone = known(square(0, 20))
    assert gone.is_at_edge
    back = square(60, 20)
    assert gone.likeness(back, painted((back, RED))) > 0.35
    hidden = known(square(30, 20))
    assert not hidden.is_at_edge
    hidden.lose()
    assert hidden.unseen
    assert hidden.likeness(back, painted((back, RED))) > 0.35


def test_where_it_should_be_moves_with_the_camera():
    red = known(square(30, 20))
    shift = np.array([[1.0, 0, 20], [0, 1, -5], [0, 0, 1]])
    for _ in range(3):
        red.miss(shift)
    assert red.unseen == 3
    assert red.centre == pytest.approx([93.5, 8.5])
    red.miss(np.zeros((3, 3)))
    assert red.centre == pytest.approx([93.5, 8.5])
    red.see(square(10, 10))
    assert red.unseen == 0
    assert red.centre == pytest.approx([13.5, 13.5])


@few
@given(PLACES, PLACES)
def test_equal_objects_are_assigned_as_is_likeliest_together(places, now):
    objects, masks = [known(square(*each)) for each in places], [square(*each) for each in now]
    bins = painted(*((mask, RED) for mask in masks))
    chances = np.array([[each.likeness(mask, bins) for mask in masks] for each in objects])
    found = assigned(objects, masks, bins)
    assert all(chances[row, column] == likeness for row, (column, likeness) in found.items())
    assert len({column for column, _ in found.values()}) == len(found)
    wide = np.pad(chances, ((0, 4), (0, 4)))
    best = max(
        sum(wide[row, column] for row, column in enumerate(order))
        for order in permutations(range(len(masks) + len(objects)), len(objects))
        if max(order) < wide.shape[1]
    )
    assert sum(likeness for _, likeness in found.values()) == pytest.approx(best)


def test_a_look_alike_takes_its_own_place():
    target, other = known(square(10, 20)), known(square(60, 20))
    seen = [square(58, 20)]
    assert set(assigned([target, other], seen, painted((seen[0], RED)))) == {1}


def test_there_may_be_nothing_to_assign():
    assert assigned([], [square(1, 1)], painted()) == {}
    assert assigned([known(square(1, 1))], [], painted()) == {}
    assert known_object(np.zeros(SIZE, dtype=bool), painted()) is None


def test_it_learns_its_colours_slowly():
    here = square(30, 20)
    red = known(here)
    green = painted((here, GREEN))
    before = red.likeness(here, painted((here, RED)))
    red.see(here, green)
    assert 0.8 * before < red.likeness(here, painted((here, RED))) < before
    larger = square(30, 20, 10)
    green = painted((larger, GREEN))
    for _ in range(60):
        red.see(larger, green)
    assert red.likeness(larger, green) > 0.9
    assert red.area == pytest.approx(100, abs=2)
