"""Answers part by part: the objects of the frame, how well each matches each noun phrase, geometry.

One heatmap of "the mug left of the plate" lights up plates too, and cannot tell one mug from
another. Here only noun phrases are matched, each with every object alone, and places and relations
are computed, as ReCLIP does with crops (Subramanian et al., ACL 2022, arXiv 2204.05991).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.answer import Candidate, PartsReport, Status
from iterprime_ros.answering.decision import Decision
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.grounding.heatmap import scaled, upsampled
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.region_match import match_probability, region_logits, region_patches
from iterprime_ros.grounding.settings import RegionMatchSettings
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.masks.ambiguity import is_other_object
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.profiles import AnswerSettings
from iterprime_ros.spatial.explanations import (
    distinction,
    not_found_reason,
    several_found,
    too_many_fit,
)
from iterprime_ros.spatial.measurements import Measurements, measure
from iterprime_ros.spatial.reasoner import Reasoning, reason

_LEAST = 1e-9  # a chance below it never counts
_PAIR = 2  # objects, from which an answer is ambiguous
# Share of the heatmap on an object that does not come from the matcher: where the gradient misses
# an object that the reasoning found, the heatmap still stands on it.
_FLOOR = 0.25


@dataclass(frozen=True, eq=False)
class FrameObjects:
    """The K objects of a frame; K may be 0.

    proposals: their masks.
    patches: (K, N) bool, the matcher's patches that each covers.
    measurements: where they are and how large.
    """

    proposals: Proposals
    patches: Tensor
    measurements: Measurements


def frame_objects(
    proposals: Proposals,
    grid: tuple[int, int],
    patch_share: float,
    depth: NDArray[np.float32] | None,
    pinhole: Pinhole | None,
) -> FrameObjects:
    """Return the objects under masks, none of them empty.

    grid: rows and columns of the matcher's patches.
    patch_share: see RegionMatchSettings.
    depth: (h, w) in metres, registered to the image; None without.
    pinhole: of the image; None without.
    """
    patches = region_patches(proposals.masks, grid, patch_share)
    measured = measure(proposals.masks.cpu().numpy(), depth, pinhole)
    return FrameObjects(proposals, patches, measured)


def phrase_matches(
    matcher: Matcher,
    image_embedding: Any,
    texts: Sequence[str],
    prompt: str,
    objects: FrameObjects,
    settings: RegionMatchSettings,
) -> dict[str, NDArray[np.float64]]:
    """Return for each text the chances (K,) in [0, 1] that it describes the objects.

    prompt: what the matcher reads; holds {expression} once.
    """
    if not texts or not len(objects.patches):
        return {text: np.zeros(len(objects.patches)) for text in texts}
    prompts = [prompt.format(expression=text) for text in texts]
    contrast = settings.contrast > 0
    logits = region_logits(matcher, image_embedding, prompts, objects.patches, contrast)
    chances = match_probability(logits, settings).double().cpu().numpy()
    return dict(zip(texts, chances, strict=True))


def answer_by_parts(
    command: ParsedCommand,
    matches: Mapping[str, NDArray[np.float64]],
    objects: FrameObjects,
    patch_map: Tensor,
    size: tuple[int, int],
    settings: AnswerSettings,
) -> Decision:
    """Return the objects that a command means.

    matches: for each text of the command's phrase the chances (K,), see phrase_matches.
    patch_map: (rows, cols) float32 in [0, 1], the heatmap of the phrase's own words.
    size: (H, W) of the masks.
    """
    reasoning = reason(command.phrase, matches, objects.measurements)
    beliefs = reasoning.beliefs
    order = np.argsort(-beliefs, kind='stable')
    heatmap = upsampled(weighted_heatmap(patch_map, objects.patches, beliefs), size)
    best = float(beliefs[order[0]]) if len(order) else 0.0
    found = _outcome(command, reasoning, objects, order, settings)
    candidates = _candidates(heatmap, objects.proposals, found.order, beliefs)
    arranged = tuple(found.order.tolist())
    report = PartsReport(reasoning, arranged, objects.measurements, found.rivals)
    return Decision(
        found.status, found.text, best, 'chance', candidates, found.count, heatmap, report
    )


def weighted_heatmap(patch_map: Tensor, patches: Tensor, beliefs: NDArray[np.float64]) -> Tensor:
    """Return a heatmap (rows, cols) float32 in [0, 1] that stands on what is believed in.

    patch_map: (rows, cols) float32 in [0, 1].
    patches: (K, N) bool, of the objects.
    beliefs: (K,) in [0, 1].

    Each patch is weighted by the belief in the object that covers it, relative to the highest one,
    and the background by 0.
    """
    if not len(beliefs) or beliefs.max() <= 0:
        return patch_map
    relative = torch.from_numpy(beliefs / beliefs.max()).to(patch_map)
    weight = (patches * relative[:, None]).amax(dim=0).view(patch_map.shape)
    weighted = weight * (_FLOOR + (1 - _FLOOR) * patch_map)
    return scaled(weighted.flatten()[None])[0].view(patch_map.shape)


@dataclass(frozen=True)
class _Outcome:
    """What a command comes to.

    text: the sentence of the status.
    order: the objects, those that are meant first; of an ambiguous expression a rival comes second.
    count: how many are meant.
    rivals: see PartsReport.
    """

    status: Status
    text: str
    order: NDArray[np.intp]
    count: int
    rivals: tuple[int, ...] = ()


def _outcome(
    command: ParsedCommand,
    reasoning: Reasoning,
    objects: FrameObjects,
    order: NDArray[np.intp],
    settings: AnswerSettings,
) -> _Outcome:
    phrase, beliefs = reasoning.phrase, reasoning.beliefs
    threshold = settings.match_threshold
    least = max(threshold, _LEAST)
    fitting = [k for k in order.tolist() if beliefs[k] >= least]
    # One object alone is the biggest: if several are about as big, each may have a small chance.
    is_undecided = (
        not fitting
        and bool(phrase.superlatives)
        and not phrase.is_plural
        and float(beliefs.sum()) >= least
    )
    considered = [k for k in order.tolist() if beliefs[k] >= _LEAST] if is_undecided else fitting
    several = _about_as_likely(considered, beliefs, objects, settings.ambiguity_margin)
    if not fitting and len(several) < _PAIR:
        reason_text = (
            not_found_reason(reasoning, least) if threshold else not_found_reason(reasoning)
        )
        best = f' (best chance {beliefs[order[0]]:.2f}, below {threshold:g})' if len(order) else ''
        return _Outcome(Status.NOT_FOUND, f'{reason_text}{best}.', order, 0)
    if phrase.is_plural:
        return _several(command, phrase, fitting, order)
    chance = f'chance {beliefs[several[0]]:.2f}'
    if len(several) < _PAIR:
        return _Outcome(Status.FOUND, f'Found "{command.expression}" ({chance}).', order, 1)
    text = distinction(reasoning, several, objects.measurements)
    winner, rival = several[:_PAIR]
    rest = order[(order != winner) & (order != rival)]
    arranged = np.array([winner, rival, *rest], dtype=np.intp)
    return _Outcome(Status.AMBIGUOUS, f'{text} ({chance}).', arranged, 1, tuple(several))


def _several(
    command: ParsedCommand, phrase: NounPhrase, fitting: list[int], order: NDArray[np.intp]
) -> _Outcome:
    """Return the outcome of a plural, like _outcome; more than were asked for are ambiguous.

    Of "the two biggest mugs" the two likeliest are meant, also where a third one is as big.
    """
    count = len(fitting)
    if phrase.count and count > phrase.count and not phrase.superlatives:
        return _Outcome(Status.AMBIGUOUS, too_many_fit(phrase, count), order, 1)
    if phrase.count and phrase.superlatives:
        count = min(count, phrase.count)
    text = several_found(command.expression, phrase, count)
    return _Outcome(Status.FOUND_SEVERAL, text, order, count)


def _about_as_likely(
    considered: list[int], beliefs: NDArray[np.float64], objects: FrameObjects, margin: float
) -> list[int]:
    """Return the likeliest of some objects, and the others that are other objects within a margin.

    considered: likeliest first.
    """
    if not considered or not margin:
        return considered[:1]
    winner, masks = considered[0], objects.proposals.masks
    near = beliefs[winner] * (1 - margin)
    return [
        k
        for k in considered
        if k == winner or (beliefs[k] >= near and is_other_object(masks[k], masks[winner]))
    ]


def _candidates(
    heatmap: Tensor, proposals: Proposals, order: NDArray[np.intp], beliefs: NDArray[np.float64]
) -> tuple[Candidate, ...]:
    masks = proposals.masks.flatten(1).float()
    sums, areas = masks @ heatmap.flatten(), masks.sum(1)
    means = (sums / areas.clamp(min=1)).tolist()
    overlaps = (sums / (areas + heatmap.sum() - sums).clamp(min=1e-6)).tolist()
    on_host = proposals.masks.cpu().numpy()
    return tuple(
        Candidate(
            on_host[k], means[k], overlaps[k], float(proposals.predicted_iou[k]), float(beliefs[k])
        )
        for k in order.tolist()
    )
