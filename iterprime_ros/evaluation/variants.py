"""A model with other settings and the same weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from iterprime_ros.pipeline import IteRPrimE

# Fields of GroundingSettings: without emphasis and refinement, and with both emphases.
GRAD_CAM: Mapping[str, Any] = MappingProxyType(
    {'local_emphasis': False, 'global_emphasis': False, 'rounds': 1}
)
PWEM: Mapping[str, Any] = MappingProxyType({'local_emphasis': True, 'global_emphasis': True})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def with_settings(
    model: IteRPrimE,
    grounding: Mapping[str, Any] = _NOTHING,
    answer: Mapping[str, Any] = _NOTHING,
    regions: Mapping[str, Any] = _NOTHING,
    objects: Mapping[str, Any] = _NOTHING,
) -> IteRPrimE:
    """Return a model that shares the weights and differs in some settings.

    grounding: fields of GroundingSettings that change, with their values.
    answer: fields of AnswerSettings that change, with their values.
    regions: fields of RegionMatchSettings that change, with their values.
    objects: fields of ObjectSettings that change, with their values.
    """
    settings = model.profile
    changed = {
        'grounding': settings.grounding.model_copy(update=grounding),
        'answer': settings.answer.model_copy(update=answer),
        'regions': settings.regions.model_copy(update=regions),
        'objects': settings.objects.model_copy(update=objects),
    }
    return model.with_profile(settings.model_copy(update=changed))
