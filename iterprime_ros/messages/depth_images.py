"""Depth images as metres (REP 118)."""

import struct

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidDepthError
from iterprime_ros.messages.encodings import InvalidMessageError, decoded_grey16, samples
from iterprime_ros.messages.protocols import CompressedImageMessage, ImageMessage

_HEADER = struct.Struct('<iff')
_DTYPES = {'16UC1': 'u2', '32FC1': 'f4'}


def depth_of(message: ImageMessage) -> NDArray[np.float32]:
    """Return a depth message as (H, W) float32 metres, NaN where nothing was measured (REP 118).

    16UC1 and mono16 hold millimetres, 0 for nothing; 32FC1 holds metres, and what is not finite or
    not above 0 is nothing.

    Raises InvalidMessageError.
    """
    match message.encoding:
        case '16UC1' | 'mono16':
            return metric(samples(message, 'u2', 1)[..., 0], '16UC1')
        case '32FC1':
            return metric(samples(message, 'f4', 1)[..., 0], '32FC1')
        case other:
            raise InvalidMessageError(
                f'Depth of encoding "{other[:40]}" cannot be read: publish 16UC1 in millimetres or '
                '32FC1 in metres.'
            )


def compressed_depth_of(message: CompressedImageMessage) -> NDArray[np.float32]:
    """Return a compressedDepth message as (H, W) float32 metres, NaN where nothing was measured.

    As compressed_depth_image_transport writes it: a header of 12 bytes (int32 format, float32 a,
    float32 b), then a 16-bit PNG. Of 16UC1 the PNG holds millimetres; of 32FC1 it holds inverse
    depth q, and metres are a / (q - b).

    Raises InvalidMessageError.
    """
    encoding, _, codec = message.format.partition(';')
    if encoding not in _DTYPES or 'compressedDepth' not in codec or 'rvl' in codec:
        raise InvalidMessageError(
            f'Depth of format "{message.format[:60]}" cannot be read: set the compressedDepth '
            'format of the camera to png, or publish it raw.'
        )
    data = bytes(message.data)
    if len(data) < _HEADER.size:
        raise InvalidMessageError('The compressedDepth message is shorter than its header.')
    _, a, b = _HEADER.unpack_from(data)
    stored = decoded_grey16(data[_HEADER.size :])
    if encoding == '16UC1':
        return metric(stored, encoding)
    with np.errstate(divide='ignore', invalid='ignore'):
        metres = np.where(stored > 0, np.float32(a) / (stored - np.float32(b)), np.nan)
    return metric(metres.astype(np.float32), encoding)


def metric(depth: NDArray, encoding: str) -> NDArray[np.float32]:
    """Return a depth image (H, W) in metres, NaN where nothing was measured (REP 118).

    encoding: 16UC1 (uint16, millimetres, 0 for none) or 32FC1 (float32, metres; NaN, infinity and
    anything up to 0 for none).
    Raises InvalidDepthError for another encoding, dtype or shape.
    """
    if encoding not in _DTYPES:
        raise InvalidDepthError(
            f'Depth cannot be read from encoding "{encoding}"; '
            'publish 16UC1 (millimetres) or 32FC1 (metres).'
        )
    if depth.ndim != 2 or depth.dtype.newbyteorder('=') != np.dtype(_DTYPES[encoding]):
        raise InvalidDepthError(
            f'A depth image of encoding {encoding} cannot be {depth.dtype} of shape {depth.shape}; '
            'its message contradicts itself.'
        )
    metres = depth.astype(np.float32)
    if encoding == '16UC1':
        metres /= 1000
    with np.errstate(invalid='ignore'):  # comparing a signalling NaN
        metres[~((metres > 0) & (metres < np.inf))] = np.nan
    return metres
