"""The questions: the same always, of scenes that no training sees, with true answers."""

import numpy as np
import pytest

from iterprime_ros.evaluation.datasets.tabletop import SPLITS, questioned_scenes
from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.seeds import CALIBRATION, HELD_OUT, TRAINING


@pytest.fixture(scope='module')
def scenes():
    return list(questioned_scenes('held-out', 6))


def test_questions_are_the_same_every_time(scenes):
    again = list(questioned_scenes('held-out', 2))
    for one, two in zip(scenes, again, strict=False):
        np.testing.assert_array_equal(one.rgb, two.rgb)
        assert [q.command for q in one.questions] == [q.command for q in two.questions]


def test_truth_is_one_object_that_can_be_seen_or_nothing(scenes):
    for scene in scenes:
        assert scene.rgb.shape == (480, 640, 3)
        strata = [question.stratum for question in scene.questions]
        assert len(set(strata)) == len(strata)
        for question in scene.questions:
            assert question.wording in question.command
            if question.stratum is Stratum.ABSENT:
                assert question.truth is None
                assert question.kind is None
            else:
                assert len(np.unique(scene.ids[question.truth])) == 1
                assert question.truth.mean() > 0.003


def test_no_split_has_a_scene_of_the_training():
    assert SPLITS == {'held-out': HELD_OUT, 'calibration': CALIBRATION}
    for seeds in SPLITS.values():
        assert not set(seeds) & set(TRAINING)
    assert len(HELD_OUT) >= 600


@pytest.mark.parametrize('count', [0, 1001])
def test_more_scenes_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match='held-out scenes are 1000'):
        next(questioned_scenes('held-out', count))
