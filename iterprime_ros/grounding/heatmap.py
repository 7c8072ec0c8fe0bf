"""Heatmaps as such: min-max scaling, sharpening, and their way to the size of the image."""

import torch
from torch import Tensor
from torch.nn import functional


def scaled(maps: Tensor) -> Tensor:
    """Min-max scale each map of (B, N) to [0, 1]; a map without contrast becomes 0."""
    low, high = maps.amin(dim=1, keepdim=True), maps.amax(dim=1, keepdim=True)
    return torch.where(high > low, (maps - low) / (high - low), 0)


def sharpened(maps: Tensor, sharpness: float, midpoint: float) -> Tensor:
    """Return s(x) = sigmoid(sharpness * (x - midpoint)), over its maximum, of maps (B, N).

    Wang et al., "IteRPrimE", AAAI 2025 (arXiv 2503.00936), with sharpness 20 and midpoint 0.5.
    """
    steep = torch.sigmoid(sharpness * (maps - midpoint))
    return steep / steep.amax(dim=1, keepdim=True)


def upsampled(patches: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a map (rows, cols) bicubically enlarged to `size` (H, W), min-max scaled, float32.

    A map without contrast becomes 0 everywhere.
    """
    enlarged = functional.interpolate(
        patches[None, None].float(), size, mode='bicubic', align_corners=False
    )[0, 0]
    low, high = enlarged.min(), enlarged.max()
    flat = patches.max() <= patches.min() or high <= low
    return torch.zeros_like(enlarged) if flat else (enlarged - low) / (high - low)
