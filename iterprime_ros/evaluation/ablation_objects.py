"""How the objects of a frame are found: at a grid of points, or by hiding what was found."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from iterprime_ros.evaluation.ablation_parts import PartsFrame, heatmap_settings
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.evaluation.oracle import best_iou
from iterprime_ros.evaluation.runner import asked_of
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.instances import instances
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.masks.object_masks import joined
from iterprime_ros.masks.proposer import Proposals, no_proposals
from iterprime_ros.masks.selection import peak_points, select

_RECALLED = 0.5  # an IoU above it: an object is found
_MATCHING = 0.5  # probability below which nothing more is looked for


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """The objects that one way of finding gave on one image.

    name: of the way.
    proposals: of frame.size.
    milliseconds: that it took.
    """

    name: str
    proposals: Proposals
    milliseconds: float


def found_objects(parts: PartsFrame) -> Iterator[FoundObjects]:
    """Yield the objects of an image by every way of finding them, the pipeline's own first."""
    started = time.perf_counter()
    proposals = objects_in(parts.model, parts.frame)
    yield FoundObjects('all objects at once', proposals, _since(started))
    settings = heatmap_settings(parts.model.profile.grounding)
    for name in ('Grad-CAM', 'PWEM'):
        started = time.perf_counter()
        proposals = found_by_hiding(parts, settings[name])
        yield FoundObjects(f'hiding what was found (IGRS), {name}', proposals, _since(started))


def found_by_hiding(parts: PartsFrame, settings: GroundingSettings) -> Proposals:
    """Return the instances of every noun phrase of the commands, each object once."""
    model, frame = parts.model, parts.frame

    def mask_at(heatmap: Tensor) -> Tensor | None:
        answer, enlarged = model.profile.answer, upsampled(heatmap, frame.size)
        points = peak_points(enlarged, answer.max_peaks)
        proposals = model.proposer.propose(frame.mask_embedding, points)
        chosen = select(enlarged, proposals, answer.max_components, answer.mask_rank).order
        return proposals.masks[chosen[0]] if len(chosen) else None

    device = model.proposals_at(frame, []).masks.device
    found = no_proposals(frame.size, device)
    for expression in parts.expressions.values():
        each = instances(
            model.matcher, frame.matcher_embedding, expression, mask_at, settings, _MATCHING
        )
        if each:
            masks = torch.stack([instance.mask for instance in each])
            rated = torch.tensor([instance.probability for instance in each], device=device)
            extra = Proposals(masks, rated)
            found = joined(found, extra, model.profile.objects.max_overlap)
    return found


def object_row(found: Sequence[FoundObjects], recalled: Sequence[bool]) -> dict[str, str]:
    """Return the row of one way of finding, over at least one image.

    recalled: of every target, see `recalls`.
    """
    return {
        'objects': found[0].name,
        'recall@0.5': f'{np.mean(recalled):.3f}',
        'masks per image': f'{np.mean([len(each.proposals.masks) for each in found]):.1f}',
        'ms per image, median': f'{np.median([each.milliseconds for each in found]):.0f}',
    }


def recalls(parts: PartsFrame, proposals: Proposals) -> list[bool]:
    """Return for each question for one object whether a mask has IoU above 0.5 with it."""
    masks = list(proposals.masks.cpu().numpy())
    return [
        best_iou(masks, question.target_mask)[0] > _RECALLED
        for question in parts.sample.questions
        if question.target_mask is not None and asked_of(question) is Asked.ONE
    ]


def _since(started: float) -> float:
    return 1e3 * (time.perf_counter() - started)
