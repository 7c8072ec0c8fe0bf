"""Masks of COCO's annotations: those of pycocotools, and one sentence for what is damaged."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as mask_api

from helpers.coco_polygons import FORMS, compressed, polygons, run_lengths
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.coco_masks import (
    MAX_SIDES,
    decode_mask,
    polygons_mask,
    union,
)
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError

# Its own use of numpy.

SIZE = (4, 5)
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
COORDINATES = st.floats(-30, 60, width=32)
POLYGONS = st.lists(
    st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=6).map(
        lambda points: [float(each) for point in points for each in point]
    ),
    min_size=1,
    max_size=4,
)


def ring():
    mask = np.zeros((60, 80), dtype=bool)
    rows, columns = np.indices(mask.shape)
    distance = np.hypot(rows - 30, columns - 40)
    return (distance < 25) & (distance > 11)


@given(MASKS)
def test_every_form_gives_its_mask_back(mask):
    for form in FORMS:
        np.testing.assert_array_equal(decode_mask(form(mask), mask.shape, 'x'), mask)


@pytest.mark.parametrize('form', FORMS)
def test_every_form_gives_back_an_object_with_a_hole(form):
    np.testing.assert_array_equal(decode_mask(form(ring()), (60, 80), 'x'), ring())


@given(st.lists(st.integers(0, 40000), min_size=1, max_size=20))
def test_compressed_run_lengths_are_those_of_pycocotools(counts):
    size = [1, sum(counts)]
    if not sum(counts):
        return
    encoded = mask_api.frPyObjects({'size': size, 'counts': counts}, *size)
    expected = mask_api.decode(encoded).astype(bool)
    for each in (encoded['counts'], encoded['counts'].decode()):
        found = decode_mask({'size': size, 'counts': each}, tuple(size), 'x')
        np.testing.assert_array_equal(found, expected)


@given(POLYGONS)
def test_polygons_are_the_union_of_those_of_pycocotools(several):
    size = (24, 32)
    expected = np.zeros(size, dtype=bool)
    for each in several:
        merged = mask_api.merge(mask_api.frPyObjects([each], *size))
        expected |= mask_api.decode(merged).astype(bool)
    np.testing.assert_array_equal(polygons_mask(several, size, 'x'), expected)


def test_overlaps_belong_to_the_mask():
    several = [[0, 0, 3, 0, 3, 3, 0, 3], [1, 1, 5, 1, 5, 4, 1, 4]]
    found = polygons_mask(several, SIZE, 'x')
    counted = mask_api.decode(mask_api.frPyObjects(several, *SIZE)).sum(axis=2)
    assert found[1, 1]
    assert counted[1, 1] == 2
    np.testing.assert_array_equal(found, counted > 0)


def test_fewer_than_three_points_enclose_nothing():
    assert not polygons_mask([[1, 1, 3, 3], [2, 2], []], SIZE, 'x').any()
    assert not polygons_mask([], SIZE, 'x').any()


def test_a_union_has_the_pixels_of_every_mask():
    first, second = np.eye(3, dtype=bool), np.eye(3, dtype=bool)[::-1]
    np.testing.assert_array_equal(union([first]), first)
    np.testing.assert_array_equal(union([first, second]), first | second)


def counts(value):
    return {'size': list(SIZE), 'counts': value}


@pytest.mark.parametrize(
    'segmentation',
    [
        None,
        'polygons',
        7,
        [[1, 2, 3, 4, 5]],
        [['a', 2, 3, 4, 5, 6]],
        [[None, 2, 3, 4, 5, 6]],
        [[[1, 2], [3, 4], [5, 6]]],
        [1, 2, 3, 4, 5, 6],
        [[1, 2, 3, 4, 5, float('nan')]],
        [[1, 2, 3, 4, 5, float('inf')]],
        [[1, 2, 3, 4, 5, MAX_SIDES * 5 + 1]],
        {},
        {'size': [5, 4], 'counts': [20]},
        {'size': list(SIZE)},
        counts(None),
        counts([19]),
        counts([21]),
        counts([-1, 21]),
        counts([2**63 - 1, 2**63 - 1, 22]),
        counts([2**64]),
        counts([20.0]),
        counts([[20]]),
        counts(['20']),
        counts(compressed(np.ones((3, 5), dtype=bool))['counts']),
        counts('P'),
        counts('PPPPPPPPPPPPPPPPPPPP0'),
        counts('d0 '),
        counts('\u1234'),
        counts(b'\xff'),
        counts(''),
    ],
)
def test_damage_is_one_sentence(segmentation):
    with pytest.raises(InvalidDatasetError) as caught:
        decode_mask(segmentation, SIZE, 'instances.json: annotation 7')
    message = str(caught.value)
    assert message.startswith('instances.json: annotation 7 ')
    assert message.endswith('.')
    assert '\n' not in message


@given(st.text(st.characters(min_codepoint=40, max_codepoint=120)))
def test_any_text_is_run_lengths_or_damage(text):
    try:
        mask = decode_mask(counts(text), SIZE, 'x')
    except InvalidDatasetError:
        return
    assert mask.shape == SIZE
    decoded = mask_api.decode({'size': list(SIZE), 'counts': text})
    np.testing.assert_array_equal(mask, decoded.astype(bool))


def test_without_pycocotools_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycocotools', None)
    mask = ring()
    np.testing.assert_array_equal(decode_mask(run_lengths(mask), mask.shape, 'x'), mask)
    with pytest.raises(InvalidSettingError, match=r'pip install iterprime_ros\[evaluation\]'):
        decode_mask(polygons(mask), mask.shape, 'x')
