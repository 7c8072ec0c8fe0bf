"""The questions: always the same, about scenes that no training uses, with exact masks."""

import numpy as np
import pytest

from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError, Question, Sample
from iterprime_ros.evaluation.datasets.tabletop import HEIGHT, SPLITS, WIDTH, load_tabletop
from iterprime_ros.evaluation.registry import DATASETS, load_dataset
from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import CALIBRATION, FRESH, HELD_OUT, TRAINING

WORLDS = {
    'tabletop': World.PLAIN,
    'tabletop-clutter': World.CLUTTER,
    'tabletop-stacked': World.STACKED,
    'tabletop-unseen': World.UNSEEN,
}


@pytest.fixture(scope='module')
def renderer():
    with Renderer(WIDTH, HEIGHT) as renderer:
        yield renderer


@pytest.fixture(scope='module')
def samples_of():
    return {name: list(load_dataset(name, 'held-out', 4)) for name in WORLDS}


def test_every_world_is_a_data_set():
    assert set(WORLDS) <= set(DATASETS)
    assert set(WORLDS.values()) == set(World)
    for name, world in WORLDS.items():
        assert load_dataset(name, limit=1).world is world


def test_questions_are_the_same_every_time(samples_of):
    again = list(load_tabletop('held-out', 2))
    for one, two in zip(samples_of['tabletop'], again, strict=False):
        np.testing.assert_array_equal(one.image, two.image)
        assert [q.command for q in one.questions] == [q.command for q in two.questions]


@pytest.mark.parametrize('name', WORLDS)
def test_images_come_with_their_depth_and_calibration(samples_of, renderer, name):
    for seed, sample in enumerate(samples_of[name], HELD_OUT.start):
        picture = renderer.render(sample_scene(seed, WORLDS[name]))
        assert sample.image_id.endswith(str(seed))
        np.testing.assert_array_equal(sample.image, picture.rgb)
        np.testing.assert_array_equal(sample.depth, picture.depth)
        assert sample.pinhole == picture.pinhole


@pytest.mark.parametrize('name', WORLDS)
def test_targets_are_visible_objects_as_many_as_the_group_says(samples_of, renderer, name):
    groups = set()
    for seed, sample in enumerate(samples_of[name], HELD_OUT.start):
        ids = renderer.render(sample_scene(seed, WORLDS[name])).ids
        own = [question.group for question in sample.questions]
        assert len(set(own)) == len(own)
        groups.update(own)
        for question in sample.questions:
            assert question.expression in question.command
            mask, masks = question.target_mask, question.target_masks
            if question.group == Stratum.ABSENT.value:
                assert mask is None
                assert question.expected_status is Status.NOT_FOUND
                assert 'kind' not in question.tags
                continue
            assert mask.mean() > 0.003
            objects = set(np.unique(ids[mask]).tolist())
            status = {
                Stratum.AMBIGUOUS.value: Status.AMBIGUOUS,
                Stratum.PLURAL.value: Status.FOUND_SEVERAL,
            }.get(question.group, Status.FOUND)
            assert question.expected_status is status
            assert question.is_ambiguous == (status is Status.AMBIGUOUS)
            if status is not Status.FOUND:
                assert len(masks) == len(objects) > 1
                assert [set(np.unique(ids[each]).tolist()) for each in masks] == [
                    {number} for number in sorted(objects)
                ]
                np.testing.assert_array_equal(np.any(masks, axis=0), mask)
            else:
                assert len(objects) == 1
                assert masks == ()
    expected = {stratum.value for stratum in Stratum}
    if WORLDS[name] is not World.STACKED:
        expected -= {Stratum.SUPPORT.value}
    assert groups == expected


def test_no_split_has_a_scene_of_the_training():
    assert SPLITS == {'test': FRESH, 'held-out': HELD_OUT, 'calibration': CALIBRATION}
    for seeds in SPLITS.values():
        assert not set(seeds) & set(TRAINING)
    assert len(FRESH) >= 600


def test_it_has_600_fresh_scenes_by_default():
    dataset = load_tabletop()
    assert (dataset.split, len(dataset)) == ('test', 600)
    assert dataset.provenance == 'scenes 4000000 to 4000599 of the plain world'
    assert len(load_tabletop('calibration')) == 600


@pytest.mark.parametrize('count', [0, 1001])
def test_more_scenes_than_there_are_are_rejected(count):
    with pytest.raises(InvalidSettingError, match='held-out split of the tabletop has 1000'):
        load_tabletop('held-out', count)


IMAGE = np.zeros((4, 6, 3), np.uint8)
MASK = np.zeros((4, 6), bool)


@pytest.mark.parametrize('masks', [(MASK[:3],), (MASK, MASK.astype(np.uint8))])
def test_target_masks_that_do_not_fit_are_rejected(masks):
    question = Question('all the mugs', 'all the mugs', 'plural', MASK, target_masks=masks)
    with pytest.raises(InvalidDatasetError, match='target mask of "all the mugs" must be bool'):
        Sample('1', IMAGE, (question,))


@pytest.mark.parametrize('depth', [np.zeros((4, 6)), np.zeros((4, 5), np.float32)])
def test_a_depth_that_does_not_fit_is_rejected(depth):
    with pytest.raises(InvalidDatasetError, match='depth must be float32'):
        Sample('1', IMAGE, (), depth)
