"""Importing torchvision beside a PyTorch of another build, as its wheel is beside a CPU PyTorch."""

from importlib import import_module

import torch

# The arguments that torchvision/_meta_registrations.py (0.28.0) gives them.
_SCHEMA = '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'
_OPERATORS = ('nms', 'qnms')


def mend_torchvision() -> None:
    """Make torchvision importable; where it is not installed, do nothing.

    Its import describes two operators of its compiled part, and fails where that part does not load
    because it was compiled against another PyTorch. Declared here, the operators exist; calling
    one raises RuntimeError. Everything in torchvision that is Python works.
    """
    try:
        import_module('torchvision')
    except ImportError:
        return
    except RuntimeError as error:
        if not any(f'torchvision::{name}' in str(error) for name in _OPERATORS):
            raise
        for name in _OPERATORS:
            torch.library.define(f'torchvision::{name}', _SCHEMA)
        import_module('torchvision')
