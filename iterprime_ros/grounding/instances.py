"""Every instance of a noun phrase: hide what was found, ground again, until nothing matches.

Iterative Grad-CAM Refinement (Wang et al., "IteRPrimE", AAAI 2025, arXiv 2503.00936) hides the
patches that stand out so that the next round sees the rest of one object. Here a whole object is
hidden, so that the next round sees another one; no grid of prompts is needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.grounding.alignment import Expression, expression_offsets, token_roles
from iterprime_ros.grounding.emphasis import emphasised_map
from iterprime_ros.grounding.heatmap import scaled
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.region_match import region_patches
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.weights import check_finite

# Called with a heatmap (rows, cols) float32 in [0, 1] over the patches; returns the mask (H, W)
# bool of the object that it shows, or None where there is none.
MaskAt = Callable[[Tensor], Tensor | None]

_SAME_OBJECT = 0.5  # of the smaller mask; two that share as much are one object


@dataclass(frozen=True, eq=False)
class Instance:
    """One object that a noun phrase describes.

    mask: (H, W) bool.
    probability: the matching probability, in [0, 1], of what could be seen when it was found.
    """

    mask: Tensor
    probability: float


def instances(
    matcher: Matcher,
    image: Any,
    phrase: Expression,
    mask_at: MaskAt,
    settings: GroundingSettings,
    threshold: float,
    limit: int = 12,
    patch_share: float = 0.1,
) -> list[Instance]:
    """Return the objects that a noun phrase describes, in the order in which they were found.

    image: what matcher.encode_image returned.
    settings: its prompt, block and emphasis are used; each round is one grounding.
    threshold: the search ends when the matching probability of what is not hidden falls below it.
    limit: most rounds.
    patch_share: a patch is hidden with a mask that covers more than this share of it.

    The patch of a round's peak is hidden too, so that every round sees less, also where no mask is
    found. A mask of an object
    that was found before is left out.

    Raises WeightsMismatchError where the matcher gives numbers that are not finite.
    """
    text = matcher.encode_text([settings.prompt.format(expression=phrase.text)])
    start = settings.prompt.index('{expression}')
    offsets = expression_offsets(text.offsets[0], start, len(phrase.text))
    roles = token_roles(text.real, [offsets], [phrase])
    rows, columns = matcher.grid
    keep = torch.ones(1, rows * columns, dtype=torch.bool, device=text.real.device)
    found: list[Instance] = []
    for _ in range(limit):
        seen = matcher.attend(image, text, keep, settings.block)
        heatmap = emphasised_map(
            seen.attention,
            seen.gradient,
            roles,
            settings.local_emphasis,
            settings.global_emphasis,
        )
        check_finite('The matcher', seen.probability, heatmap)
        probability = float(seen.probability[0])
        heatmap = scaled(heatmap.masked_fill(~keep, 0))
        if probability < threshold or not bool(heatmap.any()):
            break
        mask = mask_at(heatmap[0].view(rows, columns))
        keep = keep.clone()
        keep[0, heatmap[0].argmax()] = False
        if mask is None:
            continue
        if not any(_is_same(mask, instance.mask) for instance in found):
            found.append(Instance(mask, probability))
        keep &= ~region_patches(mask[None], matcher.grid, patch_share)
    return found


def _is_same(mask: Tensor, other: Tensor) -> bool:
    smaller = min(int(mask.sum()), int(other.sum()))
    return int((mask & other).sum()) >= _SAME_OBJECT * max(1, smaller)
