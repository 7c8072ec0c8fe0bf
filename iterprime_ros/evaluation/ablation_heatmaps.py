"""What emphasis and refinement add to heatmaps, without any mask model.

The pointing game (Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016,
arXiv 1608.00507) counts heatmaps whose peak lies on the object. The energy-based pointing game
(Wang et al., "Score-CAM", CVPR Workshops 2020, arXiv 1910.01279) sums the heatmap on the object,
as a share of the whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.answering.grounded_expression import whole_expression
from iterprime_ros.evaluation.ablation_parts import PartsFrame
from iterprime_ros.evaluation.metrics import Asked, bootstrap_mean
from iterprime_ros.evaluation.runner import asked_of
from iterprime_ros.evaluation.variants import GRAD_CAM, PWEM
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.region_match import region_patches
from iterprime_ros.grounding.settings import GroundingSettings

REFERENCE = 'Grad-CAM'


@dataclass(frozen=True)
class Pointed:
    """The heatmap of one question compared with its target.

    image_id: of the image.
    is_plain: whether the expression says no more than what the object is.
    hit: whether the peak of the heatmap lies on a patch of the target.
    energy: share in [0, 1] of the heatmap that lies on patches of the target.
    """

    image_id: str
    is_plain: bool
    hit: bool
    energy: float


def heatmap_variants(
    configured: GroundingSettings, last_block: int
) -> dict[str, GroundingSettings]:
    """Return settings of heatmaps by the name of what they add to Grad-CAM."""
    changes: dict[str, Mapping[str, Any]] = {
        'Grad-CAM, last block': {**GRAD_CAM, 'block': last_block},
        REFERENCE: GRAD_CAM,
        '+ PWEM, local': {**GRAD_CAM, 'local_emphasis': True},
        '+ PWEM, global': {**GRAD_CAM, 'global_emphasis': True},
        '+ PWEM, both': {**GRAD_CAM, **PWEM},
        '+ IGRS, 3 rounds': {**GRAD_CAM, 'rounds': 3},
        '+ PWEM, both, + IGRS, 3 rounds': {**PWEM, 'rounds': 3},
    }
    return {name: configured.model_copy(update=each) for name, each in changes.items()}


def pointed_heatmaps(parts: PartsFrame) -> Iterator[tuple[str, list[Pointed]]]:
    """Yield the name of every variant, and its heatmaps of the questions for one object."""
    model, frame = parts.model, parts.frame
    asked = [
        (command, question.target_mask)
        for command, question in zip(parts.commands, parts.sample.questions, strict=True)
        if command and question.target_mask is not None and asked_of(question) is Asked.ONE
    ]
    if not asked:
        return
    expressions = [whole_expression(command) for command, _ in asked]
    share = model.profile.regions.patch_share
    variants = heatmap_variants(model.profile.grounding, model.matcher.fusion_blocks.stop - 1)
    for name, settings in variants.items():
        groundings = ground(model.matcher, frame.matcher_embedding, expressions, settings)
        pointed = []
        for (command, target), grounding in zip(asked, groundings, strict=True):
            hit, energy = on_target(grounding.heatmap, torch.from_numpy(target), share)
            is_plain = not (command.phrase.has_constraints or command.phrase.excluded)
            pointed.append(Pointed(parts.sample.image_id, is_plain, hit, energy))
        yield name, pointed


def on_target(heatmap: Tensor, target: Tensor, patch_share: float) -> tuple[bool, float]:
    """Return whether the peak of a heatmap lies on a target, and the share of it that does.

    heatmap: (rows, cols) float32 >= 0 over the patches.
    target: (H, W) bool.
    patch_share: least share of a patch that the target covers where the patch belongs to it.
    """
    values = heatmap.double().flatten().cpu()
    grid = (heatmap.shape[0], heatmap.shape[1])
    patches = region_patches(target[None], grid, patch_share)[0].cpu()
    total = float(values.sum())
    energy = float(values[patches].sum()) / total if total > 0 else 0.0
    return bool(patches[values.argmax()]), energy


def heatmap_row(
    name: str, pointed: Sequence[Pointed], reference: Sequence[Pointed]
) -> dict[str, str]:
    """Return the row of one variant, over at least one question.

    reference: of the same questions, by the variant from which the gain of the others is measured.
    """
    row = {'heatmap of the whole expression': name}
    for is_plain, kind in ((True, 'attributes'), (False, 'place, relation, negation')):
        pairs = [
            pair for pair in zip(pointed, reference, strict=True) if pair[0].is_plain is is_plain
        ]
        if pairs:
            ids = [each.image_id for each, _ in pairs]
            hits, energies = ([each.hit for each, _ in pairs], [each.energy for each, _ in pairs])
            gains = [each.energy - other.energy for each, other in pairs]
            row[f'{kind}: pointing game'] = str(bootstrap_mean(hits, ids))
            row[f'{kind}: energy'] = str(bootstrap_mean(energies, ids))
            row[f'{kind}: gain of energy'] = str(bootstrap_mean(gains, ids))
    return row
