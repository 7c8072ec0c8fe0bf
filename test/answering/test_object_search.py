"""The search for what a command describes, with the shipped models."""

import numpy as np
import pytest

from iterprime_ros.answer import Status
from iterprime_ros.answering.object_search import described_objects, noun_phrase_expressions
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.pipeline import IteRPrimE

LIKELY = 0.5


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop-igrs')


@pytest.fixture(scope='module')
def samples():
    return list(load_tabletop('calibration', 3))


def overlap(one, other):
    return (one & other).sum() / max(1, (one | other).sum())


def test_noun_phrases_are_searched_once(model):
    command = model.parser.parse('the red mug left of the plate behind the other plate')
    assert [each.text for each in noun_phrase_expressions(command)] == [
        'red mug',
        'plate',
        'other plate',
    ]


def test_the_profile_searches_what_is_described(model, samples):
    for sample in samples:
        frame = model.embed(sample.image)
        answer = model.segment(frame, 'all the objects')
        assert answer.status is Status.FOUND_SEVERAL
        attributes = next(each for each in sample.questions if each.group == 'attributes')
        found = model.segment(frame, attributes.command)
        assert overlap(found.mask, attributes.target_mask) > LIKELY
        command = model.parser.parse(attributes.command)
        objects = described_objects(
            model.matcher,
            frame.matcher_embedding,
            model.proposer,
            frame.mask_embedding,
            noun_phrase_expressions(command),
            model.profile,
        )
        masks = objects.masks.numpy()
        assert len(found.candidates) == len(masks) < len(answer.candidates)
        assert max(overlap(mask, attributes.target_mask) for mask in masks) > LIKELY


def test_commands_together_are_answered_as_each_alone(model, samples):
    sample = samples[0]
    commands = [question.command for question in sample.questions]
    together = model.segment_many(model.embed(sample.image), commands)
    frame = model.embed(sample.image)
    for command, answer in zip(commands, together, strict=True):
        alone = model.segment(frame, command)
        assert alone.status is answer.status
        np.testing.assert_array_equal(alone.mask, answer.mask)
        assert alone.match_probability == pytest.approx(answer.match_probability, abs=1e-4)


def test_objects_that_other_heatmaps_found_are_not_taken_for_ours(model, samples):
    frame = model.embed(samples[0].image)
    command = samples[0].questions[0].command
    other = with_settings(model, {'block': 3})
    alone = other.segment(model.embed(samples[0].image), command)
    model.segment(frame, command)
    shared = other.segment(frame, command)
    assert len(frame.objects) == 2
    assert len(shared.candidates) == len(alone.candidates)
    np.testing.assert_array_equal(shared.mask, alone.mask)
