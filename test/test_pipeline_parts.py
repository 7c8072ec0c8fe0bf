"""Answers part by part: by small random models in the formats of the real ones."""

import numpy as np
import pytest
import torch

from helpers.tiny_profile import write_profile
from helpers.tiny_sam3 import tiny_sam3, tiny_sam3_tokenizer
from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.masks.sam3 import Sam3Proposer
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import AnswerSettings
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.spatial.measurements import measure
from iterprime_ros.spatial.reasoner import reason
from iterprime_ros.spatial.words import number_word


@pytest.fixture(scope='module')
def model(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp('parts') / 'parts.yaml'
    profile = write_profile(path, weights, answer={'by': 'parts'})
    return IteRPrimE.from_profile(profile, 'cpu', offline=True)


def with_answer(model, **settings):
    """The same models with other settings of the answer."""
    defaults = {'by': 'parts', 'match_threshold': 0, 'ambiguity_margin': 0}
    answer = AnswerSettings(**{**defaults, **settings})
    return model.with_profile(model.profile.model_copy(update={'answer': answer}))


def test_an_answer_holds_what_its_docstring_says(model, picture):
    answer = model.segment(picture, 'pick up the red mug left of the ball')
    assert answer.status is Status.FOUND
    assert answer.text.startswith('Found "the red mug left of the ball" (chance ')
    assert answer.mask.shape == answer.heatmap.shape == picture.shape[:2]
    assert (answer.heatmap.min(), answer.heatmap.max()) == (0, 1)
    assert np.array_equal(answer.candidates[0].mask, answer.mask)
    assert (answer.ranked_by, answer.instance_count) == ('chance', 1)
    chances = [each.chance for each in answer.candidates]
    assert answer.match_probability == chances[0]
    assert chances == sorted(chances, reverse=True)
    assert answer.parts.reasoning.beliefs[list(answer.parts.objects)] == pytest.approx(chances)
    words = [answer.command.expression[slice(*each.span)] for each in answer.word_heatmaps]
    assert words == ['red', 'mug']
    assert [each.is_primary for each in answer.word_heatmaps] == [False, True]
    assert list(answer.milliseconds) == [
        'encode image for matching',
        'encode image for masks',
        'parse',
        'ground',
        'find objects',
        'match regions',
        'reason',
    ]


def test_many_commands_are_answered_as_each_alone(model, picture):
    commands = ['the red mug', '  ', 'hand me the ball behind the mug', 'all the mugs', 'the ball']
    together = model.segment_many(picture, commands)
    frame = model.embed(picture)
    assert not frame.objects
    for command, answer in zip(commands, together, strict=True):
        alone = model.segment(frame, command)
        assert alone.status is answer.status
        assert np.array_equal(alone.mask, answer.mask)
        assert alone.match_probability == pytest.approx(
            answer.match_probability, abs=1e-4, nan_ok=True
        )
    assert len(frame.objects) == 1
    assert [answer.status is Status.INVALID for answer in together] == [False, True] + 3 * [False]


def test_a_plural_covers_every_instance(model, picture):
    answer = model.segment(picture, 'all the mugs')
    assert answer.status is Status.FOUND_SEVERAL
    assert answer.instance_count == len(answer.candidates) > 1
    union = np.logical_or.reduce([each.mask for each in answer.candidates])
    assert np.array_equal(answer.mask, union)
    threshold = answer.candidates[1].chance
    fewer = with_answer(model, match_threshold=threshold).segment(picture, 'all the mugs')
    assert fewer.instance_count == 2
    assert fewer.text == 'Found two mugs for "all the mugs".'


def test_a_number_of_objects_is_respected(model, picture):
    answer = model.segment(picture, 'two mugs')
    count = len(answer.candidates)
    assert answer.status is Status.AMBIGUOUS
    assert answer.text == f'{number_word(count).capitalize()} mugs fit: say which two.'
    assert answer.instance_count == 1
    biggest = with_answer(model).segment(picture, 'the two biggest mugs')
    assert (biggest.status, biggest.instance_count) == (Status.FOUND_SEVERAL, 2)
    fewer = with_answer(model, match_threshold=answer.candidates[1].chance)
    three = fewer.segment(picture, 'three mugs')
    assert three.status is Status.FOUND_SEVERAL
    assert three.text == 'Found two mugs, not three, for "three mugs".'


@pytest.mark.parametrize('by', ['parts', 'heatmap'])
def test_what_must_not_be_done_is_not_answered(model, picture, by):
    answer = with_answer(model, by=by).segment(picture, 'do not touch the red mug')
    assert answer.status is Status.INVALID
    assert answer.text == 'This says what not to do: say which object is meant.'
    assert not answer.mask.any()


def test_superlatives_that_several_share_are_ambiguous(model, picture):
    frame = model.embed(picture)
    command = 'the biggest mug'
    (beliefs,) = {tuple(c.chance for c in model.segment(frame, command).candidates)}
    threshold = (beliefs[0] + sum(beliefs)) / 2
    assert beliefs[0] < threshold < sum(beliefs)
    shared = with_answer(model, match_threshold=threshold, ambiguity_margin=1.0)
    assert shared.segment(frame, command).status is Status.AMBIGUOUS
    alone = with_answer(model, match_threshold=threshold, ambiguity_margin=0.0)
    assert alone.segment(frame, command).status is Status.NOT_FOUND
    assert shared.segment(frame, 'the mug').status is Status.NOT_FOUND


def test_what_no_object_matches_enough_is_not_found(model, picture):
    answer = with_answer(model, match_threshold=1).segment(picture, 'the mug left of the ball')
    assert answer.status is Status.NOT_FOUND
    assert answer.instance_count == 0
    assert not answer.mask.any()
    assert 'mug' in answer.text
    assert ', below 1).' in answer.text
    assert answer.parts.reasoning.factors[0].constraint.anchors[0].text == 'ball'


def test_an_object_about_as_likely_makes_an_answer_ambiguous(model, picture):
    found = model.segment(picture, 'the mug')
    assert found.status is Status.FOUND
    answer = with_answer(model, ambiguity_margin=1).segment(picture, 'the mug')
    assert answer.status is Status.AMBIGUOUS
    winner, rival = answer.candidates[:2]
    assert np.array_equal(answer.mask, winner.mask)
    assert np.array_equal(winner.mask, found.mask)
    shared = (winner.mask & rival.mask).sum()
    assert shared < 0.1 * min(winner.mask.sum(), rival.mask.sum())
    assert 'mugs' in answer.text


def test_depth_and_calibration_decide_what_is_behind(model, small_renderer):
    seen = small_renderer.render(sample_scene(16))
    texts = 'the mug behind the ball'
    flat = model.segment(seen.rgb, texts)
    deep = model.segment(model.embed(seen.rgb, seen.depth, seen.pinhole), texts)
    for answer, given in ((flat, (None, None)), (deep, (seen.depth, seen.pinhole))):
        order = np.argsort(answer.parts.objects)
        masks = np.stack([answer.candidates[k].mask for k in order])
        measured = measure(masks, *given)
        reasoning = answer.parts.reasoning
        anchor = reasoning.factors[0].anchors[0]
        matches = {'mug': reasoning.match, 'ball': anchor.match}
        expected = reason(answer.command.phrase, matches, measured)
        assert reasoning.beliefs == pytest.approx(expected.beliefs)
        assert answer.parts.measured.centre == pytest.approx(measured.centre)
    assert measured.is_metric.any()
    behind = [each.parts.reasoning.factors[0].chances for each in (flat, deep)]
    assert np.abs(behind[0] - behind[1]).max() > 0.01


def test_a_large_image_is_answered_in_its_own_size(model, picture):
    large = np.repeat(np.repeat(picture, 8, axis=0), 8, axis=1)  # 1280 x 960
    answer = model.segment(large, 'all the mugs')
    for plane in (answer.mask, answer.heatmap, *(each.mask for each in answer.candidates)):
        assert plane.shape == (960, 1280)
    union = np.logical_or.reduce([each.mask for each in answer.candidates])
    assert (answer.mask != union).mean() < 0.01  # between objects that touch


@pytest.mark.parametrize('size', [(1, 1, 3), (1, 300, 3), (33, 20, 3)])
def test_small_and_thin_images_are_answered(model, size):
    image = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    for command in ('the mug left of the ball', 'all the mugs', 'the leftmost mug'):
        assert model.segment(image, command).mask.shape == size[:2]


def test_rounds_are_reported_and_work_can_be_stopped(model, picture):
    reported = []
    answer = model.segment(picture, 'the red mug', lambda *each: reported.append(each))
    assert [number for number, _, _ in reported] == list(range(len(answer.rounds)))


def test_it_works_inside_inference_mode(model, picture):
    outside = model.segment(picture, 'the mug left of the ball')
    with torch.inference_mode():
        inside = model.segment(picture, 'the mug left of the ball')
    assert np.array_equal(inside.mask, outside.mask)


def test_sam_3_is_asked_for_every_noun_phrase(weights, tmp_path, picture, monkeypatch):
    tiny_sam3().save_pretrained(tmp_path / 'sam3')
    tiny_sam3_tokenizer().save_pretrained(tmp_path / 'sam3')
    masks = {'kind': 'sam3', 'weights': str(tmp_path / 'sam3')}
    path = write_profile(
        tmp_path / 'sam3.yaml',
        weights,
        masks=masks,
        answer={'by': 'parts'},
        objects={'max_overlap': 1.0},  # random masks overlap, and with fewer nothing is left of any
    )
    model = IteRPrimE.from_profile(path, 'cpu', offline=True)
    asked = []
    instances = Sam3Proposer.instances

    def noted(self, embedding, phrase):
        asked.append((phrase, instances(self, embedding, phrase)))
        return asked[-1][1]

    monkeypatch.setattr(Sam3Proposer, 'instances', noted)
    frame = model.embed(picture)
    commands = ['the red mug left of the ball', 'the ball', 'the red mug left of the ball']
    answers = model.segment_many(frame, commands)
    found = [mask.numpy() for _, each in asked for mask in each.masks]
    assert [phrase for phrase, _ in asked] == ['red mug', 'ball', 'ball']
    assert len(frame.objects) == 2
    assert [len(each.proposals.masks) > 1 for each in frame.objects.values()] == [True, True]
    for answer in answers:
        assert answer.status in (Status.FOUND, Status.AMBIGUOUS)
        assert any(np.array_equal(answer.mask, mask) for mask in found)
    assert np.array_equal(answers[0].mask, answers[2].mask)


def test_sam_3_answers_no_heatmap(weights, tmp_path):
    tiny_sam3().save_pretrained(tmp_path / 'sam3')
    tiny_sam3_tokenizer().save_pretrained(tmp_path / 'sam3')
    masks = {'kind': 'sam3', 'weights': str(tmp_path / 'sam3')}
    path = write_profile(tmp_path / 'sam3.yaml', weights, masks=masks)
    with pytest.raises(InvalidSettingError, match=r'answer\.by must be parts') as caught:
        IteRPrimE.from_profile(path, 'cpu', offline=True)
    assert len(str(caught.value).splitlines()) == 1


def test_sam_finds_objects_too(weights, tmp_path, picture):
    fields = {
        'masks': {'kind': 'sam', 'weights': str(weights / 'sam')},
        'objects': {'grid': 3, 'min_predicted_iou': 0, 'max_area': 1},
        'answer': {'by': 'parts'},
    }
    path = write_profile(tmp_path / 'sam.yaml', weights, **fields)
    model = IteRPrimE.from_profile(path, 'cpu', offline=True)
    frame = model.embed(picture)
    answer = model.segment(frame, 'the mug left of the ball')
    assert answer.status is not Status.INVALID
    assert len(frame.objects) == 1
