from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.outcomes import BASE
from iterprime_ros.answer import Candidate
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.evaluation.oracle import best_iou, reduced_sample, with_oracle_iou
from iterprime_ros.evaluation.runner import AnsweredQuestion

IMAGE = np.zeros((20, 30, 3), np.uint8)
TARGET = np.zeros((20, 30), bool)
TARGET[4:9, 10:15] = True  # its middle is x 12, y 6
HALF, MORE = TARGET.copy(), TARGET.copy()
HALF[6:] = False
MORE[9, 10:15] = True


class HalvesAndWholes:
    """Proposes half of the target and the target with a row too many."""

    def proposals_at(self, _, points):
        assert points == [(12, 6)]
        return SimpleNamespace(masks=torch.from_numpy(np.stack([HALF, MORE])))


def answered(target, masks=None):
    question = Question('the mug', 'the mug', 'all', target)
    asked = Asked.NOTHING if target is None else Asked.ONE
    candidates = tuple(Candidate(mask, 0, 0, 0) for mask in masks or ())
    answer = SimpleNamespace(parts=masks and object(), candidates=candidates)
    return AnsweredQuestion(IMAGE, question, answer, replace(BASE, asked=asked))


def test_the_oracle_chooses_the_proposal_that_overlaps_most():
    model = HalvesAndWholes()
    frame = SimpleNamespace(size=TARGET.shape)
    with_target, without = with_oracle_iou(model, frame, [answered(TARGET), answered(None)])
    assert with_target.outcome.oracle_iou == pytest.approx(25 / 30)
    assert np.isnan(without.outcome.oracle_iou)


def test_the_oracle_of_an_answer_by_parts_chooses_among_its_candidates():
    found = with_oracle_iou(None, None, [answered(TARGET, [HALF, ~TARGET])])
    assert next(found).outcome.oracle_iou == pytest.approx(10 / 25)


def test_the_best_iou_is_that_of_one_of_the_masks():
    assert best_iou([HALF, MORE], TARGET) == (pytest.approx(25 / 30), 1)
    assert best_iou([], TARGET) == (0.0, None)


def test_a_reduced_sample_has_masks_of_the_other_size():
    sample = Sample('0', IMAGE, (answered(TARGET).question, answered(None).question))
    assert reduced_sample(sample, (20, 30)) is sample
    target, nothing = reduced_sample(sample, (10, 15)).questions
    np.testing.assert_array_equal(target.target_mask, TARGET[1::2, 1::2])
    assert nothing.target_mask is None
