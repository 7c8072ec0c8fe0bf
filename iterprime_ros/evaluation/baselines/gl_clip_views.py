"""What GL-CLIP shows CLIP: the whole image, the crop of each mask, and each mask on the patches.

The sources are Our_method_with_free_solo.py, data/dataset_refer_bert.py and model/backbone.py of
github.com/Seonghoon-Yu/Zero-shot-RIS; what `faithful` changes is listed in gl_clip.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from iterprime_ros.grounding.fusion import MEAN, STD
from iterprime_ros.masks.transforms import IMAGENET_MEAN, IMAGENET_STD, Size

_SHORTER_SIDE = 800  # of the input of FreeSOLO, from which the authors make what CLIP sees


def normalised(image: NDArray[np.uint8], faithful: bool) -> Tensor:
    """Return an image (H, W, 3) uint8 RGB as (1, 3, h, w) float32, normalised, on the CPU.

    faithful: at a shorter side of 800 pixels, by ImageNet's mean and standard deviation; else at
        its own size, by CLIP's.
    """
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if faithful else (MEAN, STD)
    height, width = image.shape[:2]
    if faithful and min(height, width) != _SHORTER_SIDE:
        # The longer side is rounded down, as in torchvision.transforms.Resize.
        columns, rows = (_SHORTER_SIDE * side // min(height, width) for side in (width, height))
        picture = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
        image = np.array(picture)
    centre, spread = (torch.tensor(values)[:, None, None] for values in (mean, std))
    levels = torch.tensor(image).permute(2, 0, 1).float()
    return ((levels / 255 - centre) / spread)[None]


def resized(planes: Tensor, size: Size, faithful: bool) -> Tensor:
    """Return planes (N, C, H, W) float32 at another size, bilinear; N may be 0.

    faithful: without antialiasing, as torchvision 0.11, which the authors' README.md installs,
        resizes tensors.
    """
    if not len(planes):
        return planes.new_zeros(0, planes.shape[1], *size)
    return functional.interpolate(
        planes, size, mode='bilinear', align_corners=False, antialias=not faithful
    )


def patch_weights(masks: Tensor, grid: int, faithful: bool) -> Tensor:
    """Return masks (N, H, W) bool on patches, (N, grid, grid) float32 in [0, 1]."""
    parts = [resized(each[:, None].float(), (grid, grid), faithful) for each in masks.split(32)]
    return torch.cat(parts)[:, 0]


def crops(picture: Tensor, masks: Tensor, side: int, faithful: bool) -> Tensor:
    """Return the object of each mask, cut out and stretched to a square, (N, 3, side, side).

    picture: (1, 3, H, W) float32, normalised.
    masks: (N, H, W) bool, none empty; N is at least 1.

    Around the object is one colour. faithful: ImageNet's mean in [0, 1] taken for a normalised
    colour, which is a lighter one; else 0, the mean of CLIP's normalisation.
    """
    filling = picture.new_tensor(IMAGENET_MEAN if faithful else (0, 0, 0))[:, None, None]
    cut = []
    for mask, (left, top, right, bottom) in zip(
        masks, boxes(masks, faithful).tolist(), strict=True
    ):
        where = (slice(top, bottom), slice(left, right))
        content = torch.where(mask[where], picture[0, :, *where], filling)
        cut.append(resized(content[None], (side, side), faithful))
    return torch.cat(cut)


def boxes(masks: Tensor, faithful: bool) -> Tensor:
    """Return the box of each mask, (N, 4) int64: left, top, and right, bottom, which are outside.

    masks: (N, H, W) bool, none empty.
    faithful: the box that FreeSOLO gives its masks (freesolo/modeling/solov2/solov2.py), rounded
        down. It is as wide as there are columns with the mask, around their mean, and as high as
        there are rows: half a pixel up and left of the mask, and smaller than a mask in pieces.
    """
    lows, highs = zip(*(_extent(masks.any(axis), faithful) for axis in (1, 2)), strict=True)
    return torch.stack([*lows, *highs], dim=1)


def _extent(occupied: Tensor, faithful: bool) -> tuple[Tensor, Tensor]:
    """Return the first place and the one after the last, (N,) int64, of places (N, L) bool."""
    places = torch.arange(occupied.shape[1], device=occupied.device)
    if not faithful:
        low = torch.where(occupied, places, occupied.shape[1]).amin(1)
        return low, torch.where(occupied, places, -1).amax(1) + 1
    count = occupied.sum(1)
    middle = (occupied * places).sum(1) / count
    low, high = ((middle + half * count).long() for half in (-0.5, 0.5))
    return low, torch.maximum(high, low + 1)  # of the first row or column alone nothing is left
