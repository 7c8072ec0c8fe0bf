"""Images to the input of a mask model, and the logits of its decoder back to masks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from iterprime_ros.errors import InvalidImageError

Size = tuple[int, int]  # height, width in pixels

# Of ImageNet's training images, RGB in [0, 1]: what published SAMs and Mask2Formers were trained
# with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_MASKS_AT_ONCE = 16  # more would take gigabytes while they are enlarged


@dataclass(frozen=True)
class Fit:
    """How an image lies in the model's input.

    image: size of the image (H, W), in pixels.
    resized: its size in the model's input.
    padded: size of that input, padded at the right and the bottom; None where the resized image
        fills it.
    """

    image: Size
    resized: Size
    padded: Size | None = None


def fit_longest_side(image: Size, side: int) -> Fit:
    """Return the fit of SAM: the longest side becomes `side`, the aspect ratio stays."""
    scale = side / max(image)
    height, width = (max(1, int(length * scale + 0.5)) for length in image)
    return Fit(image, (height, width), (side, side))


def fit_stretched(image: Size, side: int) -> Fit:
    """Return the fit of SAM 2: both sides become `side`."""
    return Fit(image, (side, side))


def fit_shortest_side(image: Size, shortest: int, longest: int, divisor: int) -> Fit:
    """Return the fit of detectron2's models: the aspect ratio stays, to rounding.

    shortest: what the shorter side becomes, unless the longer one would become more than `longest`;
        the scale and the rounding are those of ResizeShortestEdge (facebookresearch/detectron2,
        detectron2/data/transforms/augmentation_impl.py).
    divisor: both sides are padded to a multiple of it.
    """
    scale = shortest / min(image)
    sides = [scale * length for length in image]
    sides[image.index(min(image))] = shortest
    if max(sides) > longest:
        scale = longest / max(sides)
        sides = [length * scale for length in sides]
    height, width = (max(1, int(length + 0.5)) for length in sides)
    return Fit(
        image,
        (height, width),
        (math.ceil(height / divisor) * divisor, math.ceil(width / divisor) * divisor),
    )


def reduced(image: Tensor, side: int) -> Tensor:
    """Return an image (3, H, W) uint8 whose longest side is at most `side`."""
    size = (image.shape[1], image.shape[2])
    if max(size) <= side:
        return image
    resized = functional.interpolate(
        image[None].float(),
        fit_longest_side(size, side).resized,
        mode='bilinear',
        align_corners=False,
        antialias=True,
    )
    return resized[0].round().to(torch.uint8)


def check_image(image: Tensor) -> None:
    """Raise InvalidImageError unless an image is (3, H, W) uint8 with at least one pixel."""
    if image.ndim != 3 or len(image) != 3 or image.dtype != torch.uint8 or not image.numel():
        raise InvalidImageError(
            f'An image for the mask proposer must be (3, H, W) uint8 with at least one pixel, '
            f'but this one is {tuple(image.shape)} {image.dtype}.'
        )


def to_pixel_values(image: Tensor, fit: Fit, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return the model's input (1, 3, h, w) float32 for an image (3, H, W) uint8.

    mean, std: of RGB in [0, 1].

    The resized image is rounded to whole grey levels, as where images are resized as uint8; the
    padding is 0 after the normalisation.
    """
    picture = functional.interpolate(
        image[None].float(), fit.resized, mode='bilinear', align_corners=False, antialias=True
    ).round()
    centre = 255 * image.new_tensor(mean, dtype=torch.float32)[:, None, None]
    spread = 255 * image.new_tensor(std, dtype=torch.float32)[:, None, None]
    values = (picture - centre) / spread
    if fit.padded is None:
        return values
    rows, columns = fit.resized
    return functional.pad(values, (0, fit.padded[1] - columns, 0, fit.padded[0] - rows))


def to_model_points(points: Tensor, fit: Fit) -> Tensor:
    """Return points (P, 2), (x, y) in pixels of the image, as float32 in pixels of the input."""
    height, width = fit.image
    rows, columns = fit.resized
    return points.float() * points.new_tensor((columns / width, rows / height), dtype=torch.float32)


def unpadded(logits: Tensor, fit: Fit) -> Tensor:
    """Return the part of a decoder's logits (M, h, w) that lies on the image."""
    if fit.padded is None:
        return logits
    rows, columns = (
        max(1, round(cells * resized / padded))
        for cells, resized, padded in zip(logits.shape[1:], fit.resized, fit.padded, strict=True)
    )
    return logits[:, :rows, :columns]


def to_masks(logits: Tensor, fit: Fit, threshold: float = 0.0) -> Tensor:
    """Return the masks (M, H, W) bool of an image from a decoder's logits (M, h, w).

    M may be 0. The logits are upsampled bilinearly, to the padded input first where there is one,
    whose padding is then cut away; a pixel belongs to a mask where its logit is above a threshold.
    """
    masks = torch.empty((len(logits), *fit.image), dtype=torch.bool, device=logits.device)
    for part, found in zip(logits.split(_MASKS_AT_ONCE), masks.split(_MASKS_AT_ONCE), strict=True):
        if len(part):  # nothing cannot be upsampled
            torch.gt(_upsampled(part, fit), threshold, out=found)
    return masks


def _upsampled(logits: Tensor, fit: Fit) -> Tensor:
    """Return the logits (M, H, W) float32 of an image from those of a decoder (M, h, w)."""
    maps = logits[None].float()
    if fit.padded is not None:
        maps = functional.interpolate(maps, fit.padded, mode='bilinear', align_corners=False)
        maps = maps[..., : fit.resized[0], : fit.resized[1]]
    return functional.interpolate(maps, fit.image, mode='bilinear', align_corners=False)[0]
