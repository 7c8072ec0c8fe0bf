"""Forced alignment: how well sentences fit a sound, all of them at once and without pruning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.speech.acoustic_model import SILENCE, AcousticModel
from iterprime_ros.speech.pronunciations import Phones

_NEVER = np.float32(-1e9)
_Chain = tuple[NDArray[Any], NDArray[Any], NDArray[Any], float]
_VARIANT_COST = -10.0  # log probability of a pronunciation other than the first
_SILENCE_COST = -5.0  # log probability of a pause between two words


@dataclass(frozen=True)
class _Network:
    """Hidden Markov models of sentences, as one array of states.

    senones: (S,) int. stay, go: (S,) float32, log probabilities of remaining and of coming from
        the state before it in its word, never for the first of a word.
    first: (F,) int, the first states of words and pauses, with entry (2, F) int the junctions
        that they are entered from, and cost (F,) float32.
    last: (L,) int, the last states, ordered by the junction that they lead to: leads (L,) int,
        and leave (L,) float32.
    initial, final: (C,) int, the first and the last junction of each sentence.
    junctions: how many there are.
    """

    senones: NDArray[np.int64]
    stay: NDArray[np.float32]
    go: NDArray[np.float32]
    first: NDArray[np.int64]
    entry: NDArray[np.int64]
    cost: NDArray[np.float32]
    last: NDArray[np.int64]
    leads: NDArray[np.int64]
    leave: NDArray[np.float32]
    initial: NDArray[np.int64]
    final: NDArray[np.int64]
    junctions: int


class Aligner:
    """Aligns sentences of known words.

    model: whose senones the scores are of.
    pronunciations: of every word.
    """

    def __init__(
        self, model: AcousticModel, pronunciations: Mapping[str, Sequence[Phones]]
    ) -> None:
        self._model, self._pronunciations = model, pronunciations
        self._chains: dict[tuple[Phones, str, str], _Chain] = {}

    def scores(
        self, sentences: Sequence[Sequence[str]], senone_scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return for each sentence the log probability (C,) of its best alignment.

        senone_scores: (T, N) log probabilities of the senones by frame.

        A sentence that is longer than the sound has about -1e9.
        """
        net = self._network(sentences)
        state = np.full(len(net.senones), _NEVER)
        junction = np.full(net.junctions, _NEVER)
        junction[net.initial] = 0
        starts = np.flatnonzero(np.r_[True, net.leads[1:] != net.leads[:-1]])
        targets = net.leads[starts]
        for frame in senone_scores:
            moved = state[:-1] + net.go[1:]
            state += net.stay
            np.maximum(state[1:], moved, out=state[1:])
            entered = junction[net.entry].max(axis=0) + net.cost
            state[net.first] = np.maximum(state[net.first], entered)
            state += frame[net.senones]
            junction[net.initial] = _NEVER
            junction[targets] = np.maximum.reduceat(state[net.last] + net.leave, starts)
        return np.maximum(junction[net.final], junction[net.final - 1])

    def _chain(self, phones: Phones, left: str, right: str) -> _Chain:
        """Return the senones, and log probabilities of stay and go, of a word's states."""
        key = phones, left, right
        if key not in self._chains:
            model, senones, stay, go = self._model, [], [], []
            leave = float(_NEVER)
            for k, phone in enumerate(phones):
                before = phones[k - 1] if k else left
                after = phones[k + 1] if k + 1 < len(phones) else right
                place = ('s' if len(phones) == 1 else 'b') if k == 0 else 'i'
                place = 'e' if 0 < k == len(phones) - 1 else place
                steps = model.steps(phone)
                senones.append(model.senones(phone, before, after, place))
                stay.append(np.diag(steps))
                go.append(np.r_[leave, np.diag(steps, 1)[:-1]])
                leave = float(steps[-1, -1])
            self._chains[key] = (
                np.concatenate(senones), np.concatenate(stay), np.concatenate(go), leave
            )  # fmt: skip
        return self._chains[key]

    def _network(self, sentences: Sequence[Sequence[str]]) -> _Network:
        parts: list[_Chain] = []
        first, entry, cost, last, leads, leave = [], [], [], [], [], []
        initial, final = [], []
        size = junctions = 0

        def add(chain: _Chain, source: tuple[int, int], target: int, extra: float) -> None:
            nonlocal size
            parts.append(chain)
            first.append(size)
            entry.append(source)
            cost.append(extra)
            size += len(chain[0])
            last.append(size - 1)
            leads.append(target)
            leave.append(chain[3])

        pause = self._chain((SILENCE,), SILENCE, SILENCE)
        for words in sentences:
            initial.append(junctions)
            begins = [self._pronunciations[word][0][0] for word in words]
            ends = [self._pronunciations[word][0][-1] for word in words]
            # Junction 2k is before a pause, 2k + 1 before word k, with the pause left out or not.
            for k in range(len(words) + 1):
                inner = 0 < k < len(words)
                add(pause, (junctions, junctions), junctions + 1, _SILENCE_COST if inner else 0.0)
                if k < len(words):
                    left = ends[k - 1] if k else SILENCE
                    right = begins[k + 1] if k + 1 < len(words) else SILENCE
                    for number, phones in enumerate(self._pronunciations[words[k]]):
                        chain = self._chain(phones, left, right)
                        extra = _VARIANT_COST if number else 0.0
                        add(chain, (junctions, junctions + 1), junctions + 2, extra)
                    junctions += 2
            junctions += 2
            final.append(junctions - 1)
        order = np.argsort(leads, kind='stable')
        columns = [np.concatenate([part[k] for part in parts]) for k in range(3)]
        return _Network(
            columns[0],
            columns[1].astype(np.float32),
            columns[2].astype(np.float32),
            np.array(first),
            np.array(entry).T,
            np.array(cost, np.float32),
            np.array(last)[order],
            np.array(leads)[order],
            np.array(leave, np.float32)[order],
            np.array(initial),
            np.array(final),
            junctions,
        )
