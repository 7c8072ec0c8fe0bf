"""Height maps against plain loops over points and cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.height_map import SIDE, HeightMap, highest_along, highest_beside
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.table_frame import TableFrame

CELL = 0.003
DOWN = np.array([0.0, 0.0, 1.0])  # a camera that looks straight down, 1 m above the table
FRAME = TableFrame.below(np.array([0.0, 0.0, 1.0]), DOWN, 1.0)
CAMERA = Pinhole(300.0, 300.0, 159.5, 119.5, 320, 240)
MIDDLE = (SIDE - 1) / 2


def view_of_table(depth=1.0, block=None):
    """The table from above; block: rows and columns in front of it, at half the depth."""
    image = np.full((240, 320), depth, np.float32)
    on_object = np.zeros(image.shape, bool)
    on_object[118:122, 158:162] = True
    if block:
        image[block] = depth / 2
    return DepthView.round_object(image, on_object, CAMERA, 10.0, 1e-6)


def cell_of(x, y):
    return round(float(y / CELL + MIDDLE)), round(float(x / CELL + MIDDLE))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_cells_have_the_highest_of_their_points(seed):
    rng = np.random.default_rng(seed)
    target = rng.uniform([-0.03, -0.03, 0.001], [0.03, 0.03, 0.1], (40, 3))
    others = rng.uniform([-0.3, -0.3, 0.0], [0.3, 0.3, 0.1], (300, 3))
    heights = HeightMap.of(target, others, view_of_table(), FRAME, CELL, 0.01)
    expected = np.zeros((SIDE, SIDE))
    for x, y, z in others:
        row, column = cell_of(x, y)
        if 0 <= row < SIDE and 0 <= column < SIDE and z >= 0.01:
            expected[row, column] = max(expected[row, column], z)
    assert heights.others == pytest.approx(expected, abs=1e-6)
    for x, y, _ in target:
        cell = cell_of(x, y)
        here = [z for a, b, z in target if cell_of(a, b) == cell]
        assert heights.objects[cell] == pytest.approx(max(here), abs=1e-6)


def test_what_lies_all_round_a_hole_fills_it_and_what_is_seen_in_it_does_not():
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = np.stack([0.03 * np.cos(angle), 0.03 * np.sin(angle), 0 * angle + 0.05], axis=1)
    floor = np.array([[0.0, 0.0, 0.004]])
    for target, in_the_middle in ((ring, 0.0), (np.concatenate([ring, floor]), 0.004)):
        heights = HeightMap.of(target, np.empty((0, 3)), view_of_table(), FRAME, CELL, 0.01)
        row, column = cell_of(0, 0)
        assert heights.objects[row, column] == pytest.approx(in_the_middle, abs=1e-6)
        assert heights.objects[cell_of(0.0255, 0)] == pytest.approx(0.05)  # beside the ring
        assert heights.objects[cell_of(0.05, 0)] == 0


def test_the_far_side_of_something_else_is_hidden_as_high_as_it_could_be():
    """An oblique camera sees a wall of 8 cm; behind it nothing is known, in front everything."""
    normal = np.array([0.0, np.cos(0.6), np.sin(0.6)])
    frame = TableFrame.below(np.array([0.0, 0.0, 0.6]), normal, 0.4)
    rows, columns = np.indices((240, 320)).reshape(2, -1)
    rays = np.stack([(columns - 159.5) / 300, (rows - 119.5) / 300, np.ones(len(rows))], axis=1)
    table = 0.4 / (rays @ normal)
    eye = frame.from_optical(np.zeros(3))
    along = frame.from_optical(rays) - eye
    wall = (0.05 - eye[1]) / along[:, 1]  # the plane y = 5 cm
    top = eye[2] + wall * along[:, 2]
    depth = np.where((wall > 0) & (top >= 0) & (top <= 0.08), wall, table).reshape(240, 320)
    on_object = np.zeros(depth.shape, bool)
    on_object[200:210, 150:170] = True
    view = DepthView.round_object(depth.astype(np.float32), on_object, CAMERA, 10.0, 1e-6)
    points, is_object = view.points(1e-6)
    others = frame.from_optical(points[~is_object].astype(np.float64))
    target = np.array([[0.0, -0.05, 0.03]])
    heights = HeightMap.of(target, others, view, frame, CELL, 0.005)
    assert heights.hidden[cell_of(0.0, 0.07)] >= 0.04
    assert heights.hidden[cell_of(0.0, 0.02)] == 0
    assert heights.others[cell_of(0.0, 0.02)] == 0
    assert heights.others[cell_of(0.0, 0.05)] == pytest.approx(0.08, abs=0.005)


def test_turned_maps_have_the_closing_axis_along_their_columns():
    point = np.array([[0.06, 0.03, 0.05]])
    offsets = CELL * np.array([(x, y, 0) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    heights = HeightMap.of(point + offsets, np.empty((0, 3)), view_of_table(), FRAME, CELL, 0.01)
    objects, _, _ = heights.turned(8)
    for k in range(8):
        theta = np.pi * k / 8
        along = np.cos(theta) * point[0, 0] + np.sin(theta) * point[0, 1]
        across = np.cos(theta) * point[0, 1] - np.sin(theta) * point[0, 0]
        row, column = np.argwhere(objects[k] > 0).mean(axis=0)
        assert [(column - MIDDLE) * CELL, (row - MIDDLE) * CELL] == pytest.approx(
            [along, across], abs=1.5 * CELL
        )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.5, 12.0))
def test_the_highest_in_a_window_is_that_of_a_loop(seed, width):
    rng = np.random.default_rng(seed)
    heights = rng.random((2, SIDE, SIDE)).astype(np.float32)
    rows = np.sort(rng.choice(SIDE, 5, replace=False))
    reach = max(0, round((width - 1) / 2))
    beside = highest_beside(heights, rows, width)
    along = highest_along(beside, width)
    for n, row in enumerate(rows):
        part = heights[:, max(0, row - reach) : row + reach + 1]
        assert np.array_equal(beside[:, n], part.max(axis=1))
        for column in rng.choice(SIDE, 10):
            window = beside[:, n, max(0, column - reach) : column + reach + 1]
            assert np.array_equal(along[:, n, column], window.max(axis=1))
