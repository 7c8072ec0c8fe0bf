"""Colour and grey images of every usual encoding, as RGB arrays.

`sensor_msgs/image_encodings.hpp` names the encodings. Data are little-endian unless is_bigendian.
Rows may be padded (step), a step of 0 means no padding, and bytes after the last row are ignored,
since some drivers send their whole buffer.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from itertools import product

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from iterprime_ros.errors import IterprimeError
from iterprime_ros.limits import MAX_PIXELS
from iterprime_ros.messages.protocols import CompressedImageMessage, ImageMessage

# What Pillow may raise while it loads a broken file.
_BROKEN = (OSError, ValueError, SyntaxError, IndexError, TypeError, struct.error)


class InvalidMessageError(IterprimeError):
    """An image message that is broken, or of an unsupported encoding."""


def rgb_of(message: ImageMessage) -> NDArray[np.uint8]:
    """Return a colour or grey image as contiguous (H, W, 3) uint8 RGB in its own memory.

    16-bit values are divided by 257 and rounded. As cv_bridge does, 8UC1, 8UC3 and 8UC4 are read as
    mono8, bgr8 and bgra8. Alpha is dropped. In bayer_rggb8 rows R G R G and G B G B alternate.

    Raises InvalidMessageError.
    """
    reader = _READERS.get(message.encoding)
    if reader is None:
        readable = ', '.join(name for name in _READERS if not name.startswith('bayer'))
        raise InvalidMessageError(
            f'Images of encoding "{message.encoding[:40]}" cannot be read: publish one of '
            f'{readable} or bayer_*.'
        )
    return reader(message)


def decoded(message: CompressedImageMessage, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return a JPEG or PNG as (H, W, 3) uint8 RGB.

    The data decides, not the format field: image_transport reorders colours for its encoder. The
    EXIF orientation is ignored, so that pixels stay registered to depth and camera_info. 16-bit
    grey is rounded as in rgb_of; of 16-bit colour Pillow keeps the upper 8 bits.

    Raises InvalidMessageError for other data, broken ones, and more than max_pixels.
    """
    formats = ('JPEG', 'PNG')
    with _opened(message.data, message.format, formats, max_pixels) as picture:
        if picture.mode.startswith('I'):
            grey = _to_bytes(np.asarray(picture).astype(np.uint16))
            return np.dstack([grey] * 3)
        return np.array(picture.convert('RGB'))


def decoded_grey16(data: bytes) -> NDArray[np.uint16]:
    """Return a PNG of one 16-bit channel as (H, W) uint16; raises InvalidMessageError."""
    with _opened(data, 'compressedDepth', ('PNG',), MAX_PIXELS) as picture:
        if not picture.mode.startswith('I'):
            raise InvalidMessageError(
                f'The compressed depth image is a PNG of mode {picture.mode} and not of 16 bits: '
                'publish it raw.'
            )
        return np.asarray(picture).astype(np.uint16)


@contextmanager
def _opened(
    data: bytes, name: str, formats: tuple[str, ...], max_pixels: int
) -> Iterator[PIL.Image.Image]:
    """Yield a picture before it is decoded; errors while it is decoded are one sentence too.

    name: of the format, for the error.
    """
    try:
        with PIL.Image.open(BytesIO(data), formats=formats) as picture:
            if picture.width * picture.height > max_pixels:
                raise PIL.Image.DecompressionBombError
            yield picture
    except PIL.UnidentifiedImageError as error:
        raise InvalidMessageError(
            f'The {len(data)} bytes of format "{name[:40]}" are neither {" nor ".join(formats)}: '
            "set the camera's image_transport to one of them."
        ) from error
    except PIL.Image.DecompressionBombError as error:
        raise InvalidMessageError(
            f'The compressed image claims more than {max_pixels:,} pixels: publish a smaller one, '
            'or raise the parameter max_pixels.'
        ) from error
    except _BROKEN as error:
        raise InvalidMessageError(
            f'The compressed image is broken ({error}): wait for the next, or look for losses in '
            'the network.'
        ) from error


