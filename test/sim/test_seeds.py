"""The seeds of training, calibration, held-out and fresh scenes."""

from itertools import pairwise

import pytest

from iterprime_ros.sim.seeds import (
    CALIBRATION,
    CLIP_CALIBRATION,
    CLIP_TEST,
    FRESH,
    HELD_OUT,
    TRAINING,
    WrongSeedError,
    require_seeds,
)


def test_the_splits_are_disjoint():
    splits = (TRAINING, CALIBRATION, HELD_OUT, FRESH, CLIP_CALIBRATION, CLIP_TEST)
    ranges = sorted(splits, key=lambda each: each.start)
    assert all(first.stop <= second.start for first, second in pairwise(ranges))
    with pytest.raises(WrongSeedError, match=r'^Scene 3000000 is not for training'):
        require_seeds(HELD_OUT[:1], TRAINING, 'training')
