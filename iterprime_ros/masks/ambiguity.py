"""Whether another object fits an expression about as well: masks at rival peaks of the heatmap."""

import torch
from torch import Tensor
from torch.nn import functional

_SAME_OBJECT = 0.1  # of the smaller mask; two that share more are one object


def rival_points(patches: Tensor, winner: Tensor, margin: float, limit: int) -> Tensor:
    """Return the rival peaks as points (P, 2) int64, (x, y) in pixels of the image.

    patches: (rows, cols) float32, the heatmap before it is enlarged. Its local maxima (of 3 x 3
        patches) that are at least (1 - margin) of its maximum are peaks.
    winner: (H, W) bool, the best mask; peaks inside it are no rivals.
    margin: in [0, 1]; with 0 there are no rivals.
    limit: most points.
    """
    if margin == 0:
        return torch.zeros((0, 2), dtype=torch.int64, device=patches.device)
    neighbours = functional.max_pool2d(patches[None], 3, 1, 1)[0]
    peaks = (patches >= neighbours) & (patches >= (1 - margin) * patches.max())
    cells = torch.tensor(patches.shape, device=patches.device)
    size = torch.tensor(winner.shape, device=patches.device)
    rows, columns = ((peaks.nonzero() + 0.5) * size / cells).long().T
    outside = ~winner[rows, columns]
    return torch.stack([columns, rows], dim=1)[outside][:limit]


def is_other_object(mask: Tensor, winner: Tensor) -> bool:
    """Return whether two masks (H, W) bool are different objects, neither part of the other."""
    smaller = min(int(mask.sum()), int(winner.sum()))
    return int((mask & winner).sum()) < _SAME_OBJECT * max(1, smaller)