def _plane(
    message: ImageMessage, kind: str, shape: tuple[int, int, int], step: int, start: int = 0
) -> NDArray:
    """Return samples (rows, columns, channels) as a view on the bytes of a message.

    Nothing of the claimed size is allocated before the bytes are known to be there.
    """
    rows, columns, channels = shape
    dtype = np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')
    row = columns * channels * dtype.itemsize
    size = f'{message.width} x {message.height} pixels of {message.encoding}'
    if not rows * columns:
        raise InvalidMessageError(f'The image has {size}: wait for one with pixels.')
    if step < row:
        raise InvalidMessageError(
            f'The image has {size} and a step of {message.step} bytes: a row needs {row}, correct '
            'the step or the width in the camera driver.'
        )
    needed = start + (rows - 1) * step + row
    if len(message.data) < needed:
        raise InvalidMessageError(
            f'The image has {size} in {len(message.data)} bytes: they need {needed}, correct the '
            'size or the encoding in the camera driver.'
        )
    strides = (step, channels * dtype.itemsize, dtype.itemsize)
    return np.ndarray(shape, dtype, message.data, start, strides)


def samples(message: ImageMessage, kind: str, channels: int) -> NDArray:
    """Return the samples (H, W, channels) of an image whose channels lie side by side."""
    step = message.step or message.width * channels * np.dtype(kind).itemsize
    return _plane(message, kind, (message.height, message.width, channels), step)


def _to_bytes(samples: NDArray) -> NDArray[np.uint8]:
    """Return 8 bits as they are, and 16 bits divided by 257 and rounded to nearest."""
    if samples.dtype.itemsize == 1:
        return samples
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _packed(
    message: ImageMessage, kind: str, channels: int, order: tuple[int, int, int]
) -> NDArray:
    pixels = _to_bytes(samples(message, kind, channels))
    if order == tuple(range(channels)):
        return np.array(pixels)
    rgb = np.empty((*pixels.shape[:2], 3), np.uint8)
    for channel, place in enumerate(order):  # many times as fast as indexing with the order
        rgb[..., channel] = pixels[..., place]
    return rgb


def _yuv422(message: ImageMessage, luma: int) -> NDArray[np.uint8]:
    """Read pixels of two bytes: luma, first or second as said, and U or V in turn."""
    _check_even(message, (1, 2))
    pixels = samples(message, 'u1', 2)
    chroma = pixels[..., 1 - luma]
    return _from_yuv(pixels[..., luma], chroma[:, 0::2], chroma[:, 1::2])


