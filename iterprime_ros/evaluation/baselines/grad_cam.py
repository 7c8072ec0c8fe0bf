"""Grad-CAM alone: the heatmap of one round over the whole image, without emphasis."""

from iterprime_ros.evaluation.variants import GRAD_CAM, with_settings
from iterprime_ros.pipeline import IteRPrimE


def grad_cam(model: IteRPrimE) -> IteRPrimE:
    """Return a model without Primary Word Emphasis (PWEM) and refinement rounds (IGRS)."""
    return with_settings(model, GRAD_CAM)
