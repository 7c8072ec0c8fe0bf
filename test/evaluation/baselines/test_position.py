"""The nearest object to a named position, among known masks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.baselines.position import centroids, nearest, position
from iterprime_ros.evaluation.registry import load_baseline
from iterprime_ros.masks.proposer import Proposals, no_proposals
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.weights import ON_CPU

NAN = float('nan')
POINTS = {
    'the mug on the left': (0, NAN),
    'rightmost mug': (1, NAN),
    'Top left mug': (0, 0),
    'the bottom-right mug': (1, 1),
    'the mug in the middle': (0.5, 0.5),
    'middle left': (0, 0.5),
    'upper bowl': (NAN, 0),
    'the cup': (0.5, 0.5),
    'the mug left of the one on the right': (0, NAN),
}


@pytest.mark.parametrize('expression', POINTS)
def test_words_name_points(expression):
    np.testing.assert_equal(position(expression), POINTS[expression])


@given(st.data())
def test_the_nearest_mask_is_that_of_a_loop_over_pixels(data):
    count, height, width = (data.draw(st.integers(1, 5)) for _ in range(3))
    pixels = st.lists(st.booleans(), min_size=height * width, max_size=height * width)
    masks = np.array([data.draw(pixels) for _ in range(count)]).reshape(count, height, width)
    point = data.draw(st.tuples(*[st.sampled_from([0, 0.5, 1, NAN])] * 2))
    distances = {}
    for number, mask in enumerate(masks):
        inside = [(x, y) for y in range(height) for x in range(width) if mask[y, x]]
        if inside:
            x, y = (sum(column) / len(inside) + 0.5 for column in zip(*inside, strict=True))
            offsets = (x / width - point[0], y / height - point[1])
            distances[number] = math.hypot(*(each for each in offsets if not math.isnan(each)))
    chosen = nearest(centroids(masks), point)
    if not distances:
        assert chosen is None
    else:
        assert distances[chosen] == pytest.approx(min(distances.values()))


class KnownObjects:
    """Finds the given masks (M, H, W) in every image."""

    def __init__(self, masks):
        self.masks = masks

    def embed(self, image):
        return tuple(image.shape[1:])

    def propose(self, embedding, points):
        return no_proposals(embedding, points.device)

    def objects(self, embedding, settings):
        masks = torch.from_numpy(self.masks)
        return Proposals(masks, torch.ones(len(masks)))


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop')


def corners(size):
    """Return masks at the top left, top right, bottom left, bottom right and in the middle."""
    height, width = size
    masks = np.zeros((5, height, width), bool)
    masks[0, :10, :10] = masks[1, :10, -10:] = masks[2, -10:, :10] = masks[3, -10:, -10:] = True
    masks[4, height // 2 - 5 : height // 2 + 5, width // 2 - 5 : width // 2 + 5] = True
    return masks


def embedded(model, masks, size):
    """Return the baseline over masks, and an image of a size as it keeps it."""
    over_masks = model.with_proposer(KnownObjects(masks))
    baseline = load_baseline('position', over_masks, 'tabletop', ON_CPU)
    image = np.zeros((*size, 3), np.uint8)
    return baseline, baseline.embed(image, over_masks.embed(image))


def test_commands_are_answered_with_the_object_at_their_position(model):
    masks = corners((60, 80))
    baseline, frame = embedded(model, masks, (60, 80))
    commands = {
        'pick up the top left mug': 0,
        'give me the mug at the top right': 1,
        'lower left bowl': 2,
        'the bottom right one': 3,
        'the middle mug': 4,
        'pick up the mug': 4,
        'the red cup': 4,
        '!': 4,
    }
    answers = baseline.segment_many(frame, list(commands))
    for answer, expected in zip(answers, commands.values(), strict=True):
        assert answer.status is Status.FOUND
        np.testing.assert_array_equal(answer.mask, masks[expected])
        np.testing.assert_array_equal(answer.instances[0].mask, masks[expected])


def test_masks_of_a_large_image_have_its_size(model):
    baseline, frame = embedded(model, corners((512, 1024)), (1024, 2048))
    (answer,) = baseline.segment_many(frame, ['top left mug'])
    expected = corners((512, 1024))[0].repeat(2, axis=0).repeat(2, axis=1)
    assert answer.mask.shape == (1024, 2048)
    assert (answer.mask != expected).sum() <= 40  # along the edge


def test_nothing_is_found_where_there_is_no_object(model):
    baseline, frame = embedded(model, np.zeros((0, 60, 80), bool), (60, 80))
    (answer,) = baseline.segment_many(frame, ['left'])
    assert answer.status is Status.NOT_FOUND
    assert not answer.mask.any()


class KnownPhrases(KnownObjects):
    """Finds objects by noun phrase alone."""

    objects = property()  # hides the one above

    def instances(self, embedding, phrase):
        return no_proposals(embedding, 'cpu')


def test_masks_by_noun_phrase_are_refused(model):
    over_phrases = model.with_proposer(KnownPhrases(corners((60, 80))))
    baseline = load_baseline('position', over_phrases, 'tabletop', ON_CPU)
    frame = over_phrases.embed(np.zeros((60, 80, 3), np.uint8))
    with pytest.raises(InvalidSettingError, match='found by noun phrase'):
        baseline.segment_many(frame, ['the mug on the left'])
