"""Which of the hypotheses of a speech recogniser was said: one that is true of the scene."""

from collections.abc import Sequence
from dataclasses import dataclass

from iterprime_ros.answer import Segmentation
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.speech.recognizer import Hypothesis


@dataclass(frozen=True)
class GroundedHypothesis:
    """A hypothesis and its answer.

    hypothesis: what may have been said.
    segmentation: the answer to it.
    chance: that it was said and meant, given the sound and the scene, in [0, 1]; the chances of all
        hypotheses of an utterance sum to 1.
    """

    hypothesis: Hypothesis
    segmentation: Segmentation
    chance: float


@dataclass(frozen=True)
class SpokenAnswer:
    """The answer to an utterance.

    hypothesis: what was understood.
    segmentation: the answer to it. Where another hypothesis is about as likely and means another
        object, its status is AMBIGUOUS, its text names both hypotheses and the other object is its
        second candidate.
    alternatives: the other hypotheses, best first.
    """

    hypothesis: Hypothesis
    segmentation: Segmentation
    alternatives: tuple[GroundedHypothesis, ...]


def ground_spoken(model: IteRPrimE, frame: Frame, hypotheses: Sequence[Hypothesis]) -> SpokenAnswer:
    """Answer the hypothesis that is both likely to have been said and true of the scene.

    frame: what model.embed returned.
    hypotheses: best first, at least one.

    Raises ValueError without a hypothesis.
    """
    if not hypotheses:
        raise ValueError('Without a hypothesis there is nothing to answer.')
    answer = model.segment(frame, hypotheses[0].text)
    return SpokenAnswer(hypotheses[0], answer, ())
