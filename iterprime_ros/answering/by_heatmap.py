"""Answers read off one heatmap of the whole expression, as in the paper."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from iterprime_ros.answer import Candidate, Status, verdict
from iterprime_ros.answering.decision import Decision, candidate
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.refinement import Grounding
from iterprime_ros.masks.ambiguity import is_other_object, rival_points
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import peak_points, select
from iterprime_ros.profiles import AnswerSettings

Propose = Callable[[Tensor], Proposals]  # from points (P, 2) int64 to their masks


def answer_by_heatmap(
    expression: str,
    grounding: Grounding,
    size: tuple[int, int],
    propose: Propose,
    settings: AnswerSettings,
) -> Decision:
    """Return the object on which the heatmap of an expression lies.

    size: (H, W) of the masks.
    propose: gives the masks at points.
    """
    heatmap = upsampled(grounding.heatmap, size)
    matches = grounding.probability >= settings.match_threshold
    has_peak = bool(heatmap.max() > 0)
    candidates = _candidates(heatmap, propose, settings) if matches and has_peak else []
    rivals = _rivals(grounding.heatmap, heatmap, candidates, propose, settings)
    status, text = verdict(
        expression,
        grounding.probability,
        settings.match_threshold,
        has_peak,
        candidates,
        bool(rivals),
    )
    return Decision(
        status,
        text,
        grounding.probability,
        settings.mask_rank,
        (*candidates[:1], *rivals, *candidates[1:]),
        int(status in (Status.FOUND, Status.AMBIGUOUS)),
        heatmap,
    )


def _candidates(heatmap: Tensor, propose: Propose, settings: AnswerSettings) -> list[Candidate]:
    """Return the masks that may be the object, best first."""
    proposals = propose(peak_points(heatmap, settings.max_peaks))
    selection = select(heatmap, proposals, settings.max_components, settings.mask_rank)
    return [candidate(proposals, selection, k) for k in selection.order.tolist()]


def _rivals(
    patches: Tensor,
    heatmap: Tensor,
    candidates: Sequence[Candidate],
    propose: Propose,
    settings: AnswerSettings,
) -> list[Candidate]:
    """Return the best mask at a rival peak, of another object than the best candidate."""
    if not candidates:
        return []
    winner = torch.from_numpy(candidates[0].mask).to(heatmap.device)
    points = rival_points(patches, winner, settings.ambiguity_margin, settings.max_peaks)
    if not len(points):
        return []
    peaks = torch.zeros_like(winner)
    peaks[points[:, 1], points[:, 0]] = True
    proposals = propose(points)
    selection = select(heatmap, proposals, settings.max_components, settings.mask_rank, peaks)
    for k in selection.order.tolist():
        if selection.contains_peak[k] and is_other_object(proposals.masks[k], winner):
            return [candidate(proposals, selection, k)]
    return []
