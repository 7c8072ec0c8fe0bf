"""Whisper with random weights: hypotheses are whole texts with the model's own probabilities."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

from helpers.tiny_whisper import LANGUAGES, save_tiny_whisper
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.speech.whisper import load_whisper
from iterprime_ros.weights import Placement


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return save_tiny_whisper(tmp_path_factory.mktemp('whisper'))


@pytest.fixture(scope='module')
def polyglot(tmp_path_factory):
    return save_tiny_whisper(tmp_path_factory.mktemp('polyglot'), is_multilingual=True)


@pytest.fixture(scope='module')
def sound():
    return np.random.default_rng(3).normal(0, 0.1, 24_000).astype(np.float32)


def heard(recognizer, sound):
    recognizer.start()
    for start in range(0, len(sound), 5000):
        assert recognizer.hear(sound[start : start + 5000]) == ''
    return recognizer.finish()


@pytest.mark.parametrize('n_best', [1, 4])
def test_hypotheses_are_distinct_texts_best_first(folder, sound, n_best):
    found = heard(load_whisper(folder, n_best), sound)
    assert 1 <= len(found) <= n_best
    confidences = [each.confidence for each in found]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 < each <= 1 for each in confidences)
    assert len({each.text for each in found}) == len(found)


def test_the_confidence_is_the_probability_of_the_text(folder, sound):
    recognizer = load_whisper(folder, 1)
    (found,) = heard(recognizer, sound)
    model = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    features = WhisperFeatureExtractor()(sound, sampling_rate=16_000, return_tensors='pt')
    ids = [
        tokenizer.convert_tokens_to_ids(t) for t in ('<|startoftranscript|>', '<|notimestamps|>')
    ]
    end, total = tokenizer.convert_tokens_to_ids('<|endoftext|>'), 0.0
    for _ in range(24 - len(ids)):
        with torch.no_grad():
            logits = model(features.input_features, decoder_input_ids=torch.tensor([ids])).logits
        logs = logits[0, -1].double().log_softmax(-1)
        ids.append(int(logs.argmax()))
        total += float(logs.max())
        if ids[-1] == end:
            break
    assert found.confidence == pytest.approx(np.exp(total), rel=1e-3)


def test_a_language_that_is_not_wanted_is_not_heard(polyglot, sound):
    found = {code: heard(load_whisper(polyglot, 2, (code, 'fr')), sound) for code in LANGUAGES}
    assert sum(bool(texts) for texts in found.values()) == 1
    assert heard(load_whisper(polyglot, 2, ()), sound)
    assert heard(load_whisper(polyglot, 2, ('de',)), sound)  # it is told what to expect


def test_nothing_was_said_in_no_sound(folder):
    recognizer = load_whisper(folder)
    assert heard(recognizer, np.zeros(0, np.float32)) == ()
    with pytest.raises(ValueError, match='start'):
        recognizer.hear(np.zeros(10, np.float32))
    with pytest.raises(ValueError, match='start'):
        recognizer.finish()


def test_other_folders_are_refused(tmp_path, folder):
    with pytest.raises(WeightsNotFoundError):
        load_whisper(tmp_path / 'none', placement=Placement(local_files_only=True))
    (tmp_path / 'config.json').write_text('{}')
    with pytest.raises(WeightsMismatchError):
        load_whisper(tmp_path)
