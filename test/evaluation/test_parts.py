"""What is computed apart from the pipeline is what the pipeline answers; with shipped models."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from iterprime_ros.evaluation.ablation_parts import (
    FULL,
    heatmap_matches,
    heatmap_settings,
    parts_frame,
    parts_outcomes,
    true_masks,
    with_contrast,
    with_true_masks,
    without_constraints,
    without_contrast,
)
from iterprime_ros.evaluation.calibrate_regions import PATCH_SHARES, region_pairs
from iterprime_ros.evaluation.datasets.dataset import Question
from iterprime_ros.evaluation.datasets.tabletop import HEIGHT, WIDTH, load_tabletop
from iterprime_ros.evaluation.decisions import decided, judge
from iterprime_ros.evaluation.frame_objects import objects_in
from iterprime_ros.evaluation.runner import answer_sample, embed_sample
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.grounding.settings import RegionMatchSettings
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

torch.set_num_threads(1)  # two are slower where anything else runs
NO_THRESHOLDS = {'by': 'parts', 'match_threshold': 0.0, 'ambiguity_margin': 0.0}


@pytest.fixture(scope='module')
def model():
    return with_settings(IteRPrimE.from_profile('tabletop'), answer=NO_THRESHOLDS)


@pytest.fixture(scope='module')
def samples(model):
    """A scene, with a command that cannot be used among its questions."""
    (sample,) = load_tabletop('calibration', 1)
    unusable = Question('', '', 'unusable', None)
    sample = replace(sample, questions=(*sample.questions, unusable))
    return [(sample, embed_sample(model, sample))]


def as_counted(outcome):
    """Return what an outcome counts as; NaN equals itself."""
    return {
        **vars(outcome),
        'match_probability': pytest.approx(outcome.match_probability, abs=1e-6, nan_ok=True),
        'oracle_iou': None,
    }


def test_any_thresholds_decide_as_the_pipeline_does(model, samples):
    judged = judge(model, samples)
    for threshold, margin in product((0.0, 0.6), (0.0, 0.7)):
        settings = {'by': 'parts', 'match_threshold': threshold, 'ambiguity_margin': margin}
        deciding = with_settings(model, answer=settings)
        answered = [each for pair in samples for each in answer_sample(deciding, *pair)]
        for each, one in zip(judged, answered, strict=True):
            assert as_counted(decided(each, threshold, margin)) == as_counted(one.outcome)


def test_the_full_row_is_what_the_pipeline_answers(model, samples):
    for sample, frame in samples:
        parts = parts_frame(model, sample, frame)
        rows = dict(parts_outcomes(parts, objects_in(model, frame)))
        answered = answer_sample(model, sample, frame)
        for one, other in zip(rows[FULL], answered, strict=True):
            if one.status != 'not found':  # else the pipeline looks at masks at peaks, too
                assert as_counted(one) == as_counted(other.outcome)
        assert rows['parts: the best of all objects'] != []
        assert len(rows) == 13


def test_without_constraints_only_the_text_remains(model):
    command = model.parser.parse('take the leftmost red mug behind the plate')
    bare = without_constraints(command).phrase
    assert command.phrase.has_constraints
    assert not bare.has_constraints
    assert bare.text == command.phrase.text


def test_the_weights_of_a_match_keep_their_sum():
    settings = RegionMatchSettings(only=0.6, contrast=0.2)
    assert with_contrast(settings) is settings
    alone = without_contrast(settings)
    assert (alone.only, alone.contrast) == (pytest.approx(0.8), 0)
    split = with_contrast(alone)
    assert (split.only, split.contrast) == (pytest.approx(0.4), pytest.approx(0.4))


def test_true_masks_take_the_place_of_what_lies_inside_them(samples):
    sample, _ = samples[0]
    true = true_masks(sample)
    assert len({mask.tobytes() for mask in true}) == len(true) >= 1
    part, background = true[0].copy(), ~np.logical_or.reduce(true)
    part[: int(np.flatnonzero(true[0].any(1)).mean())] = False
    proposed = Proposals(torch.from_numpy(np.stack([part, background])), torch.tensor([0.3, 0.4]))
    replaced = with_true_masks(proposed, true)
    np.testing.assert_array_equal(replaced.masks.numpy(), [background, *true])
    assert replaced.predicted_iou.tolist() == pytest.approx([0.4, *[1] * len(true)])


def test_a_match_by_heatmap_is_the_mean_of_the_heatmap_on_an_object(model, samples):
    sample, frame = samples[0]
    parts = parts_frame(model, sample, frame)
    proposals = objects_in(model, frame)
    objects = parts.objects(proposals, with_depth=False)
    for settings in heatmap_settings(model.profile.grounding).values():
        matches = heatmap_matches(parts, objects, settings)
        assert set(matches) == set(parts.texts)
        for chances in matches.values():
            assert chances.shape == (len(proposals.masks),)
            assert 0 <= chances.min() <= chances.max() <= 1


def test_pairs_of_regions_are_judged_by_the_simulator(model):
    with Renderer(WIDTH, HEIGHT) as renderer:
        pictures = [renderer.render(sample_scene(seed)) for seed in (2_000_000, 2_000_001)]
    pairs = region_pairs(model, pictures, PATCH_SHARES[:2])
    again = region_pairs(model, pictures[1:], PATCH_SHARES[1:2])[PATCH_SHARES[1]]
    some = pairs[PATCH_SHARES[1]]
    assert len(some.only) == len(some.contrast) == len(some.truths)
    assert 0.05 < some.truths.mean() < 0.5
    assert some.only[some.truths].mean() > some.only[~some.truths].mean()
    count = len(again.only)
    np.testing.assert_allclose(some.only[-count:], again.only, atol=1e-4)
    np.testing.assert_array_equal(some.truths[-count:], again.truths)
