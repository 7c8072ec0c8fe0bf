"""A carried object takes a proposal that shows it, whole or in part, and nothing else."""

import numpy as np
import pytest

from iterprime_ros.tracking.appearance import colour_bins
from iterprime_ros.tracking.carried_object import CarriedObject
from iterprime_ros.tracking.windows import Window

SIZE = 60, 90
RED, BROWN = (200, 30, 20), (120, 80, 40)
FRAME = Window(0, 0, SIZE[1], SIZE[0], SIZE)
SHIFT = np.array([[1.0, 0, 6], [0, 1, 0], [0, 0, 1]])


def box(left, top, right, bottom):
    mask = np.zeros(SIZE, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


HERE, NOTHING = box(20, 20, 40, 40), box(0, 0, 0, 0)


def painted(*parts):
    image = np.full((*SIZE, 3), 170, np.uint8)
    for mask, colour in parts:
        image[mask] = colour
    return colour_bins(image)


@pytest.fixture
def red():
    return CarriedObject.seen(HERE, painted((HERE, RED)))


def test_it_is_as_it_was_seen(red):
    assert red.is_seen
    assert red.area == 400
    assert red.confidence == pytest.approx(1)


def test_it_moves_from_where_it_was_drawn(red):
    there = box(32, 20, 52, 40)
    bins = painted((there, RED))
    red.move(SHIFT, painted((box(26, 20, 46, 40), RED)))
    red.move(SHIFT, bins)
    assert np.array_equal(red.mask, there)
    assert (red.stale, red.confidence) == (2, pytest.approx(1))
    red.draw(there, NOTHING, there[None], bins, FRAME)
    assert red.stale == 0
    red.move(np.eye(3), bins)
    assert np.array_equal(red.mask, there)


def test_what_is_covered_is_cut_off_and_lowers_the_confidence(red):
    covered = box(20, 20, 34, 40)
    bins = painted((HERE, RED), (covered, BROWN))
    red.move(np.eye(3), bins)
    assert not (red.mask & box(0, 0, 33, 60)).any()
    assert (red.mask & box(35, 20, 40, 40)).sum() == 100
    assert red.confidence < 0.5


def test_it_vanishes_once_something_else_is_there(red):
    bins = painted((HERE, BROWN))
    red.move(np.eye(3), bins)
    assert red.confidence < 0.1
    red.move(np.eye(3), bins)
    assert not red.is_seen
    assert red.confidence == 0
    red.move(np.eye(3), painted((HERE, RED)))
    assert not red.is_seen


@pytest.mark.parametrize(
    ('right', 'is_taken'),
    [
        (40, True),
        (36, True),
        (30, True),
        (44, True),
        (50, True),
        (70, True),
        (85, False),
        (22, False),
    ],
)
def test_a_proposal_shows_all_of_it_less_or_more(red, right, is_taken):
    proposal = box(20, 20, right, 40)
    bins = painted((HERE, BROWN), (proposal, RED))
    red.move(np.eye(3), bins)
    red.draw(HERE, NOTHING, proposal[None], bins, FRAME)
    assert (red.stale == 0) is is_taken
    assert np.array_equal(red.mask, proposal) or not is_taken
    assert (red.agreement >= 0.6) is is_taken


def test_a_part_is_not_it_where_nothing_covers_the_rest(red):
    bins = painted((HERE, RED))
    red.move(np.eye(3), bins)
    red.draw(HERE, NOTHING, box(20, 20, 30, 40)[None], bins, FRAME)
    assert np.array_equal(red.mask, HERE)
    assert red.agreement == pytest.approx(0.5)


def test_a_proposal_of_other_colours_is_not_it(red):
    red.draw(HERE, NOTHING, HERE[None], painted((HERE, BROWN)), FRAME)
    assert red.agreement == 0
    assert red.is_seen
    red.consistency = 0.0
    red.draw(HERE, NOTHING, HERE[None], painted((HERE, BROWN)), FRAME)
    assert not red.is_seen


def test_the_best_of_the_proposals_is_taken(red):
    proposals = [box(20, 20, 31, 40), box(21, 20, 41, 40), box(0, 0, 80, 60), box(60, 0, 80, 20)]
    bins = painted((HERE | proposals[1], RED))
    red.draw(HERE, NOTHING, np.stack(proposals), bins, FRAME)
    assert np.array_equal(red.mask, proposals[1])


def test_a_proposer_without_proposals_changes_nothing(red):
    red.draw(HERE, NOTHING, np.zeros((0, *SIZE), dtype=bool), painted((HERE, RED)), FRAME)
    assert np.array_equal(red.mask, HERE)
    assert red.confidence == pytest.approx(1)


def test_a_drawing_in_a_window_is_pasted_into_the_frame(red):
    window = Window(10, 12, 40, 30, SIZE)
    image = np.full((*SIZE, 3), 170, np.uint8)
    image[HERE] = RED
    proposal = window.cut_mask(HERE)
    red.draw(
        proposal, window.cut_mask(NOTHING), proposal[None], colour_bins(window.cut(image)), window
    )
    assert np.array_equal(red.mask, HERE)
    assert red.area == 400


def test_what_is_more_and_on_another_object_is_not_it(red):
    both = box(20, 20, 60, 40)
    bins = painted((both, RED))
    red.draw(HERE, box(42, 20, 60, 40), both[None], bins, FRAME)
    assert np.array_equal(red.mask, HERE)
    red.draw(HERE, NOTHING, both[None], bins, FRAME)
    assert np.array_equal(red.mask, both)


def test_all_of_it_is_remembered_while_a_part_is_seen(red):
    left, covered = box(20, 20, 29, 40), box(29, 20, 40, 40)
    bins = painted((HERE, RED), (covered, BROWN))
    for _ in range(5):
        red.move(np.eye(3), bins)
        red.draw(left, NOTHING, left[None], bins, FRAME)
        assert (red.mask.sum(), red.area) == (180, 400)
    bins = painted((HERE, RED))
    red.move(np.eye(3), bins)
    red.draw(left, NOTHING, np.stack([left, HERE]), bins, FRAME)
    assert np.array_equal(red.mask, HERE)
    assert red.agreement == pytest.approx(1)


def test_it_may_grow_and_shrink_slowly(red):
    for sides in (np.arange(20, 36), np.arange(36, 12, -1)):
        for side in sides:
            mask = box(20, 20, 20 + side, 20 + side)
            red.draw(red.mask, NOTHING, mask[None], painted((mask, RED)), FRAME)
            assert (red.mask.sum(), red.area) == (side**2, side**2)
