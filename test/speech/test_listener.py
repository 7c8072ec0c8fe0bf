"""Utterances in an endless sound, "stop" before it is over, and push to talk."""

import numpy as np
import pytest

from iterprime_ros.speech.audio import blocks
from iterprime_ros.speech.endpoints import MAX_SECONDS, Endpointer
from iterprime_ros.speech.espeak import speak
from iterprime_ros.speech.listener import Listener, ListenerCallbacks
from iterprime_ros.speech.recognizer import SAMPLE_RATE, Hypothesis


class Script:
    """A recogniser that says what it is told, one partial text for each block."""

    def __init__(self, partial, final):
        self.partial, self.final = partial, final
        self.started = 0
        self.lengths = []

    def start(self):
        self.started += 1
        self.said = iter(self.partial)
        self.lengths.append(0)

    def hear(self, samples):
        self.lengths[-1] += len(samples)
        return next(self.said, self.partial[-1] if self.partial else '')

    def finish(self):
        return tuple(Hypothesis(text, 0.5) for text in self.final)


class Diary:
    def __init__(self, recognizer, endpointer=None):
        self.events = []
        self.listener = Listener(
            recognizer,
            endpointer,
            ListenerCallbacks(
                lambda text: self.events.append(('partial', text)),
                lambda: self.events.append('stop'),
                lambda found: self.events.append(('final', found[0].text)),
            ),
        )


def silence(seconds):
    noise = np.random.default_rng(1).normal(0, 1e-3, int(seconds * SAMPLE_RATE))
    return noise.astype(np.float32)


def test_two_utterances_are_told_apart():
    recognizer = Script(['take'], ['take the mug'])
    diary = Diary(recognizer, Endpointer())
    said = speak('please take the red mug')
    for block in blocks(np.concatenate([silence(1), said, silence(1.5), said, silence(1.5)])):
        diary.listener.hear(block)
    assert recognizer.started == 2
    assert diary.events.count(('final', 'take the mug')) == 2
    assert all(length > 0.7 * len(said) for length in recognizer.lengths)


@pytest.mark.parametrize('voice', ['en-us', 'en-gb', 'en-gb+m2'])
@pytest.mark.parametrize('below', [10, 20, 40])
def test_stop_is_heard_in_noise(voice, below):
    recognizer = Script([], ['stop'])
    diary = Diary(recognizer, Endpointer())
    said = speak('stop', voice, 175)
    level = np.sqrt(np.mean(said**2) / 10 ** (below / 10))
    sound = np.pad(said, int(1.5 * SAMPLE_RATE))
    noise = np.random.default_rng(1).normal(0, level, len(sound))
    for block in blocks((sound + noise).astype(np.float32)):
        diary.listener.hear(block)
    assert diary.events == ['stop', ('final', 'stop')]
    assert recognizer.lengths[0] > len(said)


def test_silence_is_no_utterance():
    recognizer = Script([], ['take the mug'])
    diary = Diary(recognizer, Endpointer())
    for block in blocks(silence(4)):
        diary.listener.hear(block)
    diary.listener.end()
    assert not recognizer.started
    assert not diary.events


def test_the_end_of_the_sound_ends_an_utterance():
    diary = Diary(Script([], ['take the mug']), Endpointer())
    for block in blocks(np.concatenate([silence(1), speak('please take the red mug now')])):
        diary.listener.hear(block)
    assert not diary.events
    diary.listener.end()
    assert diary.events == [('final', 'take the mug')]


def test_an_utterance_has_an_end():
    recognizer = Script([], ['take the mug'])
    diary = Diary(recognizer, Endpointer())
    said = np.tile(speak('please take the red mug and the blue bottle'), 12)
    for block in blocks(said):
        diary.listener.hear(block)
    assert diary.events
    assert max(recognizer.lengths) <= (MAX_SECONDS + 1) * SAMPLE_RATE


@pytest.mark.parametrize(
    ('partial', 'final', 'stops'),
    [
        (['', 'stop', 'stop', 'stop'], 'stop', 1),
        (['stop', 'stop', 'stop the', 'stop', 'stop'], 'stop', 1),
        (['stop', 'push', 'push the'], 'push the mug', 0),  # its first words sounded so
        (['', ''], 'stop', 1),  # a recogniser without partial texts
        (['push', 'push'], 'push the mug', 0),
    ],
)
def test_stop_is_said_once_and_at_once(partial, final, stops):
    diary = Diary(Script(partial, [final]))
    diary.listener.talk(True)
    for _ in partial:
        diary.listener.hear(silence(0.1))
    early = diary.events.count('stop')
    diary.listener.talk(False)
    assert diary.events.count('stop') == stops
    assert diary.events[-1] == ('final', final)
    assert early == (stops if 'stop' in partial else 0)


def test_push_to_talk_hears_nothing_else():
    recognizer = Script(['a', 'a', 'a b'], ['a b c'])
    diary = Diary(recognizer)
    diary.listener.hear(silence(0.1))
    diary.listener.talk(False)
    diary.listener.talk(True)
    diary.listener.talk(True)
    for _ in range(3):
        diary.listener.hear(silence(0.1))
    diary.listener.talk(False)
    diary.listener.hear(silence(0.1))
    assert recognizer.lengths == [4800]
    assert diary.events == [('partial', 'a'), ('partial', 'a b'), ('final', 'a b c')]


def test_nothing_understood_is_not_sent():
    diary = Diary(Script(['a'], []))
    diary.listener.talk(True)
    diary.listener.hear(silence(0.1))
    diary.listener.end()
    assert diary.events == [('partial', 'a')]


def test_voices_and_speeds():
    slow, fast = speak('the red mug', 'en-gb', 100), speak('the red mug', 'en-gb', 200)
    assert len(slow) > 1.3 * len(fast)
    assert np.abs(slow).max() <= 1
    assert not np.array_equal(fast, speak('the red mug', 'en-us+f3', 200))
    with pytest.raises(ValueError, match='voice'):
        speak('a', 'xx-nobody')
    with pytest.raises(ValueError, match='speed'):
        speak('a', 'en-us', 10)
