"""A recogniser of the grammar of the table, and speech with noise."""

import numpy as np
import pytest

from iterprime_ros.speech.espeak import speak
from iterprime_ros.speech.sphinx import SphinxRecognizer


@pytest.fixture(scope='session')
def recognizer():
    return SphinxRecognizer(n_best=8)


@pytest.fixture(scope='session')
def say():
    """Return a text spoken between two pauses, in noise of 20 dB."""

    def said(text, voice='en-us', speed=150, seed=0):
        speech = speak(text, voice, speed)
        sound = np.pad(speech, 5000)
        noise = np.random.default_rng(seed).normal(0, 0.1 * np.sqrt(np.mean(speech**2)), len(sound))
        return np.clip(sound + noise, -1, 1).astype(np.float32)

    return said
