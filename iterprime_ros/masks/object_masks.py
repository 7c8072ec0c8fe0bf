"""The objects of a whole frame: candidate masks without a heatmap, once a frame.

A proposer that finds objects by itself is an ObjectProposer; one that is asked by text, and so for
the noun phrases of a command, is a PhraseProposer; any other is asked at a grid of points. The
masks of many points show each object many times, parts of objects, and the background: `distinct`
chooses among them.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from iterprime_ros.masks.proposer import MaskProposer, Proposals

_JUDGED_SIDE = 128  # pixels of the longer side, in which masks of images are compared
_PRIOR_AGREEMENT = 0.5


class ObjectSettings(BaseModel):
    """How the objects of a frame are found."""

    model_config = ConfigDict(frozen=True, extra='forbid')

    search: Literal['all', 'described'] = Field(
        'all',
        description='all: every object of the frame, once for all commands. described: those that '
        'the noun phrases of a command describe, by iterative refinement of their heatmaps: what '
        'was found is hidden, until nothing matches. Masks of kind sam3 are always those that are '
        'described: the model is given the noun phrases.',
    )
    grid: int = Field(
        9, ge=1, le=64, description='Points along the shorter side of the image, for SAM.'
    )
    min_predicted_iou: float = Field(
        0.4, ge=0, le=1, description='Masks whose predicted IoU is not above it are dropped.'
    )
    min_area: float = Field(
        0.002, ge=0, le=1, description='Smallest mask, as a share of the image.'
    )
    max_area: float = Field(
        0.2, gt=0, le=1, description='Largest mask, as a share of the image: more is background.'
    )
    max_overlap: float = Field(
        0.5,
        gt=0,
        le=1,
        description='Of two masks that share at least this much of the smaller one, the better '
        'one is kept.',
    )
    max_count: int = Field(40, ge=1, le=256, description='Most objects of a frame.')


@runtime_checkable
class ObjectProposer(MaskProposer, Protocol):
    """A mask proposer that finds the objects of an image by itself."""

    def objects(self, embedding: Any, settings: ObjectSettings) -> Proposals:
        """Return the objects of the image that was embedded, best first, each once."""


@runtime_checkable
class PhraseProposer(MaskProposer, Protocol):
    """A mask proposer that is asked by text instead of at points, where it proposes nothing."""

    def instances(self, embedding: Any, phrase: str) -> Proposals:
        """Return the instances of a noun phrase in the image that was embedded, best first."""


def instances_of(
    proposer: PhraseProposer, embedding: Any, phrases: Sequence[str], settings: ObjectSettings
) -> Proposals:
    """Return the instances of one or more noun phrases, each object once, earlier phrases first.

    Of the settings only `max_overlap` and `max_count` have a say: an instance may be of any size.
    """
    parts = [proposer.instances(embedding, phrase) for phrase in phrases]
    every = Proposals(
        torch.cat([part.masks for part in parts]), torch.cat([part.predicted_iou for part in parts])
    )
    numbers = torch.arange(settings.max_count, device=every.masks.device)
    found = joined(taken(every, numbers[:0]), every, settings.max_overlap)
    return taken(found, numbers[: len(found.masks)])


def objects_of(
    proposer: MaskProposer,
    embedding: Any,
    settings: ObjectSettings,
    device: torch.device | str = 'cpu',
) -> Proposals:
    """Return the objects of the image that was embedded, best first, each once.

    device: of the proposer. One that is no ObjectProposer is asked there at a grid of points.
    """
    if isinstance(proposer, ObjectProposer):
        return proposer.objects(embedding, settings)
    nowhere = torch.zeros((0, 2), dtype=torch.int64, device=device)
    height, width = proposer.propose(embedding, nowhere).masks.shape[1:]
    points = grid_points((height, width), settings.grid, nowhere.device)
    proposals = proposer.propose(embedding, points)
    return taken(proposals, distinct(coarse(proposals.masks), proposals.predicted_iou, settings))


def coarse(masks: Tensor) -> Tensor:
    """Return masks (K, H, W) at a longer side of 128 to 255 pixels, or unchanged if it is less."""
    step = max(1, max(masks.shape[1:]) // _JUDGED_SIDE)
    return masks[:, step // 2 :: step, step // 2 :: step]


def joined(objects: Proposals, extra: Proposals, max_overlap: float) -> Proposals:
    """Return objects and after them those of extra masks that show none of them.

    extra: of the same image, for example at peaks of a heatmap.
    max_overlap: an extra mask that shares at least this much of the smaller mask with an object, or
        with an extra mask before it, is left out, and so is an empty one.
    """
    masks = torch.cat([objects.masks, extra.masks])
    predicted_iou = torch.cat([objects.predicted_iou, extra.predicted_iou])
    areas, shared = _overlaps(coarse(masks))
    kept = list(range(len(objects.masks)))
    for number in range(len(kept), len(masks)):
        limits = max_overlap * torch.minimum(areas[number], areas[kept])
        both = shared[number, kept]
        # An empty object has a limit of 0, but shows nothing.
        if areas[number] > 0 and not bool(((both >= limits) & (both > 0)).any()):
            kept.append(number)
    return taken(
        Proposals(masks, predicted_iou), torch.tensor(kept, dtype=torch.int64, device=masks.device)
    )


def distinct(masks: Tensor, predicted_iou: Tensor, settings: ObjectSettings) -> Tensor:
    """Return which masks are objects, (K,) int64, best first.

    masks: (M, h, w) bool, in any resolution.
    predicted_iou: (M,) float32.

    Two masks show the same if they share at least `max_overlap` of the smaller one. Of those the
    one of the highest rank is kept, the first one among equals. The rank is the predicted IoU plus
    the mean IoU with the other masks that show the same: points of an object agree on its mask,
    those of the background do not. In the mean, 0.5 counts as one mask more, for masks with few
    others.
    """
    shares = masks.flatten(1).float().mean(1) if len(masks) else predicted_iou
    fits = (shares >= settings.min_area) & (shares <= settings.max_area) & (shares > 0)
    possible = (fits & (predicted_iou > settings.min_predicted_iou)).nonzero().flatten()
    areas, shared = _overlaps(masks[possible])
    iou = shared / (areas[:, None] + areas[None] - shared)
    same = shared >= settings.max_overlap * torch.minimum(areas[:, None], areas[None])
    others = same.sum(1) - 1
    agreement = (_PRIOR_AGREEMENT + (iou * same).sum(1) - 1) / (1 + others)
    rank = predicted_iou[possible] + agreement
    order = torch.sort(rank, descending=True, stable=True).indices
    clashes = same[order][:, order].cpu()
    free = torch.ones(len(order), dtype=torch.bool)
    kept: list[int] = []
    for number in range(len(order)):
        if free[number] and len(kept) < settings.max_count:
            kept.append(number)
            free &= ~clashes[number]
    return possible[order[torch.tensor(kept, dtype=torch.int64, device=order.device)]]


def best_of_each(logits: Tensor, predicted_iou: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return for each of `count` points the mask (P, h, w) of the highest predicted IoU (P,).

    logits: (M, h, w) of as many masks for each point, those of the first point first.
    predicted_iou: (M,) float32.
    """
    best, index = predicted_iou.view(count, -1).max(1)
    return logits.unflatten(0, (count, -1))[torch.arange(count, device=index.device), index], best


def grid_points(size: tuple[int, int], count: int, device: torch.device) -> Tensor:
    """Return a grid of points (P, 2) int64 over an image of a size (H, W), row by row.

    count: of points along the shorter side; the longer one has as many more as it is longer.
    """
    height, width = size
    rows, columns = (max(1, round(count * side / min(size))) for side in size)
    y = ((torch.arange(rows, device=device) + 0.5) * height / rows).long()
    x = ((torch.arange(columns, device=device) + 0.5) * width / columns).long()
    return torch.stack(torch.meshgrid(x, y, indexing='xy'), dim=-1).view(-1, 2)


def taken(proposals: Proposals, which: Tensor) -> Proposals:
    """Return some of the proposals, in the order of their indices (K,) int64."""
    return Proposals(proposals.masks[which], proposals.predicted_iou[which])


def _overlaps(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the areas (M,) of masks and how much every two of them share, (M, M), in pixels."""
    flat = masks.flatten(1).float()
    return flat.sum(1), flat @ flat.T
