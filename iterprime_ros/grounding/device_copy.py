"""Small tensors on their way from the host to the device of a matcher."""

import torch
from torch import Tensor


def on_device(values: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU on a device.

    A copy to CUDA is queued behind what is queued there already; from ordinary memory the host
    would wait for all of that first (PyTorch, `Tensor.to`), so the copy goes through pinned memory.
    """
    if device.type != 'cuda':
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
