"""Images and calibrations are equal as arrays and as messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from std_msgs.msg import Header

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.messages.calibration import pinhole_of
from iterprime_ros.ros.convert.images import from_image, to_camera_info, to_image

SIDES = st.integers(1, 9)


def any_array(encoding):
    dtype, channels = {
        'rgb8': (np.uint8, (3,)),
        'mono8': (np.uint8, ()),
        '32FC1': (np.float32, ()),
        '32SC1': (np.int32, ()),
    }[encoding]
    return st.tuples(SIDES, SIDES).flatmap(
        lambda sides: arrays(dtype, sides + channels).map(lambda pixels: (encoding, pixels))
    )


@given(st.sampled_from(['rgb8', 'mono8', '32FC1', '32SC1']).flatmap(any_array), st.booleans())
def test_images_round_trip(encoded, flipped):
    encoding, pixels = encoded
    pixels = np.flipud(pixels) if flipped else pixels  # not contiguous
    message = to_image(pixels, encoding, Header(frame_id='camera'))
    decoded = from_image(message)
    assert decoded.dtype == pixels.dtype
    assert np.array_equal(decoded, pixels, equal_nan=encoding == '32FC1')
    assert message.header.frame_id == 'camera'


def test_padded_rows_are_decoded():
    message = to_image(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 'rgb8', Header())
    rows = bytes(message.data)
    message.step = 8
    message.data = rows[:6] + b'??' + rows[6:] + b'??'
    assert from_image(message).ravel().tolist() == list(range(12))


def test_invalid_images_are_rejected():
    message = to_image(np.zeros((2, 2, 3), np.uint8), 'rgb8', Header())
    message.height = 3
    with pytest.raises(ValueError, match='claims 3 rows of 6 bytes and has 12'):
        from_image(message)
    message.encoding = 'bayer_rggb8'
    with pytest.raises(ValueError, match='bayer_rggb8'):
        from_image(message)


def test_calibrations_round_trip():
    pinhole = Pinhole(fx=300.0, fy=305.0, cx=161.3, cy=118.2, width=320, height=240)
    message = to_camera_info(pinhole, Header(frame_id='camera'))
    assert pinhole_of(message) == pinhole
    assert message.header.frame_id == 'camera'
