"""The finite automaton of a grammar: which sentences it has, how likely they are, and edits of one.

It is read from the FSG format of CMU Sphinx, to which pocketsphinx compiles JSGF.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Words = tuple[str, ...]
_NEVER = -math.inf
_Arcs = dict[int, dict[str, dict[int, float]]]


@dataclass(frozen=True)
class Automaton:
    """States and weighted arcs, closed over arcs without a word.

    start: log probability of each state in which a sentence may begin.
    arcs: of each state, of each word the states that it leads to with their log probability.
    back: of each state, of each word the states that it comes from with their log probability.
    final: the states in which a sentence may end.
    """

    start: dict[int, float]
    arcs: _Arcs
    back: _Arcs
    final: frozenset[int]

    def forward(self, words: Sequence[str]) -> list[dict[int, float]]:
        """Return the states after each number of words from 0, with the best log probability."""
        states = [self.start]
        for word in words:
            states.append(_stepped(states[-1], self.arcs, word))
        return states

    def backward(self, words: Sequence[str]) -> list[dict[int, float]]:
        """Return the states from which the rest of a sentence leads to its end, as in forward."""
        states = [dict.fromkeys(self.final, 0.0)]
        for word in reversed(words):
            states.append(_stepped(states[-1], self.back, word))
        return states[::-1]

    def log_probability(self, words: Sequence[str]) -> float:
        """Return the log probability of a sentence, -inf for one that the grammar does not have."""
        last = self.forward(words)[-1]
        return max((value for state, value in last.items() if state in self.final), default=_NEVER)

    def has(self, words: Sequence[str]) -> bool:
        """Return whether the grammar has a sentence."""
        return not self.final.isdisjoint(self.forward(words)[-1])

    def edits(self, words: Words, longest: int = 3) -> Iterator[tuple[int, int, Words]]:
        """Yield (start, end, replacement) of every sentence one small edit away.

        words: a sentence of the grammar.
        longest: most words of the replaced part, and of the replacement; together one more.

        Part and replacement differ in their first and their last word; one of them may be empty.
        """
        before, after = self.forward(words), self.backward(words)
        for start in range(len(words) + 1):
            for end in range(start, min(len(words), start + longest) + 1):
                goal = after[end]
                most = longest + 1 - (end - start)
                for path in self._paths(before[start], goal, min(most, longest)):
                    part = words[start:end]
                    if not (path or part):
                        continue
                    if path and part and (path[0] == part[0] or path[-1] == part[-1]):
                        continue
                    yield start, end, path

    def _paths(
        self, states: dict[int, float], goal: dict[int, float], most: int
    ) -> Iterator[Words]:
        if states.keys() & goal.keys():
            yield ()
        if most == 0:
            return
        for word in sorted({word for state in states for word in self.arcs.get(state, ())}):
            for path in self._paths(_stepped(states, self.arcs, word), goal, most - 1):
                yield (word, *path)


def _stepped(states: dict[int, float], arcs: _Arcs, word: str) -> dict[int, float]:
    found: dict[int, float] = {}
    for state, value in states.items():
        for target, weight in arcs.get(state, {}).get(word, {}).items():
            found[target] = max(found.get(target, _NEVER), value + weight)
    return found


def read_fsg(text: str, weight_of_language: float) -> Automaton:
    """Return the automaton of a text in the FSG format.

    weight_of_language: of the decoder that wrote it, which divides log probabilities by it.
    """
    empty: dict[int, dict[int, float]] = defaultdict(dict)
    spoken: list[tuple[int, str, int, float]] = []
    start = final = 0
    for line in text.splitlines():
        match line.split():
            case ['START_STATE', number]:
                start = int(number)
            case ['FINAL_STATE', number]:
                final = int(number)
            case ['TRANSITION', source, target, chance, *said]:
                value = math.log(max(float(chance), 1e-6)) * weight_of_language
                if not said:
                    empty[int(source)][int(target)] = value
                elif not said[0].startswith(('<', '[', '+')):
                    plain = re.sub(r'\(\d+\)$', '', said[0])
                    spoken.append((int(source), plain, int(target), value))
    reach = {state: _closure(state, empty) for state in {start, *(arc[2] for arc in spoken)}}
    arcs: _Arcs = defaultdict(lambda: defaultdict(dict))
    back: _Arcs = defaultdict(lambda: defaultdict(dict))
    for begin, word, end, value in spoken:
        for state, extra in reach[end].items():
            best = max(arcs[begin][word].get(state, _NEVER), value + extra)
            arcs[begin][word][state] = back[state][word][begin] = best
    return Automaton(reach[start], arcs, back, frozenset({final}))


def _closure(state: int, empty: dict[int, dict[int, float]]) -> dict[int, float]:
    """Return the states that a state leads to without a word, itself included."""
    found, waiting = {state: 0.0}, [state]
    while waiting:
        source = waiting.pop()
        for target, weight in empty.get(source, {}).items():
            value = found[source] + weight
            if value > found.get(target, _NEVER) + 1e-9:
                found[target] = value
                waiting.append(target)
    return found
