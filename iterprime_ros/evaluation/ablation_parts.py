"""Answers part by part with parts left out or replaced: the same questions, one row for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.answer import Status, union
from iterprime_ros.answering.by_parts import FrameObjects, answer_by_parts, frame_objects
from iterprime_ros.answering.object_search import noun_phrase_expressions
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.evaluation.datasets.dataset import Sample
from iterprime_ros.evaluation.metrics import Asked, Outcome
from iterprime_ros.evaluation.oracle import best_iou
from iterprime_ros.evaluation.runner import asked_of, compared, instances_of
from iterprime_ros.evaluation.variants import GRAD_CAM, PWEM
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.region_match import RegionLogits, match_probability, region_logits
from iterprime_ros.grounding.settings import GroundingSettings, RegionMatchSettings
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import Frame, IteRPrimE

FULL = 'parts: full'
_INSIDE = 0.5  # share of a mask inside a true object from which it is replaced by it
Matches = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class PartsFrame:
    """Everything that the rows have in common on one image.

    model: with its settings for parts.
    sample: the image's questions, whose masks are of frame.size.
    frame: the image as embedded.
    commands: parsed; None for those that cannot be used.
    """

    model: IteRPrimE
    sample: Sample
    frame: Frame
    commands: tuple[ParsedCommand | None, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of the commands' phrases."""
        parsed = (command for command in self.commands if command)
        return tuple(dict.fromkeys(text for each in parsed for text in each.phrase.texts()))

    @property
    def expressions(self) -> dict[str, Expression]:
        """Every one of the texts as an expression with its head, where it is known."""
        found = {
            each.text: each
            for command in filter(None, self.commands)
            for each in noun_phrase_expressions(command)
        }
        return {text: found.get(text, Expression(text, None, ())) for text in self.texts}

    def objects(self, proposals: Proposals, with_depth: bool) -> FrameObjects:
        """Return the objects under masks, measured with or without depth."""
        depth, pinhole = (self.frame.depth, self.frame.pinhole) if with_depth else (None, None)
        share = self.model.profile.regions.patch_share
        return frame_objects(proposals, self.model.matcher.grid, share, depth, pinhole)

    def logits(self, objects: FrameObjects) -> RegionLogits:
        """Return the logits of all texts with objects, with contrast."""
        prompt = self.model.profile.grounding.prompt
        return region_logits(
            self.model.matcher,
            self.frame.matcher_embedding,
            [prompt.format(expression=text) for text in self.texts],
            objects.patches,
        )

    def outcomes(
        self, objects: FrameObjects, matches: Matches, with_constraints: bool = True
    ) -> Iterator[Outcome]:
        """Yield the outcome of each question; nothing is rejected that has any chance at all."""
        settings = self.model.profile.answer.model_copy(
            update={'match_threshold': 0.0, 'ambiguity_margin': 0.0}
        )
        no_map = torch.zeros(self.model.matcher.grid, device=objects.patches.device)
        for question, command in zip(self.sample.questions, self.commands, strict=True):
            status, chance = Status.INVALID, float('nan')
            found: list[NDArray[np.bool_]] = []
            if command:
                if not with_constraints:
                    command = without_constraints(command)
                decision = answer_by_parts(
                    command, matches, objects, no_map, self.frame.size, settings
                )
                status, chance = decision.status, decision.chance
                found = [each.mask for each in decision.candidates[: decision.instance_count]]
            mask = union(found, self.frame.size)
            yield compared(self.sample.image_id, question, status, chance, mask, found)


def parts_frame(model: IteRPrimE, sample: Sample, frame: Frame) -> PartsFrame:
    """Parse the questions of a sample, whose masks are of frame.size."""
    commands: list[ParsedCommand | None] = []
    for question in sample.questions:
        try:
            commands.append(model.parser.parse(question.command))
        except InvalidCommandError:
            commands.append(None)
    return PartsFrame(model, sample, frame, tuple(commands))


def outcomes_among(parts: PartsFrame, proposals: Proposals) -> list[Outcome]:
    """Return the outcomes of the full way among some objects."""
    objects = parts.objects(proposals, with_depth=True)
    matches = matches_of(parts, parts.logits(objects), parts.model.profile.regions)
    return list(parts.outcomes(objects, matches))


def parts_outcomes(parts: PartsFrame, proposals: Proposals) -> Iterator[tuple[str, list[Outcome]]]:
    """Yield the name and the outcomes of every row whose objects are the proposals."""
    model, settings = parts.model, parts.model.profile.regions
    flat, full = (parts.objects(proposals, with_depth) for with_depth in (False, True))
    logits = parts.logits(full)
    matches = matches_of(parts, logits, settings)

    yield 'parts: head noun phrase alone', list(parts.outcomes(flat, matches, False))
    yield 'parts: + places and relations, in the image', list(parts.outcomes(flat, matches))
    yield FULL, list(parts.outcomes(full, matches))
    alone, both = without_contrast(settings), with_contrast(settings)
    for name, changed in (('region alone', alone), ('region and contrast', both)):
        changed_matches = matches_of(parts, logits, changed)
        yield f'parts: full, match: {name}', list(parts.outcomes(full, changed_matches))
    for name, grounding in heatmap_settings(model.profile.grounding).items():
        heat = heatmap_matches(parts, full, grounding)
        yield f'parts: full, match: heatmap, {name}', list(parts.outcomes(full, heat))
        product = {text: matches[text] * relative for text, relative in heat.items()}
        yield (
            f'parts: full, match: region x heatmap, {name}',
            list(parts.outcomes(full, product)),
        )
    true = with_true_masks(proposals, true_masks(parts.sample))
    yield 'parts: full, true masks of targets', outcomes_among(parts, true)
    yield 'parts: the best of all objects', list(_best_possible(parts, proposals))


