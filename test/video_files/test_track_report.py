"""What is said about a tracked object: run-length encoded masks, lines of JSON, pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from iterprime_ros.answer import invalid
from iterprime_ros.render import overlay, overlay_instances
from iterprime_ros.tracking.track import TrackedMask, TrackState
from iterprime_ros.video_files.following import FollowedObject
from iterprime_ros.video_files.frames import Frame
from iterprime_ros.video_files.track_report import coco_rle, track_report, tracked_overlay


def decoded(rle):
    """Return the mask of an uncompressed run-length encoding, run by run."""
    pixels, value = [], False
    for count in rle['counts']:
        pixels += [value] * count
        value = not value
    return np.array(pixels, bool).reshape(rle['size'], order='F')


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_masks_are_encoded_as_coco_does(mask):
    rle = coco_rle(mask)
    assert np.array_equal(decoded(rle), mask)
    assert all(count > 0 for count in rle['counts'][1:])


@given(arrays(bool, (7, 9)))
def test_pycocotools_reads_the_masks(mask):
    coco = pytest.importorskip('pycocotools.mask')
    rle = json.loads(json.dumps(coco_rle(mask)))
    assert np.array_equal(coco.decode(coco.frPyObjects(rle, *rle['size'])), mask)


def followed(mask, state=TrackState.TRACKING, expression='the red mug'):
    tracked = TrackedMask(mask, state, 0.75, 3) if state else None
    return FollowedObject(expression, invalid('Nothing.', mask.shape), tracked)


@pytest.fixture
def mask(picture):
    mask = np.zeros(picture.shape[:2], bool)
    mask[60:80, 30:70] = True
    return mask


def test_a_line_of_json_says_where_the_object_is(picture, mask):
    frame = Frame(3, 0.1, picture, Path('video.mp4'))
    said = json.loads(track_report(frame, followed(mask)))
    assert said.pop('mask') == coco_rle(mask)
    assert said == {
        'image': 'video.mp4',
        'frame': 3,
        'seconds': 0.1,
        'command': 'the red mug',
        'expression': 'the red mug',
        'status': 'invalid',
        'text': 'Nothing.',
        'track_state': 'tracking',
        'confidence': 0.75,
        'age': 3,
        'box': {'x': 30, 'y': 60, 'width': 40, 'height': 20},
        'pixels': 800,
    }
    lost = json.loads(track_report(frame, followed(mask & False, TrackState.LOST)))
    assert (lost['track_state'], lost['box'], lost['pixels']) == ('lost', None, 0)
    before = json.loads(track_report(frame, followed(mask, None)))
    assert {name for name, value in before.items() if value is None} == {
        'track_state', 'confidence', 'age', 'box', 'mask'
    }  # fmt: skip


def test_below_the_words_the_picture_is_that_of_an_image(picture, mask):
    drawn = tracked_overlay(picture, [followed(mask)])
    assert np.array_equal(drawn[20:], overlay(picture, mask)[20:])
    other = np.roll(mask, 25, axis=0)
    both = tracked_overlay(picture, [followed(mask), followed(other, TrackState.UNSURE)])
    assert np.array_equal(both[40:], overlay_instances(picture, [mask, other])[40:])
    lost = tracked_overlay(picture, [followed(mask & False, TrackState.LOST)])
    assert np.array_equal(lost[20:], picture[20:])


def test_states_and_expressions_are_told_apart_by_their_words(picture, mask):
    def band(*arguments):
        return tracked_overlay(picture, [followed(mask, *arguments)])[:12]

    bands = [
        *(band(state) for state in (None, *TrackState)),
        band(TrackState.LOST, 'κόκκινη κούπα'),
        band(TrackState.LOST, 'красная чашка'),
    ]
    for n, each in enumerate(bands):
        assert each.max() > 200
        assert not any(np.array_equal(each, other) for other in bands[:n])


@given(st.integers(1, 60), st.integers(1, 60), st.text(max_size=300), st.integers(1, 3))
def test_any_size_and_any_text_is_drawn(height, width, text, count):
    image = np.full((height, width, 3), 200, np.uint8)
    mask = np.ones((height, width), bool)
    drawn = tracked_overlay(image, [followed(mask, TrackState.UNSURE, text)] * count)
    assert drawn.shape == image.shape
    assert (image == 200).all()
