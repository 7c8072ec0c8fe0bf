"""What of recognised speech is a command to this robot: wake word, language, "stop"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from iterprime_ros.speech.recognizer import Hypothesis

MAX_CHARACTERS = 600
_STOPS = frozenset({'stop', 'halt', 'freeze'})
# What may stand round "stop" without saying what to stop.
_AROUND = frozenset({'please', 'robot', 'hey', 'now', 'it', 'that', 'moving', 'immediately'})


def spoken_text(text: str) -> str:
    """Return a text as speech has it: lower case, words with single spaces, no punctuation.

    It is cut at MAX_CHARACTERS characters.
    """
    words = re.findall(r"[^\W_]+(?:['\u2019-][^\W_]+)*", text[: 2 * MAX_CHARACTERS].lower())
    kept = ' '.join(words)
    return kept if len(kept) <= MAX_CHARACTERS else kept[:MAX_CHARACTERS].rpartition(' ')[0]


def says_stop(text: str) -> bool:
    """Return whether a spoken text says to stop, and nothing else: "robot, stop now"."""
    words = spoken_text(text).split()
    return any(word in _STOPS for word in words) and not set(words) - _STOPS - _AROUND


def addressed(hypotheses: Iterable[Hypothesis], wake_word: str) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that begin with the wake word, without it.

    wake_word: one word or several, in lower case; with '' every hypothesis is meant.

    Nothing is returned where it is unlikely that the wake word was said, or nothing follows it.
    """
    given = tuple(hypotheses)
    if not wake_word:
        return given
    woken = [each for each in given if f'{each.text} '.startswith(f'{wake_word} ')]
    if sum(each.confidence for each in woken) * 2 < sum(each.confidence for each in given):
        return ()
    cut = (replace(each, text=each.text[len(wake_word) + 1 :]) for each in woken)
    return tuple(each for each in cut if each.text)


def is_wanted_language(language: str, wanted: Sequence[str]) -> bool:
    """Return whether a language may be heard: one of those wanted, or unknown.

    language: its code, "en" or "en-US"; '' where it is unknown.
    wanted: codes, all languages where there is none.
    """
    code = re.split('[-_]', language.lower())[0]
    return not code or not wanted or code in {each.lower() for each in wanted}
