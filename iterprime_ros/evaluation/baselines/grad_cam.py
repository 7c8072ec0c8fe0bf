"""Grad-CAM alone: the heatmap of one round over the whole image, without emphasis."""

from iterprime_ros.evaluation.variants import GRAD_CAM, with_settings
from iterprime_ros.pipeline import IteRPrimE


def grad_cam(model: IteRPrimE) -> IteRPrimE:
    """Return a model that answers by one heatmap, without emphasis (PWEM) and refinement (IGRS).

    It rejects nothing, as thresholds of the model were chosen for its own way of answering.
    """
    answer = {'by': 'heatmap', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    return with_settings(model, GRAD_CAM, answer=answer)
