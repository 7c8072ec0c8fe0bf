"""Wake word, language and "stop"."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.speech.commands import (
    MAX_CHARACTERS,
    addressed,
    is_wanted_language,
    says_stop,
    spoken_text,
)
from iterprime_ros.speech.recognizer import Hypothesis


@pytest.mark.parametrize('text', ['stop', 'Stop!', 'robot, stop now', 'please stop', 'halt, stop'])
def test_it_says_stop(text):
    assert says_stop(text)


@pytest.mark.parametrize(
    'text', ['', 'please', 'pick up the stop sign', 'do not stop', 'stop the blue ball']
)
def test_it_does_not_say_stop(text):
    assert not says_stop(text)


@settings(deadline=None)
@given(st.text(max_size=2000))
def test_spoken_text_is_plain_short_and_stays(text):
    plain = spoken_text(text)
    assert len(plain) <= MAX_CHARACTERS
    assert plain == plain.strip()
    assert '  ' not in plain
    assert spoken_text(plain) == plain


def test_spoken_text_has_no_punctuation():
    assert spoken_text(' Robot, pick up  the man\u2019s "red" mug. ') == (
        'robot pick up the man\u2019s red mug'
    )


SAID = (Hypothesis('robot take the mug', 0.5), Hypothesis('take the mug', 0.2))


def test_the_wake_word_is_cut_off():
    assert addressed(SAID, 'robot') == (Hypothesis('take the mug', 0.5),)
    assert addressed(SAID, '') == SAID


def test_who_did_not_say_the_wake_word_is_not_meant():
    assert addressed(SAID, 'hey robot') == ()
    assert addressed(SAID, 'rob') == ()
    unlikely = (Hypothesis('take the mug', 0.6), Hypothesis('robot take the mug', 0.3))
    assert addressed(unlikely, 'robot') == ()
    assert addressed([Hypothesis('robot', 1.0)], 'robot') == ()


@pytest.mark.parametrize(
    ('language', 'wanted', 'is_wanted'),
    [
        ('en', ['en'], True),
        ('en-US', ['en'], True),
        ('EN', ['de', 'en'], True),
        ('de', ['en'], False),
        ('', ['en'], True),
        ('de', [], True),
    ],
)
def test_languages(language, wanted, is_wanted):
    assert is_wanted_language(language, wanted) == is_wanted
