"""From an endless sound to utterances: partial texts, "stop" at once, hypotheses at the end."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.speech.commands import says_stop
from iterprime_ros.speech.endpoints import MAX_SECONDS, Endpointer
from iterprime_ros.speech.recognizer import SAMPLE_RATE, Hypothesis, Recognizer

_SURE_AFTER = 2  # partial texts in a row that say "stop": the first words of others may sound so


@dataclass(frozen=True)
class ListenerCallbacks:
    """Where it is said what was heard; all are called in the thread that hears.

    partial: a partial text that differs from the one before it.
    stop: "stop" was said, and nothing else; once an utterance, in most cases before it ends.
    final: what may have been said, best first, at least one.
    """

    partial: Callable[[str], None]
    stop: Callable[[], None]
    final: Callable[[tuple[Hypothesis, ...]], None]


class Listener:
    """Hears a sound block by block.

    recognizer: of the utterances.
    endpointer: finds them; None for push to talk, where `talk` says when they begin and end.
    """

    def __init__(
        self, recognizer: Recognizer, endpointer: Endpointer | None, callbacks: ListenerCallbacks
    ) -> None:
        self._recognizer, self._endpointer, self._callbacks = recognizer, endpointer, callbacks
        self._is_open = False
        self._partial = ''
        self._stops = self._count = 0

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples (N,) float32 in [-1, 1] at SAMPLE_RATE."""
        if self._endpointer is not None:
            for speech, ends in self._endpointer.hear(samples):
                self._take(speech)
                if ends:
                    self._finish()
        elif self._is_open:
            self._take(samples)
            if self._count >= MAX_SECONDS * SAMPLE_RATE:
                self._finish()

    def talk(self, is_talking: bool) -> None:
        """Begin or end an utterance by hand."""
        if is_talking and not self._is_open:
            self._begin()
        elif not is_talking and self._is_open:
            self._finish()

    def end(self) -> None:
        """End the sound, and the utterance that goes on."""
        rest = self._endpointer.end() if self._endpointer is not None else None
        if rest is not None and len(rest):
            self._take(rest)
        if self._is_open:
            self._finish()

    def _begin(self) -> None:
        self._recognizer.start()
        self._is_open, self._partial = True, ''
        self._stops = self._count = 0

    def _take(self, samples: NDArray[np.float32]) -> None:
        if not self._is_open:
            self._begin()
        self._count += len(samples)
        text = self._recognizer.hear(samples)
        if says_stop(text):
            self._stops += 1
            if self._stops == _SURE_AFTER:
                self._callbacks.stop()
        elif self._stops < _SURE_AFTER:
            self._stops = 0
        if text and text != self._partial:
            self._partial = text
            self._callbacks.partial(text)

    def _finish(self) -> None:
        self._is_open = False
        found = self._recognizer.finish()
        if not found:
            return
        if says_stop(found[0].text) and self._stops < _SURE_AFTER:
            self._callbacks.stop()
        self._callbacks.final(found)
