"""Depth images become metres."""

import io
import struct

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage

from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.messages.depth_images import compressed_depth_of, metric
from iterprime_ros.messages.encodings import InvalidMessageError


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


def compressed(encoding, stored, a=0.0, b=0.0, codec='compressedDepth png'):
    """A message as compressed_depth_image_transport writes it."""
    file = io.BytesIO()
    PIL.Image.fromarray(stored).save(file, 'PNG')
    return CompressedImage(
        format=f'{encoding}; {codec}', data=struct.pack('<iff', 0, a, b) + file.getvalue()
    )


def test_compressed_millimetres_become_metres():
    stored = np.array([[0, 1, 1234], [65535, 500, 0]], np.uint16)
    read = compressed_depth_of(compressed('16UC1', stored))
    np.testing.assert_allclose(read, np.where(stored > 0, stored / 1000, np.nan), rtol=1e-6)


def test_compressed_inverse_depth_becomes_metres():
    """Quantised as the transport does it: a = q * (q + 1) with q = 100, b = 1 - a / 10 m."""
    metres = np.array([[0.4, 1.0, 2.5], [5.0, 9.9, np.nan]])
    a, b = 100.0 * 101.0, 1.0 - 100.0 * 101.0 / 10.0
    stored = np.where(np.isnan(metres), 0, np.round(a / metres + b)).astype(np.uint16)
    read = compressed_depth_of(compressed('32FC1', stored, a, b))
    np.testing.assert_allclose(read, metres, rtol=0.01)


@pytest.mark.parametrize(
    ('message', 'words'),
    [
        (compressed('16UC1', np.ones((2, 2), np.uint16), codec='compressedDepth rvl'), 'to png'),
        (compressed('rgb8', np.ones((2, 2), np.uint16)), 'cannot be read'),
        (CompressedImage(format='16UC1; compressedDepth png', data=b'abc'), 'than its header'),
        (CompressedImage(format='16UC1; compressedDepth png', data=b'a' * 99), 'neither PNG'),
        (compressed('16UC1', np.ones((2, 2), np.uint8)), 'not of 16 bits'),
    ],
)
def test_compressed_depth_that_is_of_no_use_is_one_sentence(message, words):
    with pytest.raises(InvalidMessageError, match=words):
        compressed_depth_of(message)
