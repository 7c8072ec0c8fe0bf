"""Grad-CAM alone: the heatmap of one round over the whole image, without emphasis."""

from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.pipeline import IteRPrimE


def grad_cam(model: IteRPrimE) -> IteRPrimE:
    """Return a model without Primary Word Emphasis (PWEM) and refinement rounds (IGRS)."""
    return with_settings(model, {'local_emphasis': False, 'global_emphasis': False, 'rounds': 1})
