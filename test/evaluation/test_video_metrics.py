"""Metrics of following, against slow versions of their definitions."""

from math import ceil, hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from iterprime_ros.evaluation.video_metrics import (
    BACK,
    GONE,
    TARGET,
    absences,
    boundary,
    boundary_accuracy,
    identity_switches,
    object_under,
    region_similarity,
    within,
)

# Diagonals up to 125 pixels have a disk of 1 pixel, longer ones one of 2 or more.
SIZES = st.one_of(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([(2, 130), (260, 3), (5, 380)]),
)


def pixels(mask):
    return {(int(y), int(x)) for y, x in np.argwhere(mask)}


def slow_similarity(mask, target):
    ours, theirs = pixels(mask), pixels(target)
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1


def slow_boundary(mask):
    height, width = mask.shape
    return {
        (y, x)
        for y in range(height)
        for x in range(width)
        if any(
            mask[y, x] != mask[v, u]
            for v, u in ((y, x + 1), (y + 1, x), (y + 1, x + 1))
            if v < height and u < width
        )
    }


def slow_accuracy(mask, target):
    ours, theirs = slow_boundary(mask), slow_boundary(target)
    if not ours or not theirs:
        return 1 if not ours and not theirs else 0
    radius = ceil(0.008 * hypot(*mask.shape))

    def matched(some, others):
        near = sum(
            any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in some
        )
        return near / len(some)

    precision, recall = matched(ours, theirs), matched(theirs, ours)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


@st.composite
def two_masks(draw):
    """Return two masks of one size: noise, rectangles, empty or full."""
    size = draw(SIZES)
    return draw(some_mask(size)), draw(some_mask(size))


@st.composite
def some_mask(draw, size):
    if draw(st.booleans()) and size[0] * size[1] < 200:
        return draw(arrays.arrays(bool, size))
    mask = np.zeros(size, bool)
    top, left = draw(st.integers(0, size[0])), draw(st.integers(0, size[1]))
    mask[top : draw(st.integers(top, size[0])), left : draw(st.integers(left, size[1]))] = True
    return mask


@given(two_masks())
def test_j_and_f_equal_their_definitions(masks):
    mask, target = masks
    assert region_similarity(mask, target) == pytest.approx(slow_similarity(mask, target))
    assert pixels(boundary(mask)) == slow_boundary(mask)
    assert boundary_accuracy(mask, target) == pytest.approx(slow_accuracy(mask, target))


@given(two_masks())
def test_j_and_f_are_those_of_either_order(masks):
    mask, target = masks
    assert region_similarity(mask, target) == region_similarity(target, mask)
    assert boundary_accuracy(mask, target) == pytest.approx(boundary_accuracy(target, mask))


@pytest.mark.parametrize(('shift', 'expected'), [(7, 1), (8, 0)])
def test_the_disk_reaches_seven_pixels_at_640_by_480(shift, expected):
    target, mask = np.zeros((2, 480, 640), bool)
    target[100:200] = mask[100 + shift : 200 + shift] = True
    assert boundary_accuracy(mask, target) == expected


def test_masks_without_a_boundary():
    none, everything = np.zeros((9, 9), bool), np.ones((9, 9), bool)
    one = none.copy()
    one[4, 4] = True
    assert boundary_accuracy(none, none) == boundary_accuracy(none, everything) == 1
    assert boundary_accuracy(one, none) == boundary_accuracy(none, one) == 0
    assert region_similarity(none, none) == 1
    assert region_similarity(none, everything) == 0


@given(
    arrays.arrays(np.int8, (4, 5), elements=st.integers(0, 3)),
    arrays.arrays(bool, (4, 5)),
)
def test_a_mask_lies_on_the_object_of_which_it_has_half(ids, mask):
    masks = [ids == k for k in (1, 2, 3)]
    ious = [slow_similarity(mask, each) if each.any() else 0 for each in masks]
    on = object_under(mask, masks[0], np.stack(masks[1:]))
    if max(ious) < 0.5:
        assert on is None
    else:
        assert on == int(np.argmax(ious))


