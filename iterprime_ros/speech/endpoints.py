"""Where an utterance begins and ends in an endless sound, by the voice activity of pocketsphinx."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.speech.audio import to_pcm
from iterprime_ros.speech.recognizer import SAMPLE_RATE

MAX_SECONDS = 15.0  # of an utterance, which is ended then
_WINDOW = 0.5  # seconds of speech or of silence that begin or end an utterance
_SHARE = 0.8  # of the window


class Endpointer:
    """Cuts utterances out of a sound.

    Raises MissingDependencyError without pocketsphinx.
    """

    def __init__(self) -> None:
        try:
            library = import_module('pocketsphinx')
        except ImportError as error:
            raise MissingDependencyError(
                'pocketsphinx, which finds where speech ends, is missing: '
                'pip install "iterprime_ros[speech]".'
            ) from error
        self._make = lambda: library.Endpointer(
            window=_WINDOW, ratio=_SHARE, sample_rate=SAMPLE_RATE
        )
        self._detector = self._make()
        self._waiting = b''
        self._said = 0

    def hear(self, samples: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], bool]]:
        """Take the next samples; yield those of an utterance, and whether it ends with them.

        samples: (N,) float32 in [-1, 1] at SAMPLE_RATE; what is left of a frame waits for more.
        """
        self._waiting += to_pcm(samples)
        size = self._detector.frame_bytes
        while len(self._waiting) > size:
            frame, self._waiting = self._waiting[:size], self._waiting[size:]
            speech = self._detector.process(frame)
            if speech is None:
                continue
            self._said += len(speech) // 2
            ends = not self._detector.in_speech
            if self._said > MAX_SECONDS * SAMPLE_RATE:
                self._detector, ends = self._make(), True
            if ends:
                self._said = 0
            yield _samples(speech), ends

    def end(self) -> NDArray[np.float32] | None:
        """End the sound; return the rest of an utterance that goes on, or None without one."""
        is_speaking, rest = self._detector.in_speech, self._waiting
        speech = self._detector.end_stream(rest) if is_speaking else None
        self._detector, self._waiting, self._said = self._make(), b'', 0
        return _samples(speech or b'') if is_speaking else None


def _samples(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, '<i2').astype(np.float32) / np.float32(32767)
