"""RepViT, the image encoder of EdgeTAM.

Wang et al., "RepViT: Revisiting Mobile CNN From ViT Perspective", CVPR 2024 (arXiv 2307.09283).
Modules and tensors have the names of timm's repvit_m1 (timm 1.0, models/repvit.py), whose weights
are read without timm, which needs torchvision. Batch normalisations and parallel convolutions are
folded into one convolution each before use, as the paper proposes: the result is the same.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

_EXPANSION = 2  # of the channels in a feed-forward part
_SQUEEZE = 4  # channels for one of the squeezed ones, which are a multiple of 8


class RepVitConfig(PreTrainedConfig):
    """Size of a RepViT; the defaults are those of repvit_m1.

    embed_dim: channels of each stage.
    depth: blocks of each stage.
    """

    model_type = 'iterprime_repvit'

    embed_dim: tuple[int, ...] | list[int] = (48, 96, 192, 384)
    depth: tuple[int, ...] | list[int] = (2, 2, 14, 2)
    initializer_range: float = 0.02


class RepVitModel(PreTrainedModel):
    """The features of an image (B, 3, H, W) after each stage, of stride 4, 8, 16 and 32."""

    config: RepVitConfig
    config_class = RepVitConfig
    main_input_name = 'pixel_values'
    _supports_sdpa = True  # it has no attention

    def __init__(self, config: RepVitConfig) -> None:
        super().__init__(config)
        self.timm_model = _RepVit(tuple(config.embed_dim), tuple(config.depth))
        self.post_init()

    def forward(self, pixel_values: Tensor, **_kwargs: Any) -> BaseModelOutput:
        """Return the features as a list, as last_hidden_state."""
        return BaseModelOutput(last_hidden_state=self.timm_model(pixel_values))

    @torch.no_grad()
    def fold(self) -> None:
        """Replace each batch normalisation by a change of the convolution before it, once."""
        _fold(self)


AutoModel.register(RepVitConfig, RepVitModel)


class _ConvNorm(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.c = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        self.bn: Any = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.c(x))

    def folded(self) -> Any:
        scale = self.bn.weight / (self.bn.running_var + self.bn.eps).sqrt()
        bias = self.bn.bias - self.bn.running_mean * scale
        return _convolution(self.c, self.c.weight * scale[:, None, None, None], bias)


class _TokenMixer(nn.Module):
    """Depthwise convolutions of 3 x 3 and 1 x 1 beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _ConvNorm(channels, channels, 3, groups=channels)
        self.conv1 = _ConvNorm(channels, channels, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + self.conv1(x) + x

    def folded(self) -> Any:
        large, small = self.conv.folded(), self.conv1.folded()
        weight = large.weight.clone()
        weight[:, :, 1, 1] += small.weight[:, :, 0, 0] + 1
        return _convolution(large, weight, large.bias + small.bias)


class _SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(8, (channels // _SQUEEZE + 4) // 8 * 8)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu())
        return x * gate.sigmoid()


class _FeedForward(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(channels, _EXPANSION * channels)
        self.act = nn.GELU()
        self.conv2 = _ConvNorm(_EXPANSION * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.act(self.conv1(x)))


class _Block(nn.Module):
    def __init__(self, channels: int, is_gated: bool) -> None:
        super().__init__()
        self.token_mixer = _TokenMixer(channels)
        self.se = _SqueezeExcite(channels) if is_gated else nn.Identity()
        self.channel_mixer = _FeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.se(self.token_mixer(x))
        return x + self.channel_mixer(x)


class _Downsample(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pre_block = _Block(inputs, is_gated=False)
        self.spatial_downsample = _ConvNorm(inputs, inputs, 3, stride=2, groups=inputs)
        self.channel_downsample = _ConvNorm(inputs, outputs)
        self.ffn = _FeedForward(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.channel_downsample(self.spatial_downsample(self.pre_block(x)))
        return x + self.ffn(x)


class _Stage(nn.Module):
    def __init__(self, inputs: int | None, outputs: int, depth: int) -> None:
        super().__init__()
        self.downsample = nn.Identity() if inputs is None else _Downsample(inputs, outputs)
        blocks = (_Block(outputs, is_gated=number % 2 == 0) for number in range(depth))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


class _Stem(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(3, outputs // 2, 3, stride=2)
        self.act1 = nn.GELU()
        self.conv2 = _ConvNorm(outputs // 2, outputs, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.act1(self.conv1(x)))


class _RepVit(nn.Module):
    def __init__(self, channels: tuple[int, ...], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = _Stem(channels[0])
        befores = (None, *channels[:-1])
        for number, sizes in enumerate(zip(befores, channels, depths, strict=True)):
            self.add_module(f'stages_{number}', _Stage(*sizes))

    def forward(self, x: Tensor) -> list[Tensor]:
        first, *stages = self.children()
        features = [first(x)]
        for stage in stages:
            features.append(stage(features[-1]))
        return features[1:]


def _fold(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, _ConvNorm | _TokenMixer):
            setattr(module, name, child.folded())
        else:
            _fold(child)


def _convolution(like: Any, weight: Tensor, bias: Tensor) -> Any:
    """Return a convolution as another, with other numbers."""
    made: Any = nn.Conv2d(
        like.in_channels,
        like.out_channels,
        like.kernel_size,
        like.stride,
        like.padding,
        groups=like.groups,
        device=weight.device,
        dtype=weight.dtype,
    )
    made.weight.copy_(weight)
    made.bias.copy_(bias)
    return made
