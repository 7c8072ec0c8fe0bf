"""How well texts match regions of an image: each alone, and what the image loses without it.

The masks of candidates hide patches from the cross-attention of the matcher, so that a region costs
no image encoding. Symbols as in matcher.py, and T texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.settings import RegionMatchSettings


@dataclass(frozen=True, eq=False)
class RegionLogits:
    """Matching logits, the log odds of a match, of T texts with parts of an image.

    only: (T, K) float32, with the patches of a region alone.
    without: (T, K) float32, with every patch but those of a region; None where not asked for.
    whole: (T,) float32, with every patch; None where not asked for.
    """

    only: Tensor
    without: Tensor | None
    whole: Tensor | None


def region_patches(masks: Tensor, grid: tuple[int, int], patch_share: float) -> Tensor:
    """Return the patches (K, N) bool that masks cover.

    masks: (K, H, W), bool, or the share of each pixel in [0, 1], of the whole image in any size.
    grid: rows and columns of patches.
    patch_share: a patch is covered where more than this share of its area is.

    The patch that a mask covers best always belongs to it, unless the mask is empty.
    """
    height, width = masks.shape[1:]
    rows = _cell_shares(height, grid[0]).to(masks.device)
    columns = _cell_shares(width, grid[1]).to(masks.device)
    shares = torch.empty((len(masks), grid[0] * grid[1]), device=masks.device)
    for number, mask in enumerate(masks):  # one by one, since masks of large images are large
        shares[number] = (rows @ mask.float() @ columns.T).flatten()
    covered = shares > patch_share
    best, index = shares.max(1, keepdim=True)
    return covered.scatter(1, index, best > 0)


def region_logits(
    matcher: Matcher,
    image_embedding: Any,
    texts: Sequence[str],
    regions: Tensor,
    contrast: bool = True,
) -> RegionLogits:
    """Return the matching logits of texts with regions of an image, without gradients.

    image_embedding: as the matcher's `encode_image` returned it.
    texts: what the matcher reads, prompt included.
    regions: (K, N) bool, the patches of each region.
    contrast: whether `without` and `whole` are computed too, which takes more than twice as long.

    Raises ValueError for regions of another grid.
    """
    rows, columns = matcher.grid
    count = len(regions)
    if regions.shape != (count, rows * columns):
        raise ValueError(f'regions must be (K, {rows * columns}), not {tuple(regions.shape)}')
    unique = list(dict.fromkeys(texts))
    keep = regions
    if contrast:
        keep = torch.cat([regions, ~regions, regions.new_ones((1, rows * columns))])
    if not unique:
        logits = torch.zeros((0, len(keep)), device=regions.device)
    else:
        logits = matcher.match(image_embedding, matcher.encode_text(unique), keep)
        logits = logits[[unique.index(text) for text in texts]]
    if not contrast:
        return RegionLogits(logits, None, None)
    return RegionLogits(logits[:, :count], logits[:, count:-1], logits[:, -1])


def match_probability(logits: RegionLogits, settings: RegionMatchSettings) -> Tensor:
    """Return the chance (T, K) float32 in [0, 1] that a text describes a region.

    Raises ValueError where the weight of contrast is not 0 and its logits are not there.
    """
    score = settings.only * logits.only + settings.bias
    if settings.contrast:
        if logits.whole is None or logits.without is None:
            raise ValueError('the weight of contrast needs the logits without regions')
        score = score + settings.contrast * (logits.whole[:, None] - logits.without)
    return score.sigmoid()


def _cell_shares(length: int, cells: int) -> Tensor:
    """Return (cells, length), which share of a cell each pixel of a line is, if it is in it."""
    edges = torch.arange(length + 1, dtype=torch.float64) * cells / length
    starts = torch.arange(cells, dtype=torch.float64)[:, None]
    ends = edges[1:].minimum(starts + 1)
    return (ends - edges[:-1].maximum(starts)).clamp(min=0).float()
