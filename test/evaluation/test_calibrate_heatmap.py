from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.evaluation.calibrate_heatmap import (
    emphasis_settings,
    match_threshold,
    refinement_settings,
)
from iterprime_ros.evaluation.metrics import Asked
from iterprime_ros.grounding.settings import OURS, GroundingSettings

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=15)


@given(PROBABILITIES, PROBABILITIES)
def test_no_other_threshold_separates_them_better(with_target, without):
    some = [replace(BASE, match_probability=p) for p in with_target]
    some += [replace(BASE, match_probability=p, asked=Asked.NOTHING, union=0) for p in without]

    def difference(threshold):
        correct = np.mean([p < threshold for p in without])
        return correct - np.mean([p < threshold for p in with_target])

    best = max(difference(k / 100) for k in range(1, 100))
    assert difference(match_threshold(some)) == pytest.approx(best)


def test_everything_that_is_tried_is_a_setting():
    for change in (*emphasis_settings(range(4)), *refinement_settings()):
        GroundingSettings.model_validate({**OURS.model_dump(), **change})
    assert len(emphasis_settings(range(4))) == 16
