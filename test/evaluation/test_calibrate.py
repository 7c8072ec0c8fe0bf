from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_metrics import BASE

from iterprime_ros.evaluation.calibrate import emphases, match_threshold, refinements
from iterprime_ros.grounding.settings import OURS, GroundingSettings

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=15)


@given(CHANCES, CHANCES)
def test_no_other_threshold_parts_them_better(present, absent):
    some = [replace(BASE, probability=p) for p in present]
    some += [replace(BASE, probability=p, is_present=False, union=0) for p in absent]

    def apart(threshold):
        return np.mean([p < threshold for p in absent]) - np.mean([p < threshold for p in present])

    best = max(apart(k / 100) for k in range(1, 100))
    assert apart(match_threshold(some)) == pytest.approx(best)


def test_everything_that_is_tried_is_a_setting():
    for change in (*emphases(range(4)), *refinements()):
        GroundingSettings.model_validate({**OURS.model_dump(), **change})
    assert len(emphases(range(4))) == 16
