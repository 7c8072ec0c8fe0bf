"""Checkpoints in the format of LAVIS answer as the object that they were saved from."""

import contextlib

import pytest
import torch
from lavis_models import build, write_vocabulary

from iterprime_ros.backends import load_matcher
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.lavis import lavis_matcher, load_lavis
from iterprime_ros.weights import Placement

OFFLINE = Placement(local_files_only=True)
TEXTS = ['there is a red umbrella left of the blue mug', 'the ball']


def save(path, state):
    """Save tensors with what LAVIS's retrieval checkpoints have besides."""
    besides = {
        'temp': torch.tensor(0.07),
        'image_queue': torch.zeros(256, 8),
        'ptr_queue': torch.zeros(1, dtype=torch.int64),
        'visual_encoder_m.cls_token': torch.zeros(1, 1, 8),
        'text_encoder_m.embeddings.LayerNorm.bias': torch.zeros(8),
    }
    torch.save({'model': {**state, **besides}, 'epoch': 5}, path)
    return path


@pytest.fixture(scope='module')
def checkpoint(blip_itm, tmp_path_factory):
    path = save(tmp_path_factory.mktemp('base') / 'base.pth', blip_itm.state_dict())
    yield path
    path.unlink()


def looked(matcher, image):
    keep = torch.ones(len(TEXTS), 24 * 24, dtype=torch.bool)
    keep[:, :50] = False
    seen = matcher.attend(matcher.encode_image(image), matcher.encode_text(TEXTS), keep, 8)
    return seen.attention, seen.gradient, seen.probability


def test_base_answers_as_the_object(matcher, checkpoint, vocabulary, image):
    loaded = load_matcher('lavis', str(checkpoint), str(vocabulary), OFFLINE)
    for found, expected in zip(looked(loaded, image), looked(matcher, image), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_large_answers_as_the_object(vocabulary, image, tmp_path):
    with contextlib.chdir(vocabulary.parent):
        large = build('large').half().float()  # half the file, with the same numbers
    path = save(tmp_path / 'large.pth', {k: v.half() for k, v in large.state_dict().items()})
    loaded = load_lavis(path, vocabulary, OFFLINE)
    path.unlink()
    for found, expected in zip(
        looked(loaded, image), looked(lavis_matcher(large), image), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_tokenizer_is_a_folder_in_the_working_directory(checkpoint, vocabulary, monkeypatch):
    monkeypatch.chdir(vocabulary.parent)
    assert len(load_lavis(checkpoint, None, OFFLINE).tokenizer) == 30524


def test_without_a_tokenizer_the_hub_is_not_asked_offline(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsNotFoundError, match='No tokenizer at bert-base-uncased'):
        load_lavis(checkpoint, None, OFFLINE)


def test_a_tokenizer_that_does_not_fit_is_one_sentence(checkpoint, tmp_path):
    folder = tmp_path / 'bert-base-cased'
    write_vocabulary(folder, 28996)
    with pytest.raises(WeightsMismatchError, match=r'has 28998 tokens, and the model .* 30524'):
        load_lavis(checkpoint, folder, OFFLINE)
    (folder / 'vocab.txt').write_text('red\nmug\n')
    with pytest.raises(WeightsMismatchError, match='holds no tokenizer that fits'):
        load_lavis(checkpoint, folder, OFFLINE)


def test_wrong_files_are_one_sentence(tmp_path, vocabulary):
    with pytest.raises(WeightsNotFoundError, match=r'No BLIP checkpoint of LAVIS at .*none\.pth'):
        load_lavis(tmp_path / 'none.pth', vocabulary, OFFLINE)
    path = tmp_path / 'wrong.pth'
    torch.save([1, 2], path)
    with pytest.raises(WeightsMismatchError, match='no "model"'):
        load_lavis(path, vocabulary, OFFLINE)
    with pytest.raises(WeightsMismatchError, match='0 blocks of width 0'):
        load_lavis(save(path, {}), vocabulary, OFFLINE)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'itm_head.weight': None, 'itm_head.bias': None}, r'2 missing: itm_head\.bias, itm_head'),
        ({'visual_encoder.pos_embed': None}, r'1 missing: visual_encoder\.pos_embed'),
        ({'visual_encoder.pos_embed': torch.zeros(1, 24, 768)}, 'of another shape: visual_encoder'),
        ({'visual_encoder.norm.bias': torch.ones(768).char()}, 'of integers'),
        ({'text_encoder.encoder.layer.12.output.dense.bias': torch.ones(768)}, '1 not expected'),
    ],
)
def test_tensors_that_do_not_fit_are_named(blip_itm, vocabulary, tmp_path, change, words):
    # Without their content: one number stands for all of a tensor.
    state = {k: torch.zeros(()).expand(v.shape) for k, v in blip_itm.state_dict().items()}
    state.update(change)
    path = save(tmp_path / 'base.pth', {k: v for k, v in state.items() if v is not None})
    with pytest.raises(WeightsMismatchError, match=words):
        load_lavis(path, vocabulary, OFFLINE)
