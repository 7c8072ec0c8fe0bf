"""What both ways of answering arrive at, and the answer that is made of it."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from iterprime_ros.answer import Candidate, PartsReport, Segmentation, Status, notes, union
from iterprime_ros.answering.grounded_expression import word_heatmaps
from iterprime_ros.grounding.refinement import Grounding
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import Selection


@dataclass(frozen=True)
class Decision:
    """The outcome of a command, and what led to it.

    status: the outcome.
    text: one sentence for a person.
    chance: that image and expression match, in [0, 1].
    ranked_by: as in Segmentation.
    candidates: as in Segmentation.
    instance_count: as in Segmentation.
    heatmap: (H, W) float32 in [0, 1].
    report: how every object was judged; None where one heatmap was read.
    """

    status: Status
    text: str
    chance: float
    ranked_by: Literal['mean', 'overlap', 'chance']
    candidates: tuple[Candidate, ...]
    instance_count: int
    heatmap: Tensor
    report: PartsReport | None = None


def candidate(proposals: Proposals, selection: Selection, k: int) -> Candidate:
    """Return proposal k with what a selection measured of it."""
    return Candidate(
        proposals.masks[k].cpu().numpy(),
        float(selection.heatmap_mean[k]),
        float(selection.heatmap_overlap[k]),
        float(proposals.predicted_iou[k]),
    )


def segmentation(
    decision: Decision,
    command: ParsedCommand,
    grounding: Grounding,
    received: str,
    milliseconds: dict[str, float],
) -> Segmentation:
    """Return a decision as an answer of the size of its heatmap.

    received: the command before it was parsed.
    milliseconds: time by stage.
    """
    found = [each.mask for each in decision.candidates[: decision.instance_count]]
    return Segmentation(
        decision.status,
        decision.text,
        command,
        union(found, decision.heatmap.shape),
        decision.heatmap.cpu().numpy(),
        decision.chance,
        decision.ranked_by,
        decision.candidates,
        decision.instance_count,
        grounding.rounds,
        word_heatmaps(command, grounding),
        decision.report,
        tuple(notes(command, grounding, received)),
        milliseconds,
    )
