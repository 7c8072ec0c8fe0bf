"""Which mask is the object: where to ask for masks, and which of them wins."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from iterprime_ros.masks.proposer import Proposals

MAX_COMPONENTS = 12  # IteRPrimE drops proposals of more 4-connected components


@dataclass(frozen=True)
class Selection:
    """The masks of a frame that may be the object, and what was measured of every mask.

    order: (K,) int64, indices of the kept masks, best first. heatmap_means: (M,) float32 in [0, 1],
    the mean of the heatmap inside each mask, 0 for an empty one. components: (M,) int64, its number
    of 4-connected components, -1 where it was not counted because the mask is left out anyway.
    contains_peak: (M,) bool. All are on the device of the masks.
    """

    order: Tensor
    heatmap_means: Tensor
    components: Tensor
    contains_peak: Tensor

    @property
    def winner(self) -> int | None:
        """The index of the best mask; None where no mask was kept."""
        return int(self.order[0]) if len(self.order) else None


def peak_points(heatmap: Tensor, limit: int) -> Tensor:
    """Return the peaks of a heatmap as points (P, 2) int64, (x, y) in pixels, on its device.

    heatmap: (H, W) float32, finite. A peak is a pixel that equals the maximum. Up to `limit` peaks
    are returned as they are, row by row. More than that are seen as plateaus, 4-connected sets of
    peaks: each gives the member that is nearest to its mean position (the first row by row of those
    equally near), the largest plateau comes first (the first row by row of those equally large),
    and no more than `limit` are returned. Raises ValueError for any other heatmap or a limit below
    1.
    """
    _check_heatmap(heatmap)
    if limit < 1:
        raise ValueError(f'At least one peak has to be asked for, not {limit}.')
    peaks = heatmap >= heatmap.max()
    if int(peaks.sum()) <= limit:
        return peaks.nonzero().flip(1)
    labels, _ = ndimage.label(peaks.cpu().numpy())
    sizes = np.bincount(labels.ravel())[1:]
    largest = np.argsort(-sizes, kind='stable')[:limit] + 1
    boxes = ndimage.find_objects(labels)
    centres = []
    for label in largest:
        rows, columns = boxes[label - 1]
        x, y = _centre(labels[rows, columns] == label)
        centres.append((columns.start + x, rows.start + y))
    return torch.tensor(centres, dtype=torch.int64, device=heatmap.device)


def select(
    heatmap: Tensor,
    proposals: Proposals,
    max_components: int = MAX_COMPONENTS,
    by: Literal['mean', 'overlap'] = 'mean',
) -> Selection:
    """Return which masks may be the object, best first (IteRPrimE, arXiv 2503.00936).

    heatmap: (H, W) float32 in [0, 1], on the device of the masks. A mask is kept when it holds a
    pixel where the heatmap R >= max(R) and has at most `max_components` 4-connected components. The
    kept ones are ordered, the highest first, the lower index first among equals, by the mean of R
    inside, or by their overlap with R: the sum of R inside over mask area + sum of R - that sum, an
    IoU that counts every pixel of the heatmap by its height. Of masks inside each other the mean
    prefers the smallest, overlap the one as large as what stands out; it needs no peak inside, for
    which the mean would be no measure of place. Of identical masks only the first is listed. Means
    are summed in float64 and rounded to float32 before they are compared, so that the order of
    summation cannot break a tie.
    Raises ValueError for a heatmap that is not finite, or not of the masks' size.
    """
    _check_heatmap(heatmap)
    masks = proposals.masks
    if masks.shape[1:] != heatmap.shape:
        raise ValueError(
            f'The heatmap has {tuple(heatmap.shape)} pixels and the masks {tuple(masks.shape[1:])}:'
            ' upsample it to the frame before the selection.'
        )
    peaks = (heatmap >= heatmap.max()).to(heatmap.dtype)
    sums, areas, hits = _sums(masks, torch.stack((heatmap, torch.ones_like(heatmap), peaks)))
    means = (sums / areas.clamp(min=1)).float()
    contains_peak = hits > 0
    components = torch.full((len(masks),), -1, dtype=torch.int64)
    first_of: dict[bytes, int] = {}
    candidates = (contains_peak if by == 'mean' else means > 0).nonzero().flatten()
    on_host = masks[candidates].cpu().numpy()
    for k, mask in zip(candidates.tolist(), on_host, strict=True):
        first = first_of.setdefault(np.packbits(mask).tobytes(), k)
        components[k] = _count_components(mask) if first == k else components[first]
    kept = torch.tensor(
        [k for k in first_of.values() if components[k] <= max_components],
        dtype=torch.int64,
        device=masks.device,
    )
    rank = means if by == 'mean' else _overlaps(heatmap, sums, areas)
    best_first = torch.sort(rank[kept], descending=True, stable=True).indices
    return Selection(kept[best_first], means, components.to(masks.device), contains_peak)


def _overlaps(heatmap: Tensor, sums: Tensor, areas: Tensor) -> Tensor:
    """Return (M,) float32, the overlap of the heatmap with masks of these sums inside and areas."""
    union = areas + heatmap.sum(dtype=torch.float64) - sums
    return torch.where(union > 0, sums / union, 0).float()


def _check_heatmap(heatmap: Tensor) -> None:
    if heatmap.ndim != 2 or not heatmap.numel():
        raise ValueError(f'A heatmap must be (H, W) with a pixel, not {tuple(heatmap.shape)}.')
    if not bool(heatmap.isfinite().all()):
        raise ValueError('The heatmap holds values that are not finite, so it has no peak.')


def _sums(masks: Tensor, maps: Tensor) -> Tensor:
    """Return (C, M) float64, the sums of maps (C, H, W) inside masks (M, H, W) bool."""
    flat = maps.flatten(1).to(torch.float64)
    # One by one: all masks in float64 at once would be gigabytes on a large image.
    sums = [flat @ mask.to(torch.float64) for mask in masks.flatten(1)]
    return torch.stack(sums, dim=1) if sums else flat.new_zeros(len(maps), 0)


def _count_components(mask: NDArray[np.bool_]) -> int:
    _, count = ndimage.label(mask)
    return int(count)


def _centre(plateau: NDArray[np.bool_]) -> tuple[int, int]:
    """Return (x, y) of the member of a plateau (H, W) that is nearest to its mean position."""
    members = np.argwhere(plateau)
    distances = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
    y, x = members[np.argmin(distances.round(6))].tolist()  # the mean's last bit breaks no tie
    return x, y
