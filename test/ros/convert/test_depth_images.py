"""Depth images become metres."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.ros.convert.depth_images import metric


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 65535), min_size=6, max_size=6),
    st.sampled_from(['<u2', '>u2']),
)
def test_millimetres_become_metres(values, dtype):
    read = metric(np.array(values, dtype).reshape(2, 3), '16UC1')
    assert read.dtype == np.float32
    expected = [value / 1000 if value else np.nan for value in values]
    np.testing.assert_allclose(read.ravel(), expected, rtol=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(width=32), min_size=6, max_size=6))
def test_metres_stay_and_the_rest_is_a_hole(values):
    sent = np.array(values, np.float32).reshape(3, 2)
    read = metric(sent, '32FC1')
    expected = [value if 0 < value < np.inf else np.nan for value in values]
    np.testing.assert_array_equal(read.ravel(), np.array(expected, np.float32))
    np.testing.assert_array_equal(sent.ravel(), np.array(values, np.float32))


@pytest.mark.parametrize(
    ('depth', 'encoding'),
    [
        (np.ones((2, 2), np.uint16), 'rgb8'),
        (np.ones((2, 2), np.float32), '16UC1'),
        (np.ones((2, 2), np.uint16), '32FC1'),
        (np.ones((2, 2, 1), np.float32), '32FC1'),
    ],
)
def test_depth_that_contradicts_its_encoding_is_refused(depth, encoding):
    with pytest.raises(InvalidDepthError, match=r'^[A-Z].*encoding.*\.$'):
        metric(depth, encoding)
