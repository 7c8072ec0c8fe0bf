"""What both ways of answering arrive at."""

from dataclasses import dataclass

from torch import Tensor

from iterprime_ros.answer import Candidate, PartsReport, Status
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import Selection


@dataclass(frozen=True)
class Decision:
    """The outcome of a command, and what led to it.

    status: the outcome.
    text: one sentence for a person.
    chance: that image and expression match, in [0, 1].
    candidates: as in Segmentation.
    instance_count: as in Segmentation.
    heatmap: (H, W) float32 in [0, 1].
    report: how every object was judged; None where one heatmap was read.
    """

    status: Status
    text: str
    chance: float
    candidates: tuple[Candidate, ...]
    instance_count: int
    heatmap: Tensor
    report: PartsReport | None = None


def candidate(
    proposals: Proposals, selection: Selection, k: int, chance: float = float('nan')
) -> Candidate:
    """Return proposal k with what a selection measured of it."""
    return Candidate(
        proposals.masks[k].cpu().numpy(),
        float(selection.heatmap_mean[k]),
        float(selection.heatmap_overlap[k]),
        float(proposals.predicted_iou[k]),
        chance,
    )
