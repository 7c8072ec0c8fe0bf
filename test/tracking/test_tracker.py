"""A referred object of a video of cut-outs stays the same, with the models that ship."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.sprites import Sprites
from iterprime_ros.answer import Status, invalid
from iterprime_ros.errors import InvalidImageError, InvalidSettingError
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import TrackingSettings
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.tracking.flow import FlowPropagator
from iterprime_ros.tracking.track import TrackState
from iterprime_ros.tracking.tracker import Tracker, load_tracker

BANANA, PURPLE, BALL, BOTTLE = 1, 2, 3, 4
COPY = 100
TRACKING, UNSURE, LOST = TrackState


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop', 'cpu')


@pytest.fixture(scope='module')
def sprites():
    with Renderer(320, 240) as renderer:
        return Sprites(renderer, sample_scene(12))


@pytest.fixture
def tracker(model):
    return load_tracker(model)


def iou(mask, truth):
    return (mask & truth).sum() / max(1, (mask | truth).sum())


def begun(model, tracker, frame, command, number):
    """Start a track of the object that a command means, and check that it is the right one."""
    image, ids = frame
    answer = model.segment(image, command)
    assert answer.status is Status.FOUND
    first = tracker.start(image, answer)
    assert iou(first.mask, ids == number) > 0.6
    assert (first.state, first.confidence, first.age) == (TRACKING, 1.0, 0)


def covered(frame, box):
    """A frame with a brown box (left, top, right, bottom) in front of everything."""
    left, top, right, bottom = (max(0, each) for each in box)
    image, ids = (each.copy() for each in frame)
    image[top:bottom, left:right], ids[top:bottom, left:right] = (90, 110, 60), 0
    return image, ids


def box_of(sprites, number):
    rows, columns = np.nonzero(sprites.ids == number)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_it_follows_what_moves(model, tracker, sprites):
    begun(model, tracker, sprites.frame({}), 'take the red bottle', BOTTLE)
    for age in range(1, 16):
        image, ids = sprites.frame({BOTTLE: (-7 * age, age), BANANA: (2 * age, 0)})
        tracked = tracker.step(image)
        assert iou(tracked.mask, ids == BOTTLE) > 0.75
        assert (tracked.state, tracked.age) == (TRACKING, age)
        assert 0.5 <= tracked.confidence <= 1


def test_a_relation_that_no_longer_holds_moves_it_to_no_other_object(model, tracker, sprites):
    copies = [(PURPLE, (-110, 110))]
    frame = sprites.frame({}, copies)
    begun(model, tracker, frame, 'the purple ball above the red bottle', PURPLE)
    for k in range(1, 20):
        copies = [(PURPLE, (-110 + 6 * k, 110 - 6 * k))]  # goes where the other was
        image, ids = sprites.frame({PURPLE: (-8 * k, 0), BOTTLE: (-2 * k, 0)}, copies)
        tracked = tracker.step(image)
        assert iou(tracked.mask, ids == PURPLE) > 0.6
        assert tracked.state is TRACKING


def test_what_is_hidden_is_lost_and_found_where_it_was(model, tracker, sprites):
    left, top, _, bottom = box_of(sprites, BOTTLE)
    still = sprites.frame({})
    begun(model, tracker, still, 'the red bottle', BOTTLE)
    states = []
    for k in range(60):
        end = left - 20 + 8 * min(k, 20)
        hidden = (end - 130 + max(0, 8 * (k - 36)), top - 6, end, bottom + 6)
        image, ids = covered(still, hidden)
        tracked = tracker.step(image)
        states.append((tracked.state, int((ids == BOTTLE).sum()), iou(tracked.mask, ids == BOTTLE)))
        if not (ids == BOTTLE).any():
            assert tracked.state is not TRACKING or tracked.mask.sum() < 60
        if tracked.state is LOST:
            assert not tracked.mask.any()
            assert tracked.confidence == 0
    gone = next(k for k, (_, area, _) in enumerate(states) if not area)
    back = next(k for k, (_, area, _) in enumerate(states) if k > gone and area > 800)
    assert LOST in [state for state, _, _ in states[gone : gone + 11]]
    assert states[back + 15][0] is TRACKING
    assert min(same for _, _, same in states[back + 15 :]) > 0.75


def test_what_left_is_found_elsewhere_and_a_look_alike_is_not_it(model, tracker, sprites):
    copies = [(BALL, (-150, -50))]
    image, ids = sprites.frame({}, copies)
    answer = model.segment(image, 'the rightmost red ball')
    assert iou(answer.mask, ids == BALL) > 0.7
    tracker.start(image, replace(answer, status=Status.FOUND))
    states = []
    for k in range(55):
        shift = (9 * k, 0) if k < 18 else (300, 0) if k < 36 else (80 - 5 * min(k - 36, 12), -90)
        image, ids = sprites.frame({BALL: shift}, copies)
        tracked = tracker.step(image)
        states.append(tracked.state)
        assert iou(tracked.mask, ids == COPY) < 0.1
    assert LOST in states[10:30]
    assert states[-1] is TRACKING
    assert iou(tracked.mask, ids == BALL) > 0.8


def test_a_turned_camera_brings_everything_back(model, tracker, sprites):
    """All objects leave together with the background; each is found where it should be."""
    sides = (0, 0), (200, 200), (0, 0)
    wide = np.pad(sprites.background, sides, mode='symmetric'), np.zeros((240, 720), int)
    for each, part in zip(wide, sprites.frame({}, [(BALL, (-60, -60))]), strict=True):
        each[:, 200:-200] = part

    def view(x):
        image, ids = (np.ascontiguousarray(each[:, 200 + x : 520 + x]) for each in wide)
        return image, ids

    image, ids = view(0)
    answer = model.segment(image, 'the rightmost red ball')
    assert iou(answer.mask, ids == BALL) > 0.7
    tracker.start(image, replace(answer, status=Status.FOUND))
    path = [*range(0, -196, -7), *[-196] * 4, *range(-196, -30, 7), *[-31] * 16]
    for x in path:
        image, ids = view(x)
        tracked = tracker.step(image)
        assert iou(tracked.mask, ids == COPY) < 0.2
    assert tracked.state is TRACKING
    assert iou(tracked.mask, ids == BALL) > 0.8


def test_an_object_that_its_words_fit_no_longer_is_given_up(model, sprites):
    """A ball takes the bottle's place, colour and motion: only the words tell."""
    settings = TrackingSettings(verify_every=4, search_every=2)
    tracker = Tracker(model, FlowPropagator(model.proposer), settings)
    begun(model, tracker, sprites.frame({}), 'the red bottle', BOTTLE)
    (left, top, *_), (x, y, *_) = box_of(sprites, BOTTLE), box_of(sprites, BALL)
    states = []
    for _ in range(25):
        image, _ = sprites.frame({BOTTLE: (500, 0), BALL: (left - x - 8, top - y)})
        states.append(tracker.step(image).state)
    assert states[-1] is LOST
    assert TRACKING not in states[-6:]


