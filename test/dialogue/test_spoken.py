"""What was said is what is both likely by its sound and true of the scene."""

import math
from dataclasses import replace

import numpy as np
import pytest

from iterprime_ros.answer import Candidate, Status, invalid
from iterprime_ros.dialogue.spoken import ground_spoken, ranked, rival_of
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.speech.recognizer import Hypothesis

SEED = 16


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop', 'cpu', offline=True)


@pytest.fixture(scope='module')
def picture():
    with Renderer(320, 240) as renderer:
        return renderer.render(sample_scene(SEED))


@pytest.fixture(scope='module')
def frame(model, picture):
    return model.embed(picture.rgb, picture.depth, picture.pinhole)


def things(picture):
    return [f'{item.size} {item.colour} {item.kind}' for item in picture.scene.objects]


def mask_of(place, size=8):
    mask = np.zeros((size, size), bool)
    mask[place, :4] = True
    return mask


def answer(status, place=0, chance=0.9):
    empty = invalid('', (8, 8))
    if not status.has_mask:
        return replace(empty, status=status, match_probability=chance)
    mask = mask_of(place)
    candidates = (Candidate(mask, 0.5, 0.5, 0.5, chance),)
    return replace(
        empty, status=status, mask=mask, match_probability=chance,
        candidates=candidates, instance_count=1,
    )  # fmt: skip


def test_of_two_that_sound_alike_the_one_that_is_there_was_said(model, frame, picture):
    there = f'pick up the {things(picture)[0]}'
    colours = {item.colour for item in picture.scene.objects}
    absent = next(c for c in ('red', 'green', 'blue', 'yellow', 'white') if c not in colours)
    said = [Hypothesis(f'pick up the {absent} mug', 0.6), Hypothesis(there, 0.3)]
    spoken = ground_spoken(model, frame, said)
    assert spoken.hypothesis == said[1]
    assert spoken.segmentation.status is Status.FOUND
    assert spoken.segmentation.command.text == there
    assert [each.hypothesis for each in spoken.alternatives] == [said[0]]


def test_one_hypothesis_is_answered_as_it_is_typed(model, frame, picture):
    text = f'grab the {things(picture)[0]}'
    spoken = ground_spoken(model, frame, [Hypothesis(text, 0.01)])
    typed = model.segment(frame, text)
    assert spoken.segmentation.text == typed.text
    np.testing.assert_array_equal(spoken.segmentation.mask, typed.mask)
    assert spoken.alternatives == ()


def test_the_verb_is_that_of_the_hypothesis_where_the_expression_is_shared(model, frame, picture):
    thing = things(picture)[0]
    said = [Hypothesis(f'{verb} the {thing}', 0.5) for verb in ('push', 'grab', 'take')]
    spoken = ground_spoken(model, frame, said)
    assert spoken.segmentation.command.action_verb == 'push'
    verbs = [each.segmentation.command.action_verb for each in spoken.alternatives]
    assert verbs == ['grab', 'take']


def test_two_that_are_there_and_as_likely_are_asked_about(model, frame, picture):
    one, other = things(picture)[:2]
    said = [Hypothesis(f'pick up the {one}', 0.5), Hypothesis(f'pick up the {other}', 0.48)]
    spoken = ground_spoken(model, frame, said)
    assert spoken.segmentation.status is Status.AMBIGUOUS
    assert all(each.text in spoken.segmentation.text for each in said)
    rival = spoken.alternatives[0].segmentation
    np.testing.assert_array_equal(spoken.segmentation.candidates[1].mask, rival.mask)


def test_what_cannot_win_is_not_answered(model, frame, picture):
    there = f'pick up the {things(picture)[0]}'
    said = [Hypothesis(there, 0.9), Hypothesis('pick up the capsule', 0.001)]
    spoken = ground_spoken(model, frame, said)
    assert spoken.hypothesis == said[0]
    assert spoken.alternatives == ()


def test_without_a_hypothesis_there_is_nothing_to_answer(model, frame):
    with pytest.raises(ValueError, match='hypothesis'):
        ground_spoken(model, frame, [])


def test_chances_are_those_of_bayes():
    heard = [Hypothesis('a', 0.6), Hypothesis('b', 0.3), Hypothesis('c', 0.1)]
    answers = [answer(Status.NOT_FOUND), answer(Status.FOUND, 1), answer(Status.AMBIGUOUS, 2)]
    found = ranked(heard, answers)
    assert [each.hypothesis.text for each in found] == ['b', 'a', 'c']
    expected = np.array([0.3 * 1.0, 0.6 * 0.1, 0.1 * 0.2])
    np.testing.assert_allclose([each.chance for each in found], expected / expected.sum())


def test_what_has_no_chance_and_no_confidence_is_last_and_finite():
    heard = [Hypothesis('a', 0.0), Hypothesis('b', 1.0)]
    found = ranked(heard, [answer(Status.FOUND), answer(Status.INVALID, chance=math.nan)])
    assert all(0 <= each.chance <= 1 for each in found)


@pytest.mark.parametrize(
    ('confidences', 'places', 'is_open'),
    [
        ((0.5, 0.4), (0, 1), True),
        ((0.5, 0.4), (0, 0), False),  # the same object
        ((0.5, 0.1), (0, 1), False),
        ((0.4, 0.2, 0.2), (0, 1, 1), True),  # two that mean the same other object
        ((0.4, 0.3, 0.3), (0, 0, 1), False),
    ],
)
def test_it_is_open_which_object_where_another_has_as_much_chance(confidences, places, is_open):
    heard = [Hypothesis(str(k), chance) for k, chance in enumerate(confidences)]
    found = ranked(heard, [answer(Status.FOUND, place) for place in places])
    assert (rival_of(found) is not None) == is_open


def test_nothing_rivals_what_is_not_there():
    found = ranked([Hypothesis('a', 1.0)], [answer(Status.NOT_FOUND)])
    assert rival_of(found) is None
