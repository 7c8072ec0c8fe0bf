"""The oracle IoU: the upper bound that the candidates set for any choice among them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.evaluation.datasets.dataset import Sample
from iterprime_ros.evaluation.metrics import Asked, overlap
from iterprime_ros.evaluation.runner import AnsweredQuestion
from iterprime_ros.pipeline import Frame, IteRPrimE


def with_oracle_iou(
    model: IteRPrimE, frame: Frame, answered: Iterable[AnsweredQuestion]
) -> Iterator[AnsweredQuestion]:
    """Yield answers whose outcomes have the oracle IoU, where there is a target.

    The candidates are all objects of the frame, where an answer comes from these; else the masks
    that are proposed for a point prompt at the centre of the target mask.

    frame: what model.embed returned for the image of the questions.
    """
    for each in answered:
        target = each.question.target_mask
        if target is None or each.outcome.asked is not Asked.ONE:
            yield each
            continue
        if each.answer.parts is None:
            target = _reduced(target, frame.size)
            proposals = model.proposals_at(frame, [_centre(target)]).masks
            masks = [mask.cpu().numpy() for mask in proposals]
        else:
            masks = [candidate.mask for candidate in each.answer.candidates]
        yield replace(each, outcome=replace(each.outcome, oracle_iou=best_iou(masks, target)[0]))


def best_iou(
    masks: Sequence[NDArray[np.bool_]], target: NDArray[np.bool_]
) -> tuple[float, int | None]:
    """Return the highest IoU of masks with a target, and which mask has it; (0, None) without."""
    pairs = [overlap(mask, target) for mask in masks]
    values = [shared / max(1, union) for shared, union in pairs]
    best = int(np.argmax(values)) if values else None
    return (0.0, None) if best is None else (values[best], best)


def reduced_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """Return a sample without image and depth, with masks of another size (H, W)."""
    if sample.image.shape[:2] == size:
        return sample
    questions = tuple(
        replace(
            each,
            target_mask=None if each.target_mask is None else _reduced(each.target_mask, size),
            target_masks=tuple(_reduced(mask, size) for mask in each.target_masks),
        )
        for each in sample.questions
    )
    return Sample(sample.image_id, np.zeros((*size, 3), np.uint8), questions)


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
