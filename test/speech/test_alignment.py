"""Scores of sentences are those of the plain Viterbi algorithm over all ways to say them."""

from itertools import product

import numpy as np
import pytest

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.speech.acoustic_model import SILENCE, AcousticModel, read_acoustic_model
from iterprime_ros.speech.alignment import Aligner
from iterprime_ros.speech.sphinx import _model_path

PRONUNCIATIONS = {'a': (('AH',), ('EY',)), 'cup': (('K', 'AH', 'P'),), 'up': (('AH', 'P'),)}
PAUSE, VARIANT = -5.0, -10.0


@pytest.fixture(scope='module')
def model():
    return read_acoustic_model(_model_path('en-us/en-us'))


def plain(model: AcousticModel, words, scores):
    """Try every pronunciation and pause; align each sequence of phones by itself."""
    ways = [PRONUNCIATIONS[word] for word in words]
    first = [way[0] for way in ways]
    best = -np.inf
    for said in product(*ways):
        for pauses in product((False, True), repeat=len(words) + 1):
            phones = []
            cost = sum(VARIANT for way, each in zip(ways, said, strict=True) if each != way[0])
            for k in range(len(words) + 1):
                if pauses[k]:
                    phones.append((SILENCE, SILENCE, SILENCE, 's'))
                    cost += PAUSE if 0 < k < len(words) else 0.0
                if k < len(words):
                    left = first[k - 1][-1] if k else SILENCE
                    right = first[k + 1][0] if k + 1 < len(words) else SILENCE
                    around = (left, *said[k], right)
                    for n in range(len(said[k])):
                        places = 's' if len(said[k]) == 1 else 'b' + 'i' * (len(said[k]) - 2) + 'e'
                        phones.append((around[n + 1], around[n], around[n + 2], places[n]))
            best = max(best, cost + viterbi(model, phones, scores))
    return best


def viterbi(model, phones, scores):
    states = [(s, p, e) for p in phones for e, s in enumerate(model.senones(*p))]
    old = np.full(len(states), -np.inf)
    for t, frame in enumerate(scores):
        new = np.full(len(states), -np.inf)
        for k, (senone, phone, e) in enumerate(states):
            steps = model.steps(phone[0])
            into = [old[k] + steps[e, e]]
            if k == 0 and t == 0:
                into.append(0.0)
            if e:
                into.append(old[k - 1] + steps[e - 1, e])
            elif k:
                into.append(old[k - 1] + model.steps(states[k - 1][1][0])[-1, -1])
            new[k] = max(into) + frame[senone]
        old = new
    return old[-1] + model.steps(states[-1][1][0])[-1, -1]


def test_it_equals_the_plain_way(model):
    rng = np.random.default_rng(5)
    scores = -rng.gamma(2.0, 2.0, (30, 5126)).astype(np.float32)
    sentences = [('a', 'cup'), ('up',), ('cup',), ('a', 'cup', 'up')]
    found = Aligner(model, PRONUNCIATIONS).scores(sentences, scores)
    expected = [plain(model, words, scores) for words in sentences]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_sound_that_is_too_short_is_impossible(model):
    scores = np.zeros((4, 5126), np.float32)
    (found,) = Aligner(model, PRONUNCIATIONS).scores([('cup', 'up')], scores)
    assert found < -1e6


def test_triphones_differ_by_their_neighbours(model):
    alone = model.senones('AH', SILENCE, SILENCE, 's')
    assert not np.array_equal(alone, model.senones('AH', 'K', 'P', 'i'))
    assert model.steps('AH').shape == (3, 4)


@pytest.mark.parametrize('content', [None, b'', b'BMDF', b'text of another format'])
def test_another_model_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / 'mdef').write_bytes(content)
    with pytest.raises(WeightsMismatchError):
        read_acoustic_model(tmp_path)
