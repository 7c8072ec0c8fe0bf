"""The sizes of a gripper."""

from dataclasses import fields

import numpy as np
import pytest

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.geometry.gripper import OPENING_MARGIN, ParallelGripper


@pytest.mark.parametrize('name', [each.name for each in fields(ParallelGripper)])
@pytest.mark.parametrize('value', [0.0, -0.01, float('nan'), float('inf')])
def test_sizes_are_finite_and_positive(name, value):
    with pytest.raises(InvalidSettingError, match=name):
        ParallelGripper(**{name: value})


def test_it_opens_wider_than_the_object_and_no_wider_than_it_can():
    gripper = ParallelGripper(max_opening=0.08)
    widths = np.array([0.0, 0.03, 0.07, 0.2])
    expected = [2 * OPENING_MARGIN, 0.03 + 2 * OPENING_MARGIN, 0.08, 0.08]
    assert gripper.opening_for(widths) == pytest.approx(expected)
    assert gripper.opening_for(0.03) == pytest.approx(expected[1])
