"""Grad-CAM alone: the heatmap of one round over the whole image, without emphasis."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation
from iterprime_ros.evaluation.variants import GRAD_CAM, with_settings
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.weights import Placement


class GradCamBaseline:
    """Answers by one heatmap of a model, without emphasis (PWEM) and refinement (IGRS).

    It rejects nothing, as thresholds of the model were chosen for its own way of answering.
    """

    def __init__(self, model: IteRPrimE) -> None:
        answer = {'by': 'heatmap', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}
        self.model = with_settings(model, GRAD_CAM, answer=answer)

    def embed(self, _image: NDArray[np.uint8], frame: Frame) -> Frame:
        """Return the frame of the model, whose encoders are the same."""
        return frame

    def segment_many(self, frame: Frame, commands: Sequence[str]) -> list[Segmentation]:
        """Return one answer for each command, in order."""
        return self.model.segment_many(frame, commands)


def load_grad_cam(model: IteRPrimE, _dataset: str, _placement: Placement) -> GradCamBaseline:
    """Return the baseline of a model."""
    return GradCamBaseline(model)
