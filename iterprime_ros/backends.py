"""Which matchers and mask proposers there are, by the `kind` that a profile names.

A new one is a file with a loader and a line here; docs/extending.md says how. Modules are imported
when they are asked for.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from iterprime_ros.errors import InvalidSettingError

if TYPE_CHECKING:
    from iterprime_ros.grounding.matcher import Matcher
    from iterprime_ros.masks.proposer import MaskProposer
    from iterprime_ros.weights import Placement

# module:function, called as load(weights, tokenizer, placement).
MATCHERS: Mapping[str, str] = {
    'blip': 'iterprime_ros.grounding.blip:load_blip',
    'albef': 'iterprime_ros.grounding.albef:load_albef',
    'lavis': 'iterprime_ros.grounding.lavis:load_lavis',
}

# module:function, called as load(weights, placement).
PROPOSERS: Mapping[str, str] = {
    'sam': 'iterprime_ros.masks.sam:load_sam',
    'segment_anything': 'iterprime_ros.masks.segment_anything:load_segment_anything',
    'mask2former': 'iterprime_ros.masks.mask2former:load_mask2former',
    'sam3': 'iterprime_ros.masks.sam3:load_sam3',
    'regions': 'iterprime_ros.masks.regions:load_regions',
}

# module:function, called as load(proposer, weights, placement).
PROPAGATORS: Mapping[str, str] = {
    'flow': 'iterprime_ros.tracking.flow:load_flow',
    'edgetam': 'iterprime_ros.tracking.sam2_video:load_edgetam',
    'sam2_video': 'iterprime_ros.tracking.sam2_video:load_sam2_video',
}


def load_matcher(
    kind: str, weights: str, tokenizer: str | None, placement: 'Placement'
) -> 'Matcher':
    """Return a matcher.

    kind: a key of MATCHERS.
    weights: a local folder or file, or an id on the hub.
    tokenizer: the same of the tokenizer; None for the one that belongs to the weights.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    matcher: Matcher = _loader(MATCHERS, kind)(weights, tokenizer, placement)
    return matcher


def load_proposer(kind: str, weights: str | None, placement: 'Placement') -> 'MaskProposer':
    """Return a mask proposer.

    kind: a key of PROPOSERS.
    weights: a local folder or file, or an id on the hub; None for a proposer without weights.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    proposer: MaskProposer = _loader(PROPOSERS, kind)(weights, placement)
    return proposer


def load_propagator(
    kind: str, proposer: 'MaskProposer', weights: str | None, placement: 'Placement'
) -> Any:
    """Return a tracking.propagation.Propagator.

    kind: a key of PROPAGATORS.
    proposer: the mask proposer that it may ask.
    weights: a local folder or file, or an id on the hub; None for a propagator without weights.

    Raises InvalidSettingError, WeightsNotFoundError and WeightsMismatchError.
    """
    return _loader(PROPAGATORS, kind)(proposer, weights, placement)


def _loader(registry: Mapping[str, str], kind: str) -> Any:
    if kind not in registry:
        raise InvalidSettingError(
            f'There is no backend of kind "{kind}": name one of {", ".join(registry)}.'
        )
    return resolve_name(registry[kind])
