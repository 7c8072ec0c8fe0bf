"""What emphasis and refinement add to heatmaps, without any mask model.

The pointing game (Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016,
arXiv 1608.00507) counts heatmaps whose peak lies on the object. The energy-based pointing game
(Wang et al., "Score-CAM", CVPR Workshops 2020, arXiv 1910.01279) sums the heatmap on the object,
as a share of the whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answering.grounded_expression import whole_expression
from iterprime_ros.evaluation.ablation_parts import PartsFrame
from iterprime_ros.evaluation.metrics import Asked, bootstrap_mean
from iterprime_ros.evaluation.runner import asked_of
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import GroundingSettings

_PLAIN = {'local_emphasis': False, 'global_emphasis': False, 'rounds': 1}
_BOTH = {'local_emphasis': True, 'global_emphasis': True}


@dataclass(frozen=True)
class Pointed:
    """The heatmap of one question compared with its target.

    image_id: of the image.
    is_relational: whether the expression says more than what the object is.
    hit: whether the peak of the heatmap lies on the target.
    energy: share in [0, 1] of the heatmap that lies on the target.
    """

    image_id: str
    is_relational: bool
    hit: bool
    energy: float


def heatmap_variants(
    configured: GroundingSettings, last_block: int
) -> dict[str, GroundingSettings]:
    """Return settings of heatmaps by the name of what they add to Grad-CAM."""
    changes: dict[str, dict[str, Any]] = {
        'Grad-CAM, last block': {**_PLAIN, 'block': last_block},
        'Grad-CAM': _PLAIN,
        '+ PWEM, local': {**_PLAIN, 'local_emphasis': True},
        '+ PWEM, global': {**_PLAIN, 'global_emphasis': True},
        '+ PWEM, both': {**_PLAIN, **_BOTH},
        '+ IGRS, 3 rounds': {**_PLAIN, 'rounds': 3},
        '+ PWEM, both, + IGRS, 3 rounds': {**_BOTH, 'rounds': 3},
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
    variants = heatmap_variants(model.profile.grounding, model.matcher.fusion_blocks.stop - 1)
    for name, settings in variants.items():
        groundings = ground(model.matcher, frame.matcher_embedding, expressions, settings)
        pointed = []
        for (command, target), grounding in zip(asked, groundings, strict=True):
            heatmap = upsampled(grounding.heatmap, frame.size).cpu().numpy()
            hit, energy = on_target(heatmap, target)
            relational = command.phrase.has_constraints
            pointed.append(Pointed(parts.sample.image_id, relational, hit, energy))
        yield name, pointed


def on_target(heatmap: NDArray[np.float32], target: NDArray[np.bool_]) -> tuple[bool, float]:
    """Return whether the peak of a heatmap (H, W) lies on a target, and its share on it."""
    total = float(heatmap.sum(dtype=np.float64))
    energy = float(heatmap[target].sum(dtype=np.float64)) / total if total > 0 else 0.0
    return bool(target.flat[int(heatmap.argmax())]), energy


def heatmap_row(name: str, pointed: Sequence[Pointed]) -> dict[str, str]:
    """Return the row of one variant, over at least one question."""
    row = {'heatmap of the whole expression': name}
    for is_relational, kind in ((False, 'attributes alone'), (True, 'with place or relation')):
        some = [each for each in pointed if each.is_relational is is_relational]
        if some:
            ids = [each.image_id for each in some]
            row[f'{kind}: pointing game'] = str(bootstrap_mean([each.hit for each in some], ids))
            row[f'{kind}: energy'] = str(bootstrap_mean([each.energy for each in some], ids))
    return row
