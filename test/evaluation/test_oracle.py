from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.outcomes import BASE
from iterprime_ros.evaluation.datasets.dataset import Question
from iterprime_ros.evaluation.oracle import with_oracle_iou
from iterprime_ros.evaluation.runner import AnsweredQuestion

IMAGE = np.zeros((20, 30, 3), np.uint8)
TARGET = np.zeros((20, 30), bool)
TARGET[4:9, 10:15] = True  # its middle is x 12, y 6


class HalvesAndWholes:
    """Proposes half of the target and the target with a row too many."""

    def proposals_at(self, _, points):
        assert points == [(12, 6)]
        half, more = TARGET.copy(), TARGET.copy()
        half[6:] = False
        more[9, 10:15] = True
        return SimpleNamespace(masks=torch.from_numpy(np.stack([half, more])))


def answered(target):
    question = Question('the mug', 'the mug', 'all', target)
    outcome = replace(BASE, has_target=target is not None)
    return AnsweredQuestion(IMAGE, question, None, outcome)


def test_the_oracle_chooses_the_proposal_that_overlaps_most():
    model = HalvesAndWholes()
    frame = SimpleNamespace(size=TARGET.shape)
    with_target, without = with_oracle_iou(model, frame, [answered(TARGET), answered(None)])
    assert with_target.outcome.oracle_iou == pytest.approx(25 / 30)
    assert np.isnan(without.outcome.oracle_iou)
