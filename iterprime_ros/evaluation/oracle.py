"""The oracle IoU: the upper bound that the mask proposer sets for any choice among its masks."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.evaluation.metrics import overlap
from iterprime_ros.evaluation.runner import AnsweredQuestion
from iterprime_ros.pipeline import Frame, IteRPrimE


def with_oracle_iou(
    model: IteRPrimE, frame: Frame, answered: Iterable[AnsweredQuestion]
) -> Iterator[AnsweredQuestion]:
    """Yield answers whose outcomes have the oracle IoU, where there is a target.

    The proposals are those for a point prompt at the centre of the target mask.

    frame: what model.embed returned for the image of the questions.
    """
    for each in answered:
        target = each.question.target_mask
        if target is None:
            yield each
            continue
        small = _reduced(target, frame.size)
        masks = model.proposals_at(frame, [_centre(small)]).masks
        pairs = [overlap(mask.cpu().numpy(), small) for mask in masks]
        best = max((intersection / max(1, union) for intersection, union in pairs), default=0.0)
        yield replace(each, outcome=replace(each.outcome, oracle_iou=best))


def _reduced(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask (H, W) at another size, by the nearest pixels."""
    rows, columns = (
        (np.arange(few) * full + full // 2) // few
        for few, full in zip(size, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]


def _centre(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the pixel (x, y) farthest from the edge of a mask."""
    distance = ndimage.distance_transform_cdt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(distance.argmax(), mask.shape)
    return int(x), int(y)
