"""The answer to a command: its parts, and the sentences that a person reads."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from iterprime_ros.grounding.alignment import Span
from iterprime_ros.grounding.refinement import Grounding, RefinementRound
from iterprime_ros.language.command_parser import ParsedCommand, cut_note
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.reasoner import Reasoning

_HALF = 0.5  # of a pixel that a mask covers, from which it belongs to the mask


class Status(Enum):
    """The outcome of a command."""

    FOUND = 'found'
    FOUND_SEVERAL = 'found several'
    NOT_FOUND = 'not found'
    AMBIGUOUS = 'ambiguous'
    INVALID = 'invalid'

    @property
    def has_mask(self) -> bool:
        """Whether an answer of this status has a mask."""
        return self in (Status.FOUND, Status.FOUND_SEVERAL, Status.AMBIGUOUS)


@dataclass(frozen=True)
class Candidate:
    """A mask that may be the object, and everything that it can be ranked by.

    mask: (H, W) bool.
    heatmap_mean: mean of the heatmap inside the mask, in [0, 1].
    heatmap_overlap: soft IoU of the mask with the heatmap, in [0, 1]; see masks.selection.select.
    predicted_iou: the mask proposer's own confidence, about 0 to 1; it ranks nothing.
    chance: that it is what is meant, in [0, 1]; NaN where answers are read off one heatmap.
    """

    mask: NDArray[np.bool_]
    heatmap_mean: float
    heatmap_overlap: float
    predicted_iou: float
    chance: float = float('nan')


@dataclass(frozen=True)
class WordHeatmap:
    """A focus word and its Grad-CAM.

    span: [start, end) characters of the expression.
    heatmap: (rows, cols) float32 >= 0 over the patches, of round 0.
    is_primary: whether it is the head noun, or stands for it.
    """

    span: Span
    heatmap: NDArray[np.float32]
    is_primary: bool


@dataclass(frozen=True)
class PartsReport:
    """How the objects of a frame were judged part by part.

    reasoning: of the whole phrase; its arrays are over the K objects.
    objects: for each of the answer's candidates its index among the K objects.
    measured: the K objects.
    rivals: the indices of those that fit about equally well, likeliest first; at least two where
        the status is AMBIGUOUS, unless more fit than a plural asks for.
    """

    reasoning: Reasoning
    objects: tuple[int, ...]
    measured: Measurements
    rivals: tuple[int, ...] = ()


@dataclass(frozen=True)
class Segmentation:
    """The answer to one command on one image of H x W pixels.

    status: the outcome.
    text: one sentence for a person.
    command: the parsed command; None where it could not be parsed.
    mask: (H, W) bool, all False unless status.has_mask; the union of all where several are found.
    heatmap: (H, W) float32 in [0, 1].
    match_probability: in [0, 1], NaN where it was not computed.
    ranked_by: the measure of a candidate that ranked them, heatmap_mean, heatmap_overlap or chance.
    candidates: the object, or all that are meant where several are; then its rival where status is
        AMBIGUOUS; then the others, best first.
    instance_count: how many objects are meant and found: 0 without a mask, 1 unless the expression
        is plural.
    rounds: the rounds of refinement, in order.
    word_heatmaps: one for each focus word, in order.
    parts: how the objects were judged; None where one heatmap was read.
    notes: what the user should know besides, one sentence each.
    milliseconds: time by stage; encoding counts where the image is new.
    """

    status: Status
    text: str
    command: ParsedCommand | None
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float32]
    match_probability: float
    ranked_by: Literal['mean', 'overlap', 'chance'] = 'mean'
    candidates: tuple[Candidate, ...] = ()
    instance_count: int = 0
    rounds: tuple[RefinementRound, ...] = ()
    word_heatmaps: tuple[WordHeatmap, ...] = ()
    parts: PartsReport | None = None
    notes: tuple[str, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def instances(self) -> tuple[Candidate, ...]:
        """The objects that are meant and found, best first."""
        return self.candidates[: self.instance_count]


def union(masks: Iterable[NDArray[np.bool_]], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the union of masks of a size (H, W), all False without any."""
    return np.logical_or.reduce([np.zeros(size, bool), *masks])


def resized(answer: Segmentation, size: tuple[int, int]) -> Segmentation:
    """Return an answer on a reduced image as one on the image of a size (H, W)."""

    def plane(values: NDArray[np.generic]) -> NDArray[np.float32]:
        given = torch.from_numpy(values.astype(np.float32))[None, None]
        enlarged = functional.interpolate(given, size, mode='bilinear', align_corners=False)
        return enlarged[0, 0].numpy()

    candidates = tuple(replace(each, mask=plane(each.mask) > _HALF) for each in answer.candidates)
    found = [each.mask for each in candidates[: answer.instance_count]]
    return replace(
        answer,
        mask=union(found, size),
        heatmap=plane(answer.heatmap),
        candidates=candidates,
    )


def invalid(text: str, size: tuple[int, int]) -> Segmentation:
    """Return the answer to a command that cannot be used on an image of a size (H, W)."""
    return Segmentation(
        Status.INVALID, text, None, np.zeros(size, bool), np.zeros(size, np.float32), float('nan')
    )


def verdict(
    expression: str,
    probability: float,
    threshold: float,
    has_peak: bool,
    candidates: Sequence[Candidate],
    is_ambiguous: bool,
) -> tuple[Status, str]:
    """Return the outcome and the sentence that explains it.

    expression: the referring expression.
    probability, threshold: of the match, in [0, 1]; below the threshold nothing is found.
    has_peak: whether the heatmap has any contrast.
    candidates: the masks that may be the object.
    is_ambiguous: whether another object fits about as well as the first candidate.
    """
    chance = f'match {probability:.2f}'
    if probability < threshold:
        return (
            Status.NOT_FOUND,
            f'Nothing here matches "{expression}" ({chance}, below {threshold:g}).',
        )
    if not has_peak:
        return (
            Status.NOT_FOUND,
            f'"{expression}" matches ({chance}), but no part of the image more than others.',
        )
    if not candidates:
        return (
            Status.NOT_FOUND,
            f'"{expression}" matches ({chance}), but no mask lies where it stands out.',
        )
    if is_ambiguous:
        return Status.AMBIGUOUS, f'At least two objects could be "{expression}" ({chance}).'
    return Status.FOUND, f'Found "{expression}" ({chance}).'


def notes(command: ParsedCommand, grounding: Grounding, received: str) -> Iterator[str]:
    """Yield what the user should know besides; received: the command before it was parsed."""
    span = grounding.expression.primary_word
    if command.primary_word is None and span is not None:
        word = grounding.expression.text[slice(*span)]
        yield f'No noun was found; by the attention to words, "{word}" stands for it.'
    if command.primary_word is None and span is None:
        yield 'No primary word was found.'
    cut = cut_note(command, received)
    if cut:
        yield cut
    if grounding.truncated:
        yield 'The expression is longer than the matcher can read; its end was cut.'
