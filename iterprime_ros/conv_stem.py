"""A convolutional stem in place of the single patch convolution of a ViT.

A few convolutions before the transformer learn shapes from far fewer images than one convolution of
the size of a patch does: Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS
2021 (arXiv 2106.14881); with residual blocks it is the hybrid of Dosovitskiy et al., ICLR 2021.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvStem(nn.Module):
    """Convolutions from pixels (B, 3, S, S) to patches (B, width, S / p, S / p).

    The patch size p is the product of the strides.

    strides: stride of each stage; its first convolution has a kernel of stride + 1 or stride + 2
        pixels, whichever is odd.
    channels: channels after each stage.
    blocks: residual blocks (He et al., CVPR 2016) at the end of each stage.
    width: channels of the result, the width of the transformer.

    Raises ValueError for sequences of different lengths, and for numbers that are not positive.
    """

    def __init__(
        self,
        strides: Sequence[int],
        channels: Sequence[int],
        blocks: Sequence[int],
        width: int,
    ) -> None:
        super().__init__()
        if not len(strides) == len(channels) == len(blocks) > 0:
            raise ValueError('a stem needs as many strides as channels and blocks')
        if min(*strides, *channels, width) < 1 or min(blocks) < 0:
            raise ValueError('strides, channels and width of a stem must be at least 1')
        stages: list[nn.Module] = []
        for before, after, stride, count in zip(
            (3, *channels), channels, strides, blocks, strict=False
        ):
            kernel = stride + 1 if stride % 2 == 0 else stride + 2
            stages += _convolution(before, after, kernel, stride), nn.ReLU(inplace=True)
            stages += (_ResidualBlock(after) for _ in range(count))
        self.stages = nn.Sequential(*stages)
        self.projection = nn.Conv2d(channels[-1], width, 1)

    @property
    def weight(self) -> Tensor:
        """The weight of the last convolution; the patch embedding reads its dtype."""
        return self.projection.weight

    def forward(self, pixels: Tensor) -> Tensor:
        """Return patches (B, width, S / p, S / p) of pixels (B, 3, S, S)."""
        patches: Tensor = self.projection(
            self.stages(pixels.contiguous(memory_format=torch.channels_last))
        )
        return patches


def stem_of(config: Any) -> ConvStem | None:
    """Return the stem that a vision configuration asks for, None where it asks for none.

    config: has `hidden_size` and `patch_size`, and `patch_stem`, the arguments of ConvStem, where
        there is one.

    Raises ValueError for a `patch_stem` that describes no stem of this configuration.
    """
    arguments = getattr(config, 'patch_stem', None)
    if arguments is None:
        return None
    try:
        stem = ConvStem(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f'its patch_stem describes no stem: {error}') from error
    found = arguments['width'], math.prod(arguments['strides'])
    if found != (config.hidden_size, config.patch_size):
        raise ValueError(
            f'its patch_stem makes patches of {found[0]} channels and {found[1]} pixels, not of '
            f'{config.hidden_size} and {config.patch_size}'
        )
    return stem


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, 3, 1)
        self.second = _convolution(channels, channels, 3, 1)

    def forward(self, states: Tensor) -> Tensor:
        return functional.relu(states + self.second(functional.relu(self.first(states))))


def _convolution(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after)
    )