def test_a_mask_of_nothing_lies_on_nothing():
    none = np.zeros((3, 3), bool)
    assert object_under(none, none, none[None]) is None
    assert object_under(none, none, np.zeros((0, 3, 3), bool)) is None


@pytest.mark.parametrize(
    ('objects', 'switches'),
    [
        ([], 0),
        ([None, None], 0),
        ([0, 0, 0], 0),
        ([0, 1, 1], 1),
        ([0, 1, 0], 2),
        ([0, None, None, 1], 1),
        ([0, None, 0], 0),
        ([2, 2, 0], 1),
        ([0, 1, 2, None, 0], 3),
    ],
)
def test_switches_are_counted_as_mismatches_are(objects, switches):
    assert identity_switches(objects) == switches


def slow_switches(objects):
    """Return what CLEAR MOT counts frame by frame: a changed match, if there was one before."""
    last, count = None, 0
    for each in objects:
        if each is None:
            continue
        count += last is not None and each != last
        last = each
    return count


@given(st.lists(st.one_of(st.none(), st.integers(0, 3))))
def test_switches_equal_the_count_frame_by_frame(objects):
    assert identity_switches(objects) == slow_switches(objects)


def test_an_absence_begins_and_ends_at_shares_of_the_first_area():
    areas = [100, 60, 5, 4, 0, 24, 25, 100]
    lost = [False, False, True, False, True, False, False, False]
    objects = [0, 0, 0, None, None, 1, None, 0]
    (found,) = absences(areas, lost, objects)
    assert (found.left, found.back) == (3, 6)
    assert (found.lost_after, found.lost_frames) == (1, 3)
    assert (found.found_after, found.found_frames) == (1, 2)


def test_who_stays_away_is_not_found_again():
    (found,) = absences([100, 0, 0], [False, False, False], [0, None, 0])
    assert (found.back, found.found_after, found.found_frames) == (None, None, 0)
    assert (found.lost_after, found.lost_frames) == (None, 2)
    assert (
        absences([], [], []) == absences([7], [False], [0]) == absences([0], [True], [None]) == []
    )


def test_a_target_that_comes_later_is_gone_at_first():
    (found,) = absences([0, 0, 50, 100], [True] * 4, [None, None, None, 0])
    assert (found.left, found.back, found.lost_after, found.found_after) == (0, 2, 0, 1)


@st.composite
def clips(draw):
    areas = draw(st.lists(st.integers(0, 100), min_size=1, max_size=30))
    lost = draw(st.lists(st.booleans(), min_size=len(areas), max_size=len(areas)))
    object_ = st.one_of(st.none(), st.integers(0, 2))
    objects = draw(st.lists(object_, min_size=len(areas), max_size=len(areas)))
    return areas, lost, objects


@given(clips())
def test_absences_equal_a_walk_frame_by_frame(clip):
    areas, lost, objects = clip
    state, walked = 'here', []
    first = next((each for each in areas if each > 0), 0)
    for frame, area in enumerate(areas):
        if state == 'here' and area < GONE * first:
            state = 'gone'
            walked.append({'left': frame, 'back': None, 'lost': None, 'found': None})
        elif state == 'gone' and area >= BACK * first:
            state = 'here'
            walked[-1]['back'] = frame
        if walked and state == 'gone' and lost[frame] and walked[-1]['lost'] is None:
            walked[-1]['lost'] = frame - walked[-1]['left']
        if walked and state == 'here' and objects[frame] == TARGET and walked[-1]['found'] is None:
            walked[-1]['found'] = frame - walked[-1]['back']
    found = absences(areas, lost, objects)
    assert [
        {'left': e.left, 'back': e.back, 'lost': e.lost_after, 'found': e.found_after}
        for e in found
    ] == walked
    assert all(e.lost_frames + e.found_frames <= len(areas) - e.left for e in found)


def test_times_that_are_too_short_are_not_counted():
    assert within(3, 11, 10) is True
    assert within(10, 20, 10) is True
    assert within(11, 20, 10) is False
    assert within(None, 11, 10) is False
    assert within(3, 10, 10) is None
    assert within(None, 10, 10) is None
    assert within(None, 0, 15) is None
