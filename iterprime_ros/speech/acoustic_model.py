"""The phones of an acoustic model of CMU Sphinx: which states a phone in its context has.

Formats after pocketsphinx: src/bin_mdef.c (file "mdef"), src/tmat.c ("transition_matrices").
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import WeightsMismatchError

SILENCE = 'SIL'
_ENTRY = np.dtype(
    [('states', 'i4'), ('transitions', 'i4'), ('position', 'u1'), ('phones', 'u1', 3)]
)
_TREE_NODE = 8  # bytes
_POSITIONS = 'ibes'  # in a word: internal, begin, end, single
_FIELDS = 10  # of the header, int32 each


@dataclass(frozen=True)
class AcousticModel:
    """Phones in context (triphones) and their hidden Markov models of E states.

    phones: names of the phones without context.
    states: (Q, E) int, the senones of each sequence of states.
    triphones: (base, left, right, position) to its sequence of states; positions are 'ibes'.
    base: (P, 2) int, of each phone without context its sequence of states and its transitions.
    transitions: (M, E, E + 1) float32, log probabilities; of a phone in any context those of it
        without context.
    """

    phones: tuple[str, ...]
    states: NDArray[np.int64]
    triphones: dict[tuple[int, int, int, str], int]
    base: NDArray[np.int64]
    transitions: NDArray[np.float32]

    def senones(self, phone: str, left: str, right: str, position: str) -> NDArray[np.int64]:
        """Return the senones (E,) of a phone between others; silence is a context, too.

        position: in its word, one of 'ibes'. A triphone that the model lacks is looked for at
        other positions, and is the phone without context where there is none.
        """
        base, before, after = (self.phones.index(name) for name in (phone, left, right))
        for place in (position, *_POSITIONS):
            found = self.triphones.get((base, before, after, place))
            if found is not None:
                return self.states[found]
        return self.states[self.base[base, 0]]

    def steps(self, phone: str) -> NDArray[np.float32]:
        """Return the log probabilities (E, E + 1) of going from a state to another, or out."""
        return self.transitions[self.base[self.phones.index(phone), 1]]


def read_acoustic_model(folder: Path) -> AcousticModel:
    """Read the model of a folder; raise WeightsMismatchError for another format."""
    try:
        phones, entries, states = _read_definition((folder / 'mdef').read_bytes())
        transitions = _read_transitions((folder / 'transition_matrices').read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise WeightsMismatchError(
            f'{folder} holds no acoustic model of CMU Sphinx with a binary mdef ({error}).'
        ) from error
    count = len(phones)
    triphones = {
        (int(base), int(left), int(right), _POSITIONS[entry['position']]): int(entry['states'])
        for entry in entries[count:]
        for base, left, right in [entry['phones']]
    }
    base = np.stack([entries['states'][:count], entries['transitions'][:count]], axis=1)
    return AcousticModel(phones, states, triphones, base.astype(np.int64), transitions)


def _read_definition(data: bytes) -> tuple[tuple[str, ...], NDArray[np.void], NDArray[np.int64]]:
    """Return the names of the phones, all phones in context, and the sequences of states (Q, E)."""
    if data[:4] != b'BMDF':
        raise ValueError('mdef is not binary')
    (described,) = struct.unpack_from('<i', data, 8)
    at = 12 + described
    header = struct.unpack_from(f'<{_FIELDS}i', data, at)
    n_base, n_phones, n_states, n_sequences, n_tree = (header[k] for k in (0, 1, 2, 6, 8))
    start = at + 4 * _FIELDS
    names = data[start:].split(b'\0', n_base)[:n_base]
    at = start + sum(len(name) + 1 for name in names)
    at = start + -(-(at - start) // 4) * 4
    at += _TREE_NODE * n_tree
    entries = np.frombuffer(data, _ENTRY, n_phones, at)
    at += _ENTRY.itemsize * n_phones + 4
    states = np.frombuffer(data, '<u2', n_sequences * n_states, at)
    return (
        tuple(name.decode('ascii') for name in names),
        entries,
        states.reshape(n_sequences, n_states).astype(np.int64),
    )


def _read_transitions(data: bytes) -> NDArray[np.float32]:
    """Return log probabilities (M, E, E + 1)."""
    at = data.index(b'endhdr\n') + len(b'endhdr\n') + 4  # a mark of the byte order follows
    count, rows, columns, _ = struct.unpack_from('<4i', data, at)
    values = np.frombuffer(data, '<f4', count * rows * columns, at + 16)
    chances = values.reshape(count, rows, columns)
    with np.errstate(divide='ignore'):
        return np.log(chances / chances.sum(axis=2, keepdims=True)).astype(np.float32)