def matches_of(parts: PartsFrame, logits: RegionLogits, settings: RegionMatchSettings) -> Matches:
    """Return the chances (K,) of every text."""
    chances = match_probability(logits, settings).double().cpu().numpy()
    return dict(zip(parts.texts, chances, strict=True))


def without_contrast(settings: RegionMatchSettings) -> RegionMatchSettings:
    """Return settings whose weight is all on the region alone."""
    return settings.model_copy(update={'only': settings.only + settings.contrast, 'contrast': 0.0})


def with_contrast(settings: RegionMatchSettings) -> RegionMatchSettings:
    """Return settings with contrast: half of the weight, unless they have some already."""
    if settings.contrast:
        return settings
    return settings.model_copy(update={'only': settings.only / 2, 'contrast': settings.only / 2})


def heatmap_settings(configured: GroundingSettings) -> dict[str, GroundingSettings]:
    """Return settings of the heatmap of a noun phrase, by the name of what they add."""
    changes: dict[str, Mapping[str, Any]] = {
        'Grad-CAM': GRAD_CAM,
        'PWEM': {**GRAD_CAM, **PWEM},
        'PWEM + IGRS': {**PWEM, 'rounds': 3},
    }
    return {name: configured.model_copy(update=each) for name, each in changes.items()}


def heatmap_matches(
    parts: PartsFrame, objects: FrameObjects, settings: GroundingSettings
) -> Matches:
    """Return how well texts match objects by their heatmaps alone.

    The mean of the heatmap on an object, relative to the highest one, times the matching
    probability of the whole image.
    """
    expressions = parts.expressions
    groundings = ground(
        parts.model.matcher, parts.frame.matcher_embedding, list(expressions.values()), settings
    )
    matches = {}
    for text, grounding in zip(expressions, groundings, strict=True):
        means = _means(grounding.heatmap, objects.patches)
        relative = means / means.max() if means.any() else means
        matches[text] = relative * grounding.probability
    return matches


def without_constraints(command: ParsedCommand) -> ParsedCommand:
    """Return a command of which only what the object is remains."""
    bare = replace(command.phrase, superlatives=(), sides=(), relations=())
    return replace(command, phrase=bare)


def true_masks(sample: Sample) -> list[NDArray[np.bool_]]:
    """Return the masks of all objects that questions of a sample have as targets."""
    masks = {
        mask.tobytes(): mask for question in sample.questions for mask in instances_of(question)
    }
    return list(masks.values())


def with_true_masks(proposals: Proposals, masks: Sequence[NDArray[np.bool_]]) -> Proposals:
    """Return proposals in which true masks take the place of those that lie inside them.

    masks: (H, W) bool each, of the size of the proposals.
    """
    device = proposals.masks.device
    kept = torch.ones(len(proposals.masks), dtype=torch.bool, device=device)
    true = [torch.from_numpy(mask).to(device) for mask in masks if mask.any()]
    for each in true:
        shared = (proposals.masks & each).flatten(1).sum(1)
        smaller = proposals.masks.flatten(1).sum(1).clamp(max=int(each.sum()))
        kept &= shared <= _INSIDE * smaller
    return Proposals(
        torch.cat([proposals.masks[kept], *(each[None] for each in true)]),
        torch.cat([proposals.predicted_iou[kept], torch.ones(len(true), device=device)]),
    )


def _means(heatmap: Tensor, patches: Tensor) -> NDArray[np.float64]:
    """Return the means (K,) of a heatmap (rows, cols) on patches (K, N)."""
    weights = patches.double()
    sums = weights @ heatmap.double().flatten()
    return (sums / weights.sum(1).clamp(min=1)).cpu().numpy()


def _best_possible(parts: PartsFrame, proposals: Proposals) -> Iterator[Outcome]:
    """Yield the outcomes of choosing the object that overlaps most with a target."""
    masks = list(proposals.masks.cpu().numpy())
    for question in parts.sample.questions:
        if asked_of(question) is not Asked.ONE or question.target_mask is None:
            continue
        best = best_iou(masks, question.target_mask)[1]
        chosen = np.zeros(parts.frame.size, bool) if best is None else masks[best]
        yield compared(
            parts.sample.image_id, question, Status.FOUND, float('nan'), chosen, [chosen]
        )