def _semiplanar(message: ImageMessage, block: tuple[int, int], u: int) -> NDArray[np.uint8]:
    """Read a plane of luma and, below it, one of U (at u) and V for every block of pixels.

    A row of chroma is as long as the rows of luma that it holds the colours of, padding included.
    """
    _check_even(message, block)
    height, width, step = message.height, message.width, message.step or message.width
    luma = _plane(message, 'u1', (height, width, 1), step)
    shape = (height // block[0], width // block[1], 2)
    chroma = _plane(message, 'u1', shape, step * 2 // block[1], start=height * step)
    return _from_yuv(luma[..., 0], chroma[..., u], chroma[..., 1 - u])


def _check_even(message: ImageMessage, block: tuple[int, int]) -> None:
    if message.height % block[0] or message.width % block[1]:
        raise InvalidMessageError(
            f'The image has {message.width} x {message.height} pixels, and {message.encoding} has '
            f'one colour for {block[1]} x {block[0]}: crop it to even sides.'
        )


def _from_yuv(y: NDArray, u: NDArray, v: NDArray) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB of luma (H, W) and the chroma that blocks of pixels share.

    ITU-R BT.601 in its limited range (luma 16 to 235), with the rounded coefficients and the fixed
    point of OpenCV's cvtColor, which it equals bit by bit.
    """
    one = 1 << 20
    y_scale, v_red, v_green, u_green, u_blue = (
        round(c * one) for c in (1.164, 1.596, -0.813, -0.391, 2.018)
    )
    u, v = u.astype(np.int32) - 128, v.astype(np.int32) - 128
    colours = (v_red * v, v_green * v + u_green * u, u_blue * u)
    rgb = np.empty((*y.shape, 3), np.uint8)
    block = (y.shape[0] // u.shape[0], y.shape[1] // u.shape[1])
    for i, j in product(*map(range, block)):
        place = np.s_[i :: block[0], j :: block[1]]
        grey = (np.maximum(y[place], 16).astype(np.int32) - 16) * y_scale + one // 2
        for channel, colour in enumerate(colours):
            rgb[(*place, channel)] = np.clip((grey + colour) >> 20, 0, 255)
    return rgb


def _bayer(message: ImageMessage, kind: str, pattern: str) -> NDArray[np.uint8]:
    """Demosaic bilinearly: a colour that a pixel lacks is the mean of its neighbours that have it.

    The pattern is the colours of the upper left 2 x 2 pixels in reading order. The image is
    mirrored at its borders, which keeps the pattern.
    """
    mosaic = _to_bytes(samples(message, kind, 1)[..., 0])
    height, width = mosaic.shape
    if height < 2 or width < 2:
        raise InvalidMessageError(
            f'The image has {width} x {height} pixels, and {message.encoding} needs 2 x 2 for all '
            'colours: publish a larger image.'
        )
    mirrored = np.pad(mosaic, 1, mode='reflect').astype(np.uint16)
    red = divmod(pattern.index('r'), 2)
    rgb = np.empty((height, width, 3), np.uint8)
    for i, j in product((0, 1), repeat=2):
        at = {
            (y, x): mirrored[i + y : height + y : 2, j + x : width + x : 2]
            for y, x in product((0, 1, 2), repeat=2)
        }
        beside = (at[1, 0] + at[1, 2] + 1) >> 1
        above = (at[0, 1] + at[2, 1] + 1) >> 1
        cross = (at[0, 1] + at[2, 1] + at[1, 0] + at[1, 2] + 2) >> 2
        corners = (at[0, 0] + at[0, 2] + at[2, 0] + at[2, 2] + 2) >> 2
        values = {
            (True, True): (at[1, 1], cross, corners),
            (True, False): (beside, at[1, 1], above),
            (False, True): (above, at[1, 1], beside),
            (False, False): (corners, cross, at[1, 1]),
        }[i == red[0], j == red[1]]
        for channel, value in enumerate(values):
            rgb[i::2, j::2, channel] = value
    return rgb


_READERS: dict[str, Callable[[ImageMessage], NDArray[np.uint8]]] = {
    'rgb8': partial(_packed, kind='u1', channels=3, order=(0, 1, 2)),
    'bgr8': partial(_packed, kind='u1', channels=3, order=(2, 1, 0)),
    'rgba8': partial(_packed, kind='u1', channels=4, order=(0, 1, 2)),
    'bgra8': partial(_packed, kind='u1', channels=4, order=(2, 1, 0)),
    'mono8': partial(_packed, kind='u1', channels=1, order=(0, 0, 0)),
    'rgb16': partial(_packed, kind='u2', channels=3, order=(0, 1, 2)),
    'bgr16': partial(_packed, kind='u2', channels=3, order=(2, 1, 0)),
    'rgba16': partial(_packed, kind='u2', channels=4, order=(0, 1, 2)),
    'bgra16': partial(_packed, kind='u2', channels=4, order=(2, 1, 0)),
    'mono16': partial(_packed, kind='u2', channels=1, order=(0, 0, 0)),
    '8UC1': partial(_packed, kind='u1', channels=1, order=(0, 0, 0)),
    '8UC3': partial(_packed, kind='u1', channels=3, order=(2, 1, 0)),
    '8UC4': partial(_packed, kind='u1', channels=4, order=(2, 1, 0)),
    'uyvy': partial(_yuv422, luma=1),
    'yuv422': partial(_yuv422, luma=1),
    'yuyv': partial(_yuv422, luma=0),
    'yuv422_yuy2': partial(_yuv422, luma=0),
    'nv12': partial(_semiplanar, block=(2, 2), u=0),
    'nv21': partial(_semiplanar, block=(2, 2), u=1),
    'nv24': partial(_semiplanar, block=(1, 1), u=0),
    **{
        f'bayer_{pattern}{bits}': partial(_bayer, kind=f'u{bits // 8}', pattern=pattern)
        for bits in (8, 16)
        for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')
    },
}
