"""What a question asks for, and answers compared with it."""

import numpy as np
import pytest

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.datasets.dataset import Question, Sample
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.evaluation.runner import asked_of, compared, embed_sample, instances_of

ONE, OTHER = np.zeros((2, 4, 6), bool)
ONE[:, :2] = OTHER[:, 4:] = True
BOTH = ONE | OTHER


def question(mask=None, masks=(), is_ambiguous=False):
    return Question('the mug', 'the mug', 'all', mask, {}, masks, is_ambiguous)


@pytest.mark.parametrize(
    ('asked', 'it'),
    [
        (Asked.NOTHING, question()),
        (Asked.ONE, question(ONE)),
        (Asked.ONE, question(ONE, (ONE,))),
        (Asked.SEVERAL, question(BOTH, (ONE, OTHER))),
        (Asked.UNCLEAR, question(BOTH, (ONE, OTHER), True)),
    ],
)
def test_what_a_question_asks_for_follows_from_what_it_fits(asked, it):
    assert asked_of(it) is asked
    assert len(instances_of(it)) == {Asked.NOTHING: 0, Asked.ONE: 1}.get(asked, 2)


def test_all_instances_are_compared_one_by_one():
    both = question(BOTH, (ONE, OTHER))
    outcome = compared('0', both, Status.FOUND_SEVERAL, 0.9, BOTH, [OTHER, ONE])
    assert (outcome.iou, outcome.is_complete) == (1, True)
    outcome = compared('0', both, Status.FOUND_SEVERAL, 0.9, BOTH, [BOTH])
    assert (outcome.iou, outcome.is_complete) == (1, False)


def test_the_mask_of_an_ambiguous_answer_counts_where_one_object_is_meant():
    outcome = compared('0', question(ONE), Status.AMBIGUOUS, 0.9, ONE, [ONE])
    assert (outcome.iou, outcome.is_ambiguous, outcome.is_rejected) == (1, True, False)


def test_of_an_unclear_question_no_mask_is_right():
    unclear = question(BOTH, (ONE, OTHER), True)
    outcome = compared('0', unclear, Status.FOUND, 0.9, ONE, [ONE])
    assert (outcome.union, outcome.has_target, outcome.is_complete) == (0, False, False)


class Recorder:
    def embed(self, *given):
        return given


def test_depth_and_calibration_are_given_unless_they_are_withheld():
    image, depth, pinhole = np.zeros((4, 6, 3), np.uint8), np.ones((4, 6), np.float32), object()
    sample = Sample('0', image, (), depth, pinhole)
    given = embed_sample(Recorder(), sample)
    assert given[1] is depth
    assert given[2] is pinhole
    assert len(embed_sample(Recorder(), sample, image_only=True)) == 1
