"""What else may have been said: sentences of the grammar near one, with how well they fit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from iterprime_ros.speech.automaton import Automaton, Words

Score = Callable[[Sequence[Words]], Sequence[float]]  # log probability of the sound, of each
_Edit = tuple[int, int, Words]

_LONGEST_EDIT = 2  # words
_ROUNDS = 3
_COMBINED = 14  # edits that are tried in pairs
_PAIRS = 40
_WORST = 60.0  # log probability that an edit may lose


@dataclass(frozen=True)
class Alternative:
    """A sentence and how likely it is.

    words: the sentence.
    sound: log probability of the sound, given the sentence.
    language: log probability of the sentence in the grammar.
    """

    words: Words
    sound: float
    language: float

    def total(self, weight: float) -> float:
        """Return the log probability of both; weight: of the language."""
        return self.sound + weight * self.language


def alternatives(
    automaton: Automaton, score: Score, seeds: Iterable[Words], weight: float
) -> list[Alternative]:
    """Return sentences that may have been said, likeliest first.

    automaton: of the grammar.
    score: of any number of its sentences.
    seeds: what a decoder heard; sentences that the grammar does not have are left out.
    weight: of the language.

    From the likeliest sentence, all of one small edit are tried, and the best edits in pairs; again
    from the likeliest of these, until it stays the same.
    """
    pool: dict[Words, Alternative] = {}

    def add(sentences: Iterable[Words]) -> None:
        new = [each for each in dict.fromkeys(sentences) if each and each not in pool]
        for words, sound in zip(new, score(new) if new else (), strict=True):
            pool[words] = Alternative(words, float(sound), automaton.log_probability(words))

    def ranked() -> list[Alternative]:
        return sorted(pool.values(), key=lambda each: -each.total(weight))

    add(words for words in seeds if automaton.has(words))
    expanded: set[Words] = set()
    for _ in range(_ROUNDS):
        best = next(iter(ranked()), None)
        if best is None or best.words in expanded:
            break
        expanded.add(best.words)
        edits = list(automaton.edits(best.words, _LONGEST_EDIT))
        add(edited(best.words, [edit]) for edit in edits)
        least = best.total(weight) - _WORST
        known = [(pool[w].total(weight), e) for e in edits if (w := edited(best.words, [e]))]
        promising = sorted((each for each in known if each[0] >= least), reverse=True)[:_COMBINED]
        pairs = [
            (first[0] + second[0], (first[1], second[1]))
            for first, second in combinations(promising, 2)
            if _are_apart(first[1], second[1])
        ]
        pairs.sort(key=lambda each: -each[0])
        both = [edited(best.words, pair) for _, pair in pairs[:_PAIRS]]
        add(words for words in both if automaton.has(words))
    return ranked()


def edited(words: Words, edits: Sequence[_Edit]) -> Words:
    """Return a sentence after edits (start, end, replacement) that are apart."""
    changed = list(words)
    for start, end, replacement in sorted(edits, reverse=True):
        changed[start:end] = replacement
    return tuple(changed)


def _are_apart(one: _Edit, other: _Edit) -> bool:
    """Return whether two edits change different parts of a sentence."""
    first, second = sorted((one, other))
    return first[1] <= second[0] and first[:2] != second[:2]