def test_memory_stays_bounded_and_frames_of_a_bad_size_harm_nothing(model, tracker, sprites):
    frame = sprites.frame({})
    begun(model, tracker, frame, 'the red bottle', BOTTLE)
    with pytest.raises(InvalidImageError, match=r'\(240, 320, 3\) uint8.*start a new track'):
        tracker.step(frame[0][:-1])
    with pytest.raises(InvalidImageError, match='float64'):
        tracker.step(frame[0].astype(float))
    with pytest.raises(InvalidImageError):
        tracker.step(frame[0][..., 0])
    assert tracker.step(frame[0]).state is TRACKING


@pytest.mark.parametrize('enlarge', [4, 7])
def test_large_images_are_reduced_and_their_masks_are_not(model, tracker, sprites, enlarge):
    image, ids = (
        np.kron(each, np.ones((enlarge, enlarge, 1), each.dtype))
        if each.ndim == 3
        else np.kron(each, np.ones((enlarge, enlarge), each.dtype))
        for each in sprites.frame({})
    )
    answer = model.segment(image, 'the red bottle')
    tracker.start(image, answer)
    for k in range(1, 4):
        tracked = tracker.step(np.roll(image, -4 * enlarge * k, axis=1))
        assert tracked.mask.shape == ids.shape
        assert iou(tracked.mask, np.roll(ids, -4 * enlarge * k, axis=1) == BOTTLE) > 0.8


def test_grey_frames_are_followed_too(model, tracker, sprites):
    image, ids = sprites.frame({})
    answer = model.segment(image, 'the red bottle')

    def grey(rgb):
        return np.ascontiguousarray(np.repeat(rgb.mean(2).astype(np.uint8)[..., None], 3, axis=2))

    tracker.start(grey(image), answer)
    for k in range(1, 6):
        image, ids = sprites.frame({BOTTLE: (-4 * k, 0)})
        tracked = tracker.step(grey(image))
        assert iou(tracked.mask, ids == BOTTLE) > 0.6


def test_of_several_objects_the_first_is_followed(model, tracker, sprites):
    image, _ = sprites.frame({}, [(BOTTLE, (-80, 0))])
    answer = model.segment(image, 'the red bottles')
    assert answer.status is Status.FOUND_SEVERAL
    first = tracker.start(image, answer)
    assert np.array_equal(first.mask, answer.instances[0].mask)
    again = tracker.step(image)
    assert iou(again.mask, answer.instances[0].mask) > 0.7
    assert iou(again.mask, answer.instances[1].mask) < 0.1


def test_only_an_object_that_was_found_can_be_followed(model, tracker, sprites):
    image, _ = sprites.frame({})
    found = model.segment(image, 'the red bottle')
    with pytest.raises(InvalidSettingError, match='before its first step'):
        tracker.step(image)
    for status in (Status.NOT_FOUND, Status.AMBIGUOUS):
        with pytest.raises(InvalidSettingError, match=f'the answer is {status.value}: '):
            tracker.start(image, replace(found, status=status))
    with pytest.raises(InvalidSettingError, match='the answer is invalid: no words'):
        tracker.start(image, invalid('no words', image.shape[:2]))
    nothing = tuple(replace(each, mask=np.zeros_like(each.mask)) for each in found.candidates)
    with pytest.raises(InvalidSettingError):
        tracker.start(image, replace(found, candidates=nothing))
    with pytest.raises(InvalidImageError, match='about an image of'):
        tracker.start(image[:-2], found)
    with pytest.raises(InvalidSettingError, match='before its first step'):
        tracker.step(image)


def test_another_start_forgets_the_first(model, tracker, sprites):
    frame = sprites.frame({})
    begun(model, tracker, frame, 'the red bottle', BOTTLE)
    tracker.step(frame[0])
    begun(model, tracker, frame, 'the purple ball', PURPLE)
    tracked = tracker.step(frame[0])
    assert iou(tracked.mask, frame[1] == PURPLE) > 0.7
    assert tracked.age == 1
