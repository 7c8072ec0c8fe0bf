"""The objects that the noun phrases of a command describe, found without a grid of points."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.answering.grounded_expression import phrase_expression
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.instances import instances
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.masks.object_masks import PhraseProposer, instances_of, joined
from iterprime_ros.masks.proposer import MaskProposer, Proposals
from iterprime_ros.masks.selection import peak_points, select
from iterprime_ros.profiles import Profile

_MATCHING = 0.5  # probability below which nothing more is looked for


def noun_phrase_expressions(command: ParsedCommand) -> list[Expression]:
    """Return the own words of every noun phrase of a command, each text once, outer ones first."""
    found: dict[str, Expression] = {}
    for phrase in command.phrase.noun_phrases():
        found.setdefault(phrase.text, phrase_expression(replace(command, phrase=phrase)))
    return list(found.values())


def described_objects(
    matcher: Matcher,
    image: Any,
    proposer: MaskProposer,
    mask_embedding: Any,
    expressions: Sequence[Expression],
    profile: Profile,
) -> Proposals:
    """Return the objects that noun phrases describe, each once, in the order they were found.

    image: what matcher.encode_image returned.
    mask_embedding: what proposer.embed returned of the same image.
    profile: its settings of grounding, of masks at peaks, of objects that overlap and of how many
        there are at most for each noun phrase.

    A proposer that is asked by text is asked for every phrase. With any other the search is that of
    grounding.instances: each object is the mask that a heatmap selects.
    """
    if isinstance(proposer, PhraseProposer):
        texts = [expression.text for expression in expressions]
        return instances_of(proposer, mask_embedding, texts, profile.objects)
    settings, answer = profile.grounding, profile.answer
    device = matcher.encode_text(['']).real.device
    found = proposer.propose(mask_embedding, torch.zeros((0, 2), dtype=torch.int64, device=device))
    size = found.masks.shape[1:]
    offered: list[tuple[Tensor, Tensor]] = []  # masks with their predicted IoU

    def mask_at(heatmap: Tensor) -> Tensor | None:
        enlarged = upsampled(heatmap, (size[0], size[1]))
        proposals = proposer.propose(mask_embedding, peak_points(enlarged, answer.max_peaks))
        chosen = select(enlarged, proposals, answer.max_components, answer.mask_rank).order
        if not len(chosen):
            return None
        offered.append((proposals.masks[chosen[0]], proposals.predicted_iou[chosen[0]]))
        return offered[-1][0]

    for expression in expressions:
        each = instances(
            matcher,
            image,
            expression,
            mask_at,
            settings,
            _MATCHING,
            profile.objects.max_count,
            profile.regions.patch_share,
        )
        rated = [iou for instance in each for mask, iou in offered if mask is instance.mask]
        if each:
            masks = torch.stack([instance.mask for instance in each])
            extra = Proposals(masks, torch.stack(rated))
            found = joined(found, extra, profile.objects.max_overlap)
    return found
