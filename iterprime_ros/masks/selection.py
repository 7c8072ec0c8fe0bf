"""Which mask is the object: where to ask for masks, and which of them ranks first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from iterprime_ros.masks.proposer import Proposals

MAX_COMPONENTS = 12  # IteRPrimE drops proposals of more 4-connected components

MaskRank = Literal['mean', 'overlap']


@dataclass(frozen=True)
class Selection:
    """The masks of an image that may be the object, and what was measured of all M masks.

    order: (K,) int64, indices of the kept masks, best first.
    heatmap_mean: (M,) float32 in [0, 1], the mean of the heatmap inside each mask, 0 for an empty
        one; NaN where it was not measured because the mask contains no peak.
    heatmap_overlap: (M,) float32 in [0, 1], the soft IoU of each mask with the heatmap; NaN as
        above.
    components: (M,) int64, the number of 4-connected components; -1 where they were not counted,
        as above.
    contains_peak: (M,) bool, whether the mask contains a peak.
    """

    order: Tensor
    heatmap_mean: Tensor
    heatmap_overlap: Tensor
    components: Tensor
    contains_peak: Tensor


def peak_points(heatmap: Tensor, limit: int) -> Tensor:
    """Return the peaks of a heatmap as points (P, 2) int64, (x, y) in pixels, on its device.

    heatmap: (H, W) float32, finite.
    limit: most points.

    A peak is a pixel that equals the maximum. Up to `limit` peaks are returned as they are, row by
    row. More than that are grouped into plateaus, 4-connected sets of peaks: each gives the member
    nearest to its mean position (the first row by row of those equally near), largest plateau first
    (the first row by row of those equally large).

    Raises ValueError for any other heatmap or a limit below 1.
    """
    _check_heatmap(heatmap)
    if limit < 1:
        raise ValueError(f'The limit must be at least one peak, not {limit}.')
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
    rank: MaskRank = 'mean',
    peaks: Tensor | None = None,
) -> Selection:
    """Return which masks may be the object, best first (IteRPrimE, arXiv 2503.00936).

    heatmap: R, (H, W) float32 in [0, 1], on the device of the masks.
    max_components: a mask of more 4-connected components is dropped.
    rank: the measure that orders masks, highest first, the lower index first among equals. 'mean'
        is the mean of R inside the mask; a mask must contain a peak. 'overlap' is the soft IoU with
        R: the sum of R inside over (mask area + sum of R - that sum), which counts every pixel of R
        by its value; a mask must contain some of R.
    peaks: (H, W) bool, the pixels that count as peaks; by default those where R equals its maximum.

    Of masks inside each other 'mean' prefers the smallest, 'overlap' the one of the heatmap's size.
    Of identical masks only the first is kept. Sums are in float64 and rounded to float32 before
    they are compared, so that the order of summation cannot break a tie. Masks that contain no peak
    cost next to nothing where they must contain one; the others are measured in parallel.

    Raises ValueError for a heatmap that is not finite, or not of the masks' size.
    """
    _check_heatmap(heatmap)
    masks = proposals.masks
    if masks.shape[1:] != heatmap.shape:
        raise ValueError(
            f'The heatmap has {tuple(heatmap.shape)} pixels and the masks {tuple(masks.shape[1:])}:'
            ' upsample it to the image before the selection.'
        )
    peaks = heatmap >= heatmap.max() if peaks is None else peaks
    contains_peak = masks.flatten(1)[:, peaks.flatten()].any(1)
    possible = contains_peak if rank == 'mean' else torch.ones_like(contains_peak)
    candidates = possible.nonzero().flatten().tolist()
    weights = heatmap.cpu().numpy().astype(np.float64)
    total = float(weights.sum())
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        measures = list(
            pool.map(lambda k: _measured(masks[k].cpu().numpy(), weights, total), candidates)
        )
    means = torch.full((len(masks),), torch.nan)
    overlaps = torch.full((len(masks),), torch.nan)
    components = torch.full((len(masks),), -1, dtype=torch.int64)
    kept: list[int] = []
    first_of: dict[_Measures, list[int]] = {}
    for k, found in zip(candidates, measures, strict=True):
        means[k], overlaps[k], components[k] = found.mean, found.overlap, found.components
        is_possible = (rank == 'mean' or found.mean > 0) and found.components <= max_components
        # Equal masks have equal measures; masks of equal measures are rarely equal.
        alike = first_of.setdefault(found, [])
        if is_possible and not any(torch.equal(masks[k], masks[other]) for other in alike):
            alike.append(k)
            kept.append(k)
    ranked = (means if rank == 'mean' else overlaps)[kept]
    best_first = torch.sort(ranked, descending=True, stable=True).indices
    order = torch.tensor(kept, dtype=torch.int64)[best_first]
    device = masks.device
    return Selection(
        order.to(device),
        means.to(device),
        overlaps.to(device),
        components.to(device),
        contains_peak,
    )


class _Measures(NamedTuple):
    """What is measured of a mask, see Selection."""

    mean: float
    overlap: float
    components: int


def _check_heatmap(heatmap: Tensor) -> None:
    if heatmap.ndim != 2 or not heatmap.numel():
        raise ValueError(f'A heatmap must be (H, W) with a pixel, not {tuple(heatmap.shape)}.')
    if not bool(heatmap.isfinite().all()):
        raise ValueError('The heatmap contains values that are not finite, so it has no peak.')


def _measured(mask: NDArray[np.bool_], heatmap: NDArray[np.float64], total: float) -> _Measures:
    """Return the measures of a mask (H, W) on a heatmap (H, W) whose sum is `total`."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return _Measures(0.0, 0.0, 0)
    part = mask[top : top + height, left : left + width].view(np.uint8)
    mean = cv2.mean(heatmap[top : top + height, left : left + width], part)[0]
    area = cv2.countNonZero(part)
    union = area + total - mean * area
    components = cv2.connectedComponents(part, connectivity=4)[0] - 1
    return _Measures(mean, mean * area / union if union > 0 else 0.0, components)


def _centre(plateau: NDArray[np.bool_]) -> tuple[int, int]:
    """Return (x, y) of the member of a plateau (H, W) that is nearest to its mean position."""
    members = np.argwhere(plateau)
    distances = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
    y, x = members[np.argmin(distances.round(6))].tolist()  # the mean's last bit breaks no tie
    return x, y
