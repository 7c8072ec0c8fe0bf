"""Measurements against the simulator's truth, and expressions about its scenes."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from helpers.logical_forms import noun_phrase_of, perfect_match
from helpers.measured_boxes import PINHOLE, depth_of, masks_of
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.sim.expressions import Stratum, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import TRAINING
from iterprime_ros.sim.view import view_of
from iterprime_ros.spatial.footprints import (
    DIRECTION_COUNT,
    gaps_between,
    sizes_of,
    support_of_ellipses,
    support_of_points,
)
from iterprime_ros.spatial.measurements import measure
from iterprime_ros.spatial.predicates import on
from iterprime_ros.spatial.reasoner import reason

SEEDS = TRAINING[700_000:700_012]


@pytest.fixture(scope='module')
def pictures():
    with Renderer(320, 240) as renderer:
        return [renderer.render(sample_scene(seed)) for seed in SEEDS]


def seen_masks(picture):
    """Return the ids of the objects that are seen, and their masks."""
    ids = np.flatnonzero(picture.seen_areas > 10) + 1
    return ids, picture.ids == ids[:, None, None]


def rough(picture, masks, rng):
    """Return masks that are too large or small by a pixel or two, and noisy depth with holes."""
    masks = [
        change(mask, iterations=int(rng.integers(1, 3)))
        for mask, change in zip(
            masks,
            rng.choice([ndimage.binary_dilation, ndimage.binary_erosion], len(masks)),
            strict=True,
        )
    ]
    depth = picture.depth + rng.normal(0, 0.004, picture.depth.shape).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = np.nan
    return np.stack([mask if mask.any() else ~mask for mask in masks]), depth


@pytest.mark.parametrize('is_rough', [False, True])
def test_measurements_are_the_truth_within_the_margins_of_the_relations(pictures, is_rough):
    rng = np.random.default_rng(0)
    for picture in pictures:
        view, (ids, masks) = view_of(picture), seen_masks(picture)
        masks, depth = rough(picture, masks, rng) if is_rough else (masks, picture.depth)
        seen = measure(masks, depth, picture.pinhole)
        objects = [view.objects[k - 1] for k in ids]
        is_whole = np.array([item.visible_fraction > 0.9 for item in objects])
        columns = np.array([item.column for item in objects])
        depths = np.array([item.depth for item in objects])
        assert seen.is_metric[is_whole].all()
        assert seen.centre[is_whole, 0] == pytest.approx(columns[is_whole], abs=0.05)
        assert seen.position[is_whole, 2] == pytest.approx(depths[is_whole], abs=0.04)
        assert np.abs(seen.base[is_whole]).max() < 0.01
        gaps = view.gaps[np.ix_(ids - 1, ids - 1)]
        are_whole = is_whole & is_whole[:, None] & ~np.eye(len(ids), dtype=bool)
        measured = gaps_between(seen.footprint)[are_whole]
        assert measured == pytest.approx(gaps[are_whole], abs=0.03)


@pytest.mark.parametrize('has_depth', [True, False])
def test_places_and_relations_find_their_object(pictures, has_depth):
    rng, hits = np.random.default_rng(0), []
    for picture in pictures:
        view, (ids, masks) = view_of(picture), seen_masks(picture)
        seen = measure(masks, picture.depth if has_depth else None, picture.pinhole)
        match = perfect_match([view.objects[k - 1] for k in ids])
        for stratum in (Stratum.PLACE, Stratum.RELATION) * 4:
            expression = sample_expression(rng, view, stratum)
            if expression is not None:
                beliefs = reason(noun_phrase_of(expression.phrase), match, seen).beliefs
                hits.append(ids[beliefs.argmax()] == expression.target)
    assert len(hits) > 60
    assert np.mean(hits) >= (0.98 if has_depth else 0.95)


def test_depth_of_another_resolution(pictures):
    picture = pictures[0]
    _, masks = seen_masks(picture)
    fine = measure(masks, picture.depth, picture.pinhole)
    coarse = measure(masks, picture.depth[::2, ::2], picture.pinhole)
    assert coarse.position == pytest.approx(fine.position, abs=0.02)


def test_a_camera_that_sees_no_plane_measures_depths():
    boxes = [(5, 15, 20, 40), (35, 15, 50, 40)]
    depth = np.full(masks_of(boxes).shape[1:], np.nan, np.float32)
    depth[masks_of(boxes)[0]], depth[masks_of(boxes)[1]] = 0.6, 0.9
    seen = measure(masks_of(boxes), depth, PINHOLE)
    assert seen.is_metric.all()
    assert seen.position[:, 2] == pytest.approx([0.6, 0.9], abs=0.01)


def test_an_object_on_another_stands_on_its_top_and_one_in_the_air_on_nothing():
    boxes = [(20, 28, 34, 46), (23, 20, 31, 32), (50, 2, 54, 6)]
    depth = depth_of(boxes, (0.66, 0.66, 0.66))
    depth[28:32] += 0.02 * np.arange(4, 0, -1)[:, None]  # the top of the first is seen
    depth[20:32, 23:31] = 0.68  # the second stands on it
    masks = masks_of(boxes)
    masks[0] &= ~masks[1]
    seen = measure(masks, depth, PINHOLE)
    assert seen.base[0] == pytest.approx(0, abs=0.02)
    assert seen.base[1] == pytest.approx(seen.top[0], abs=0.03)
    assert seen.base[2] > 0.3


def test_a_mask_that_covers_a_part_of_what_stands_on_its_object():
    with Renderer(320, 240) as renderer:
        pictures = [renderer.render(sample_scene(seed, World.STACKED)) for seed in SEEDS]
    pairs = 0
    for picture in pictures:
        ids, masks = seen_masks(picture)
        places = {number: place for place, number in enumerate(ids)}
        plain = measure(masks, picture.depth, picture.pinhole)
        for number, each in enumerate(picture.scene.objects, start=1):
            if number not in places or each.support not in places:
                continue
            upper, lower = places[number], places[each.support]
            grown = masks.copy()
            columns = np.flatnonzero(masks[upper].any(axis=0))
            grown[lower] |= masks[upper] & (np.arange(masks.shape[2]) < np.median(columns))
            measured = measure(grown, picture.depth, picture.pinhole)
            assert measured.top[lower] == pytest.approx(plain.top[lower], abs=0.01)
            assert on(measured)[upper, lower] > max(0.5, on(measured)[lower, upper])
            pairs += 1
    assert pairs > 5


def test_what_is_not_known_is_not_a_number():
    boxes = [(5, 15, 20, 40), (35, 15, 50, 40)]
    for arguments in ((), (depth_of(boxes, (0.6, 0.6)), None), (np.zeros((48, 64)), PINHOLE)):
        seen = measure(masks_of(boxes), *arguments)
        assert not seen.is_metric.any()
        for name in ('position', 'size', 'footprint', 'base', 'top'):
            assert np.isnan(getattr(seen, name)).all()
        assert seen.centre[:, 0] == pytest.approx([-19.5 / 48, 10.5 / 48])
        assert seen.area == pytest.approx(15 * 25 / (48 * 64))


def test_no_masks():
    depth = np.ones((48, 64), np.float32)
    seen = measure(np.zeros((0, 48, 64), bool), depth, PINHOLE)
    assert seen.count == 0
    assert all(len(getattr(seen, field.name)) == 0 for field in fields(seen))


def test_small_masks_are_not_lost_on_the_grid():
    masks = np.zeros((2, 480, 640), bool)
    masks[0, 101, 303] = masks[1, 200:300, 200:300] = True
    camera = Pinhole.from_fovy(45, 640, 480)
    seen = measure(masks, np.ones((480, 640), np.float32), camera)
    assert seen.centre[0] == pytest.approx([(303.5 - 320) / 480, (101.5 - 240) / 480])
    assert seen.is_metric.tolist() == [False, True]


@pytest.mark.parametrize('masks', [np.zeros((1, 4, 4), bool), np.ones((4, 4), bool)])
def test_masks_that_are_none_are_refused(masks):
    with pytest.raises(ValueError):
        measure(masks)


def coordinates(most):
    return st.tuples(*[st.integers(-100 * most, 100 * most)] * 2).map(lambda xy: np.array(xy) / 100)


POINTS = st.lists(coordinates(1), min_size=3, max_size=8).map(np.array)


@settings(deadline=None, max_examples=60)
@given(POINTS, POINTS, coordinates(4))
def test_gaps_are_distances_of_convex_hulls(points, others, offset):
    shapely = pytest.importorskip('shapely')
    others = others + offset
    hulls = [shapely.MultiPoint(each).convex_hull for each in (points, others)]
    distance = hulls[0].distance(hulls[1])
    gap = gaps_between(np.stack([support_of_points(points), support_of_points(others)]))[0, 1]
    assert gap <= distance + 1e-9
    step = 2 * np.pi / DIRECTION_COUNT
    largest = max(np.ptp(points, axis=0).max(), np.ptp(others, axis=0).max())
    assert max(gap, 0) >= distance - (1 - np.cos(step / 2)) * distance - step * largest


def test_sizes_of_ellipses():
    supports = support_of_ellipses(np.array([[3.0, 4.0]]), np.array([[1.0, 2.0]]))
    assert sizes_of(supports)[0] == pytest.approx([4, 2])
    assert support_of_points(np.array([[3.0, 4.0]]))[0] == pytest.approx(3)
