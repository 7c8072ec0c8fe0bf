"""What a grounding asks of its device: on CUDA each such question waits for all queued work."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import OURS

SAID = [
    Expression('the red mug left of the blue ball', (8, 11), ((4, 7), (8, 11), (28, 32))),
    Expression('the umbrella', (4, 12), ((4, 12),)),
    Expression('the small car', (10, 13), ((4, 9), (10, 13))),
]
# Reading a number, and indexing by a list or by booleans.
WAITING = ('_local_scalar_dense', 'index.Tensor', 'index_put', 'nonzero', 'masked_select')


class Operations(TorchDispatchMode):
    """Notes the name of every operation."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, _types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


def waiting(matcher, image, rounds, stop_early):
    chosen = OURS.model_copy(update={'block': 1, 'rounds': rounds, 'stop_early': stop_early})
    with Operations() as seen:
        found = ground(matcher, image, SAID, chosen)
    counts = {len(each.rounds) for each in found}
    return [name for name in seen.names if any(each in name for each in WAITING)], counts


def test_rounds_ask_for_nothing_but_their_probabilities(matcher, image):
    encoded = matcher.encode_image(image)
    one, _ = waiting(matcher, encoded, 1, False)
    many, counts = waiting(matcher, encoded, 4, False)
    assert counts == {4}
    assert many == one
    # The words are marked by lists on the CPU, once for all rounds.
    assert all('index_put' in name for name in one)
    assert len(one) == sum(len(each.focus_words) + 1 for each in SAID)


def test_the_operations_that_wait_are_recognised():
    values = torch.arange(4.0)
    with Operations() as seen:
        values[[0, 2]] = values[values > 1]
        bool(values.any())
    for each in ('_local_scalar_dense', 'index.Tensor', 'index_put'):
        assert any(each in name for name in seen.names)
