"""Grad-CAM alone, with the models that ship."""

import numpy as np

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.ablation import grounding_variants
from iterprime_ros.evaluation.baselines.grad_cam import GradCamBaseline
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.pipeline import IteRPrimE


def test_it_has_one_round_and_no_emphasis():
    full = IteRPrimE.from_profile('tabletop')
    iterprime = with_settings(
        full, {'rounds': 3, 'stop_early': False, 'local_emphasis': True, 'global_emphasis': True}
    )
    baseline = GradCamBaseline(iterprime)
    settings = baseline.model.profile.grounding
    assert (settings.rounds, settings.local_emphasis, settings.global_emphasis) == (1, False, False)
    assert baseline.model.profile.answer.by == 'heatmap'
    rows = {each.name: each.model.profile.grounding for each in grounding_variants(iterprime)}
    assert settings == rows['one heatmap: Grad-CAM alone']
    (sample,) = load_tabletop('calibration', 1)
    commands = [question.command for question in sample.questions]
    frame = iterprime.embed(sample.image)
    answers = baseline.segment_many(baseline.embed(sample.image, frame), commands)
    assert all(len(answer.rounds) == 1 and answer.parts is None for answer in answers)
    assert all(answer.status is Status.FOUND for answer in answers)
    whole = with_settings(iterprime, answer={'by': 'heatmap', 'match_threshold': 0.0})
    of_iterprime = whole.segment_many(whole.embed(sample.image), commands)
    for answer, other in zip(answers, of_iterprime, strict=True):
        assert len(other.rounds) == 3
        assert answer.match_probability == other.match_probability
        np.testing.assert_array_equal(answer.rounds[0].hidden, other.rounds[0].hidden)
