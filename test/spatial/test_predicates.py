"""Every predicate is checked for what it means, on masks that are boxes."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measured_boxes import HEIGHT, PINHOLE, WIDTH, depth_of, masks_of, measured
from iterprime_ros.language.phrase import Relation, Side
from iterprime_ros.spatial.measurements import Measurements, measure
from iterprime_ros.spatial.predicates import (
    BINARY,
    above,
    behind,
    between,
    contained,
    in_front_of,
    left_of,
    next_to,
    on,
    on_side,
    right_of,
    under,
)


@st.composite
def boxes(draw, least=2, most=5):
    def box():
        left, top = draw(st.integers(0, WIDTH - 4)), draw(st.integers(0, HEIGHT - 4))
        right = draw(st.integers(left + 4, min(WIDTH, left + 20)))
        return left, top, right, draw(st.integers(top + 4, min(HEIGHT, top + 20)))

    return [box() for _ in range(draw(st.integers(least, most)))]


@st.composite
def scenes(draw):
    """Boxes, and for half of the scenes their distances."""
    drawn = draw(boxes())
    distance = st.floats(0.3, 3.0)
    distances = draw(st.lists(distance, min_size=len(drawn), max_size=len(drawn)))
    return drawn, distances if draw(st.booleans()) else None


def off_diagonal(truths):
    return truths[~np.eye(len(truths), dtype=bool)]


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_mirroring_swaps_left_and_right(scene):
    drawn, distances = scene
    masks = masks_of(drawn)
    depth = None if distances is None else depth_of(drawn, distances)
    given_depth = None if depth is None else depth[:, ::-1]
    seen, mirrored = measure(masks, depth, PINHOLE), measure(masks[..., ::-1], given_depth, PINHOLE)
    tolerance = 1e-9 if depth is None else 0.05  # the plane is found from other random points
    assert left_of(mirrored) == pytest.approx(right_of(seen), abs=tolerance)
    sides = on_side(mirrored, Side.LEFT), on_side(seen, Side.RIGHT)
    assert sides[0] == pytest.approx(sides[1], abs=tolerance)


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_opposites_are_certain_together(scene):
    seen = measured(*scene)
    for relation in (left_of, above, behind):
        truths = relation(seen)
        assert off_diagonal(truths + truths.T) == pytest.approx(1)
    assert on_side(seen, Side.TOP) + on_side(seen, Side.BOTTOM) == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_truths_are_chances_and_nothing_is_related_to_itself(scene):
    seen = measured(*scene)
    for relation in BINARY.values():
        truths = relation(seen)
        assert ((truths >= 0) & (truths <= 1)).all()
        assert not np.diag(truths).any()
    truths = between(seen)
    assert ((truths >= 0) & (truths <= 1)).all()
    assert truths == pytest.approx(truths.transpose(0, 2, 1))  # symmetric in its anchors
    for k in range(seen.count):
        assert not truths[k, k].any()
        assert not truths[k, :, k].any()
        assert not truths[:, k, k].any()


@settings(deadline=None, max_examples=40)
@given(scenes(), st.randoms())
def test_the_order_of_candidates_does_not_matter(scene, random):
    seen = measured(*scene)
    order = random.sample(range(seen.count), seen.count)
    values = {field.name: getattr(seen, field.name)[order] for field in fields(seen)}
    values['image_resting'] = values['image_resting'][:, order]
    shuffled = Measurements(**values)
    for relation in BINARY.values():
        assert relation(shuffled) == pytest.approx(relation(seen)[np.ix_(order, order)])
    assert between(shuffled) == pytest.approx(between(seen)[np.ix_(order, order, order)])


@settings(deadline=None, max_examples=40)
@given(st.floats(0.4, 1.0), st.floats(0.1, 1.0))
def test_moving_an_object_nearer_flips_behind(near, step):
    drawn = [(5, 15, 20, 40), (35, 15, 50, 40)]
    first, last = measured(drawn, (near, near + step)), measured(drawn, (near + step, near))
    assert in_front_of(first)[0, 1] > 0.9
    assert behind(last)[0, 1] > 0.9


@settings(deadline=None, max_examples=40)
@given(st.integers(20, 30), st.integers(6, 16))
def test_without_depth_the_lower_object_is_nearer(bottom, step):
    seen = measured([(5, bottom - 10, 15, bottom), (35, bottom + step - 10, 45, bottom + step)])
    assert in_front_of(seen)[1, 0] > 0.8
    assert behind(seen)[0, 1] > 0.8


def test_depth_decides_where_it_is_known_and_the_image_where_it_is_not():
    drawn = [(5, 15, 20, 40), (35, 18, 50, 43)]
    depth = depth_of(drawn, (0.6, 0.9))
    assert behind(measure(masks_of(drawn), depth, PINHOLE))[1, 0] > 0.99
    depth[masks_of(drawn)[1]] = np.nan
    seen = measure(masks_of(drawn), depth, PINHOLE)
    assert seen.is_metric.tolist() == [True, False]
    assert behind(seen)[1, 0] < 0.5  # its box ends lower


def test_next_to_is_a_matter_of_the_gap():
    gaps = [1, 4, 20]  # of 60 pixels to a metre at 1 m
    drawn = [(2, 20, 12, 40), *((12 + gap, 20, 22 + gap, 40) for gap in gaps)]
    seen = [measured([drawn[0], other], (0.6, 0.6)) for other in drawn[1:]]
    truths = [next_to(each)[0, 1] for each in seen]
    assert truths[0] > 0.9
    assert truths[0] > truths[1] > truths[2]
    assert truths[2] < 0.05
    assert next_to(measured([drawn[0], drawn[1]]))[0, 1] > 0.9
    assert next_to(measured([drawn[0], drawn[3]]))[0, 1] < 0.05


def test_in_the_image_one_object_is_on_another():
    masks = masks_of([(20, 10, 30, 26), (15, 22, 35, 40), (45, 20, 60, 40)])
    masks[1] &= ~masks[0]  # which it hides
    seen = measure(masks)
    assert on(seen)[0, 1] > 0.8
    assert under(seen)[1, 0] == on(seen)[0, 1]
    assert max(on(seen)[1, 0], on(seen)[0, 2], on(seen)[2, 0]) < 0.1


def test_in_the_image_what_is_behind_an_object_is_not_on_it():
    masks = masks_of([(20, 10, 30, 26), (15, 22, 35, 40)])
    masks[0] &= ~masks[1]
    assert on(measure(masks))[0, 1] < 0.2


def test_in_the_image_what_is_on_another_is_as_far_away_as_that():
    masks = masks_of([(8, 6, 20, 28), (5, 24, 23, 44), (40, 22, 56, 36)])
    masks[1] &= ~masks[0]
    truths = behind(measure(masks))
    assert truths[2, 1] > 0.8
    assert truths[2, 0] > 0.8  # though its box ends lower


def test_in_the_image_one_object_is_in_another():
    seen = measured([(20, 20, 30, 30), (10, 10, 40, 40), (45, 10, 60, 40)])
    assert contained(seen)[0, 1] > 0.9
    assert max(contained(seen)[1, 0], contained(seen)[0, 2]) < 0.2


def test_what_stands_before_an_object_is_not_in_it():
    drawn = [(20, 20, 30, 30), (10, 10, 40, 40)]
    assert contained(measured(drawn))[0, 1] > 0.9
    assert contained(measured(drawn, (0.6, 0.9)))[0, 1] < 0.1


def test_between_is_between_and_not_beside():
    row = [(2, 20, 12, 30), (26, 20, 36, 30), (50, 20, 60, 30)]
    seen = measured(row)
    assert between(seen)[1, 0, 2] > 0.9
    assert max(between(seen)[0, 1, 2], between(seen)[2, 0, 1]) < 0.05
    apart = measured([row[0], (26, 38, 36, 48), (20, 20, 30, 30)])
    assert between(apart)[1, 0, 2] < 0.5


def test_every_relation_has_a_predicate():
    assert set(BINARY) | {Relation.BETWEEN} == set(Relation)
