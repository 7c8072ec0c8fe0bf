"""The objects of an image, and how well a command's own words describe objects."""

import numpy as np
import pytest
import torch

from helpers.tiny_profile import write_profile
from helpers.tiny_sam3 import tiny_sam3, tiny_sam3_tokenizer
from iterprime_ros.masks.object_masks import instances_of, objects_of
from iterprime_ros.pipeline import IteRPrimE


@pytest.fixture(scope='module')
def model(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp('objects') / 'parts.yaml'
    return IteRPrimE.from_profile(write_profile(path, weights, answer={'by': 'parts'}), 'cpu')


def test_own_words_are_matched_as_in_an_answer(model, picture):
    answer = model.segment(picture, 'the red mug left of the ball')
    masks = np.stack([each.mask for each in answer.candidates])
    chances = model.match_own_words(model.embed(picture), answer.command, masks)
    expected = answer.parts.reasoning.match[list(answer.parts.objects)]
    assert chances == pytest.approx(expected, abs=1e-5)
    assert answer.command.phrase.text == 'red mug'


def test_no_objects_have_no_chances(model, picture):
    nothing = np.zeros((0, *picture.shape[:2]), dtype=bool)
    assert model.match_own_words(
        model.embed(picture), model.parser.parse('mug'), nothing
    ).shape == (0,)


def test_all_objects_are_found_whatever_is_said(model, picture):
    found = [model.objects_in(picture, model.parser.parse(text)) for text in ('mug', 'the ball')]
    expected = objects_of(model.proposer, model.embed_masks(picture), model.profile.objects)
    assert len(expected.masks)
    for masks in found:
        assert np.array_equal(masks, expected.masks.numpy())


def test_a_proposer_that_is_asked_by_text_is_asked_for_the_own_words(weights, tmp_path, picture):
    tiny_sam3().save_pretrained(tmp_path / 'sam3')
    tiny_sam3_tokenizer().save_pretrained(tmp_path / 'sam3')
    masks = {'kind': 'sam3', 'weights': str(tmp_path / 'sam3')}
    path = write_profile(tmp_path / 'p.yaml', weights, masks=masks, answer={'by': 'parts'})
    model = IteRPrimE.from_profile(path, 'cpu')
    found = model.objects_in(picture, model.parser.parse('the red mug left of the ball'))
    embedding = model.embed_masks(picture)
    expected = instances_of(model.proposer, embedding, ['red mug'], model.profile.objects)
    assert np.array_equal(found, expected.masks.numpy())
    assert found.shape[1:] == picture.shape[:2]


def test_a_pipeline_says_its_device(model):
    assert model.device == torch.device('cpu')
