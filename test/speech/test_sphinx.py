"""pocketsphinx hears what espeak-ng says, and knows what else it may have been."""

import numpy as np
import pytest

from iterprime_ros.errors import WeightsMismatchError
from iterprime_ros.speech.audio import blocks
from iterprime_ros.speech.sphinx import SphinxRecognizer, read_senone_scores
from iterprime_ros.speech.vocabulary import Vocabulary


def heard(recognizer, sound):
    recognizer.start()
    partial = [recognizer.hear(block) for block in blocks(sound)]
    return partial, recognizer.finish()


@pytest.mark.parametrize(
    ('text', 'voice'),
    [
        ('pick up the rightmost plate', 'en-us'),
        ('grab the yellow cube left of the green plate', 'en-us+f3'),
        ('please take the big white plate', 'en-gb'),
    ],
)
def test_what_is_said_is_among_the_hypotheses(recognizer, say, text, voice):
    _, found = heard(recognizer, say(text, voice))
    assert text in [each.text for each in found[:3]]
    confidences = [each.confidence for each in found]
    assert len(found) == 8
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= each <= 1 for each in confidences)
    assert sum(confidences) <= 1 + 1e-6
    assert len({each.text for each in found}) == len(found)


def test_partial_texts_come_while_it_is_said(recognizer, say):
    partial, found = heard(recognizer, say('pick up the yellow banana'))
    assert any(text and text != found[0].text for text in partial)


def test_equal_sounds_give_equal_hypotheses(recognizer, say):
    sound = say('take the red ball')
    heard(recognizer, say('stop', 'en-gb'))
    assert heard(recognizer, sound)[1] == heard(recognizer, sound)[1]


@pytest.mark.parametrize('length', [0, 100, 1599])
def test_nothing_is_heard_in_no_time(recognizer, length):
    assert heard(recognizer, np.zeros(length, np.float32))[1] == ()


@pytest.mark.parametrize('level', [0.0, 0.01, 1.0])
def test_noise_is_no_failure(recognizer, level):
    sound = np.random.default_rng(0).normal(0, 1, 8000).astype(np.float32) * level
    _, found = heard(recognizer, sound)
    assert all(each.text for each in found)


def test_an_utterance_that_was_not_finished_is_forgotten(recognizer, say):
    recognizer.start()
    recognizer.hear(say('grab the blue bottle'))
    _, found = heard(recognizer, say('take the red ball'))
    assert found[0].text.endswith('ball')


def test_start_comes_first():
    fresh = SphinxRecognizer(Vocabulary(('spanner',), (), ()))
    with pytest.raises(ValueError, match='start'):
        fresh.hear(np.zeros(10, np.float32))
    with pytest.raises(ValueError, match='start'):
        fresh.finish()


def test_a_robot_of_another_world_hears_its_words(say):
    tools = Vocabulary(('screwdriver', 'spanner', 'ratchetwrench'), ('red',), ())
    _, found = heard(SphinxRecognizer(tools), say('hand me the red screwdriver'))
    assert found[0].text == 'hand me the red screwdriver'


@pytest.mark.parametrize('data', [b'', b's3\nn_sen 3\nendhdr\n', b's3\nn_sen 3\nendhdr\n1234abc'])
def test_another_log_is_refused(data):
    with pytest.raises(WeightsMismatchError):
        read_senone_scores(data + b'x')
