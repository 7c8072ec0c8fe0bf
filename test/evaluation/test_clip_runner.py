"""A clip is followed frame by frame, and every frame is compared with its truth."""

import numpy as np
import pytest

from helpers.clip_outcomes import NOTHING, drawn_clip, square
from iterprime_ros.evaluation.clip_runner import follow_clip
from iterprime_ros.evaluation.datasets.clips import ClipFrame
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.mask_rle import decoded
from iterprime_ros.evaluation.video_metrics import boundary_accuracy, region_similarity
from iterprime_ros.tracking.track import TrackedMask, TrackState


class Script:
    """Gives masks and states that were decided before."""

    def __init__(self, masks, states=None):
        self.masks, self.states = masks, states or [TrackState.TRACKING] * len(masks)
        self.seen = []

    def start(self, command):
        self.command, self.age = command, 0

    def follow(self, image, depth, pinhole):
        self.seen.append((image, depth, pinhole))
        self.age += 1
        age = self.age - 1
        return TrackedMask(self.masks[age], self.states[age], 0.5, age)


TARGETS = [square(4), square(6), NOTHING, square(20)]
OTHERS = [[square(20), NOTHING], [square(20), NOTHING], [square(4), NOTHING], [NOTHING, square(4)]]


def test_the_truth_is_perfect():
    clip = drawn_clip(TARGETS, OTHERS)
    found = follow_clip(clip, {'truth': Script(TARGETS)})['truth']
    assert found.j == found.f == found.j_and_f == 1
    assert found.objects == (0, 0, None, 0)
    assert found.switches == found.on_others == 0
    assert found.areas == (64, 64, 0, 64)
    assert (found.clip_id, found.video_id, found.expression) == (
        'drawn',
        'video of drawn',
        'the drawn',
    )


def test_every_frame_is_compared_with_its_own_truth():
    clip = drawn_clip(TARGETS, OTHERS)
    masks = [square(5), square(20), square(4), square(4)]
    found = follow_clip(clip, {'script': Script(masks)})['script']
    pairs = list(zip(masks, TARGETS, strict=True))
    assert found.similarity == pytest.approx([region_similarity(*e) for e in pairs], abs=1e-6)
    assert found.accuracy == pytest.approx([boundary_accuracy(*each) for each in pairs], abs=1e-6)
    assert found.objects == (0, 1, 1, 2)
    assert (found.switches, found.on_others) == (2, 3)
    for mask, rle in zip(masks, found.masks, strict=True):
        np.testing.assert_array_equal(decoded(rle), mask)


def test_what_is_lost_has_no_mask():
    states = [TrackState.TRACKING, TrackState.UNSURE, TrackState.LOST, TrackState.LOST]
    clip = drawn_clip(TARGETS, OTHERS)
    found = follow_clip(clip, {'script': Script([square(4)] * 4, states)})['script']
    assert found.states == ('tracking', 'unsure', 'lost', 'lost')
    assert found.objects[2:] == (None, None)
    assert found.similarity[2:] == (1, 0)
    assert not decoded(found.masks[2]).any()
    (gone,) = found.absences
    assert (gone.left, gone.back, gone.lost_after, gone.found_after) == (2, 3, 0, None)


def test_void_pixels_count_for_nothing():
    clip = drawn_clip([square(4)], [[square(20)]], void=square(8))
    found = follow_clip(clip, {'script': Script([square(4) | square(8)])})['script']
    assert found.similarity == found.accuracy == (1,)
    assert found.areas == (32,)


@pytest.mark.parametrize('image_only', [False, True])
def test_all_followers_see_the_same_frames(image_only):
    first, second = Script([NOTHING]), Script([NOTHING])
    depth = np.ones((30, 40), np.float32)
    frame = ClipFrame(np.zeros((30, 40, 3), np.uint8), NOTHING, NOTHING[None], depth=depth)
    clip = drawn_clip([NOTHING])
    object.__setattr__(clip, 'read', lambda indices: iter([frame]))
    found = follow_clip(clip, {'one': first, 'other': second}, image_only)
    assert list(found) == ['one', 'other']
    assert first.command == second.command == 'grab the drawn'
    for each in (first, second):
        ((image, seen, _),) = each.seen
        assert image is frame.image
        assert seen is (None if image_only else depth)


def test_masks_that_do_not_fit_are_refused():
    image = np.zeros((30, 40, 3), np.uint8)
    for target, others, void in (
        (NOTHING[1:], NOTHING[None], None),
        (NOTHING.astype(np.uint8), NOTHING[None], None),
        (NOTHING, NOTHING[None, 1:], None),
        (NOTHING, NOTHING, None),
        (NOTHING, NOTHING[None], NOTHING[1:]),
    ):
        with pytest.raises(InvalidDatasetError, match='must be bool'):
            ClipFrame(image, target, others, void)
