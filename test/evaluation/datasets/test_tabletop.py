"""The questions: always the same, about scenes that no training uses, with exact masks."""

import numpy as np
import pytest

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.tabletop import HEIGHT, SPLITS, WIDTH, load_tabletop
from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, HELD_OUT, TRAINING


@pytest.fixture(scope='module')
def samples():
    return list(load_tabletop('held-out', 6))


def test_questions_are_the_same_every_time(samples):
    again = list(load_tabletop('held-out', 2))
    for one, two in zip(samples, again, strict=False):
        np.testing.assert_array_equal(one.image, two.image)
        assert [q.command for q in one.questions] == [q.command for q in two.questions]


def test_a_target_is_one_visible_object_or_nothing(samples):
    with Renderer(WIDTH, HEIGHT) as renderer:
        for sample in samples:
            assert sample.image.shape == (480, 640, 3)
            ids = renderer.render(sample_scene(int(sample.image_id))).ids
            groups = [question.group for question in sample.questions]
            assert len(set(groups)) == len(groups)
            for question in sample.questions:
                assert question.expression in question.command
                if question.group == Stratum.ABSENT.value:
                    assert question.target_mask is None
                    assert 'kind' not in question.tags
                else:
                    assert len(np.unique(ids[question.target_mask])) == 1
                    assert question.target_mask.mean() > 0.003


def test_no_split_has_a_scene_of_the_training():
    assert SPLITS == {'held-out': HELD_OUT, 'calibration': CALIBRATION}
    for seeds in SPLITS.values():
        assert not set(seeds) & set(TRAINING)
    assert len(HELD_OUT) >= 600


def test_it_has_600_held_out_scenes_by_default():
    dataset = load_tabletop()
    assert (dataset.split, len(dataset)) == ('held-out', 600)
    assert dataset.provenance == 'scenes 3000000 to 3000599'
    assert len(load_tabletop('calibration')) == 600


@pytest.mark.parametrize('count', [0, 1001])
def test_more_scenes_than_there_are_are_rejected(count):
    with pytest.raises(InvalidSettingError, match='held-out split of the tabletop has 1000'):
        load_tabletop('held-out', count)
