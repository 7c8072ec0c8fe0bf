"""EdgeTAM of transformers, without timm."""

from typing import Any

from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

from iterprime_ros.tracking.repvit import RepVitConfig

_TIMM = 'timm_wrapper'
_ARCHITECTURE = 'repvit_m1'


class EdgeTamConfig(EdgeTamVideoConfig):
    """The configuration of an EdgeTAM whose image encoder needs no timm."""

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> 'EdgeTamConfig':
        """Return the configuration in the content of a config.json.

        Raises ValueError for an image encoder of timm that is not the one of EdgeTAM.
        """
        vision = config_dict.get('vision_config') or {}
        backbone = vision.get('backbone_config') or {}
        if backbone.get('model_type') == _TIMM:
            vision = vision | {'backbone_config': _without_timm(backbone)}
            config_dict = config_dict | {'vision_config': vision}
        config: EdgeTamConfig = super().from_dict(config_dict, **kwargs)
        return config


class EdgeTam(EdgeTamVideoModel):
    """An EdgeTamVideoModel with the configuration above."""

    config: EdgeTamConfig
    config_class = EdgeTamConfig


def _without_timm(backbone: dict[str, Any]) -> RepVitConfig:
    if backbone.get('architecture') != _ARCHITECTURE:
        raise ValueError(
            f'its image encoder is {backbone.get("architecture")}, and {_ARCHITECTURE} is supported'
        )
    sizes = backbone.get('model_args') or {}
    return RepVitConfig(**{name: sizes[name] for name in ('embed_dim', 'depth') if name in sizes})
