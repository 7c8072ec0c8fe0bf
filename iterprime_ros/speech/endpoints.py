"""Where an utterance begins and ends in an endless sound, by the voice activity of pocketsphinx."""

from collections import deque
from collections.abc import Iterator
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.speech.audio import to_pcm
from iterprime_ros.speech.recognizer import SAMPLE_RATE

MAX_SECONDS = 15.0  # of an utterance, which is ended then
_STRICT = 3  # mode of the detector: what is only noise is seldom speech
# In frames of 30 ms. A word as short as "stop" begins an utterance, a pause does not end it.
_BEGIN, _BEGIN_SPEECH = 8, 5  # the last frames, and how many of them are speech
_END, _END_SPEECH = 16, 3  # likewise, and at most how many
_KEPT = 18  # frames that are kept, for the begin of what is found to be speech


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
        self._detector = library.Vad(mode=_STRICT, sample_rate=SAMPLE_RATE)
        self._frames: deque[tuple[bytes, bool]] = deque(maxlen=_KEPT)
        self._waiting = b''
        self._is_open = False
        self._said = 0

    def hear(self, samples: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], bool]]:
        """Take the next samples; yield those of an utterance, and whether it ends with them.

        samples: (N,) float32 in [-1, 1] at SAMPLE_RATE; what is left of a frame waits for more.
        """
        self._waiting += to_pcm(samples)
        size = self._detector.frame_bytes
        while len(self._waiting) >= size:
            frame, self._waiting = self._waiting[:size], self._waiting[size:]
            self._frames.append((frame, self._detector.is_speech(frame)))
            speech = self._speech()
            if speech:
                self._said += len(speech) // 2
                self._is_open = not self._ends()
                yield _samples(speech), not self._is_open
            if not self._is_open:
                self._said = 0

    def _speech(self) -> bytes:
        """Return what the last frame adds to an utterance: nothing, itself or all that is kept."""
        if self._is_open:
            return self._frames[-1][0]
        if sum(is_speech for _, is_speech in list(self._frames)[-_BEGIN:]) < _BEGIN_SPEECH:
            return b''
        return b''.join(frame for frame, _ in self._frames)

    def _ends(self) -> bool:
        if self._said > MAX_SECONDS * SAMPLE_RATE:
            self._frames.clear()
            return True
        is_quiet = sum(is_speech for _, is_speech in list(self._frames)[-_END:]) <= _END_SPEECH
        return self._is_open and is_quiet

    def end(self) -> NDArray[np.float32] | None:
        """End the sound; return the rest of an utterance that goes on, or None without one."""
        rest = _samples(self._waiting) if self._is_open else None
        self._frames.clear()
        self._waiting, self._is_open, self._said = b'', False, 0
        return rest


def _samples(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, '<i2').astype(np.float32) / np.float32(32767)
