"""Pairs of objects and noun phrases from the simulator, and what is fitted to them."""

import numpy as np
import pytest
from scipy.special import expit

from iterprime_ros.evaluation.calibrate_regions import (
    RegionPairs,
    described_objects,
    fit_regions,
    joined,
)
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of


@pytest.fixture(scope='module')
def picture():
    with Renderer(160, 120) as renderer:
        return renderer.render(sample_scene(2_000_003))


def pairs(seed=0, count=5000):
    rng = np.random.default_rng(seed)
    only, contrast = rng.normal(0, 4, count), rng.normal(0, 4, count)
    return RegionPairs(only, contrast, rng.random(count) < expit(0.6 * only + 0.3 * contrast - 1))


def test_a_mask_is_of_the_object_that_it_covers(picture):
    objects = view_of(picture).objects
    masks = [picture.ids == item.id for item in objects]
    cut = masks[0] & (np.cumsum(masks[0]).reshape(masks[0].shape) < 0.4 * masks[0].sum())
    background = picture.ids == 0
    found = described_objects(np.stack([*masks, cut, background]), picture)
    assert found == [*objects, None, None]


def test_every_mask_and_object_is_compared_by_iou(picture):
    rng = np.random.default_rng(0)
    masks = np.stack(
        [(picture.ids == 1 + k % 3) ^ (rng.random(picture.ids.shape) < 0.03) for k in range(9)]
    )
    objects = view_of(picture).objects
    for mask, found in zip(masks, described_objects(masks, picture), strict=True):
        fitting = [
            item
            for item in objects
            if (mask & (picture.ids == item.id)).sum()
            > 0.5 * (mask | (picture.ids == item.id)).sum()
        ]
        assert [found] == fitting or (found is None and not fitting)


def test_the_fit_finds_the_weights_again():
    fit = fit_regions(pairs(), 0.2, with_contrast=True)
    chosen = fit.settings
    found = [chosen.only, chosen.contrast, chosen.bias]
    assert found == pytest.approx([0.6, 0.3, -1], abs=0.15)
    assert chosen.patch_share == 0.2
    assert fit.calibration_error < 0.03


def test_contrast_has_a_weight_only_where_it_is_asked_for():
    alone, both = (fit_regions(pairs(), 0.1, with_contrast) for with_contrast in (False, True))
    assert alone.settings.contrast == 0
    assert both.log_loss < alone.log_loss
    assert both.accuracy > alone.accuracy
    assert 'contrast 0.000' in str(alone)


def test_joined_pairs_are_in_order():
    both = joined([pairs(0, 3), pairs(1, 4)])
    np.testing.assert_array_equal(both.only, [*pairs(0, 3).only, *pairs(1, 4).only])
    np.testing.assert_array_equal(both.truths, [*pairs(0, 3).truths, *pairs(1, 4).truths])
    assert len(joined([]).truths) == 0


def test_no_pair_at_all_is_an_error():
    with pytest.raises(InvalidDatasetError, match='No object was found'):
        fit_regions(joined([]), 0.1, with_contrast=False)
