"""What every recogniser of speech does."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz, of all sound here


@dataclass(frozen=True)
class Hypothesis:
    """What may have been said.

    text: the words, in lower case, separated by single spaces.
    confidence: the probability that it is exactly what was said, in [0, 1].
    """

    text: str
    confidence: float


class Recognizer(Protocol):
    """Turns the sound of one utterance at a time into text."""

    def start(self) -> None:
        """Begin an utterance; what was heard of an unfinished one is forgotten."""

    def hear(self, samples: NDArray[np.float32]) -> str:
        """Take the next samples (N,) float32 in [-1, 1], at SAMPLE_RATE; return a partial text."""

    def finish(self) -> tuple[Hypothesis, ...]:
        """End the utterance; return what may have been said, best first, or nothing."""
