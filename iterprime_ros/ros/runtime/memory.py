"""When the memory of a device does not suffice."""

import torch

from iterprime_ros.errors import IterprimeError


class OutOfMemoryError(IterprimeError):
    """A device whose memory does not suffice."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; on the CPU PyTorch raises a RuntimeError like any other."""
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or (
        'allocate memory' in str(error)
    )
