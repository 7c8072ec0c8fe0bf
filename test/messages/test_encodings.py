"""Every encoding beside a slow encoder or decoder of its own, and every way to be wrong."""

import struct
import tracemalloc
import zlib
from array import array
from fractions import Fraction
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from iterprime_ros.messages.depth_images import depth_of
from iterprime_ros.messages.encodings import InvalidMessageError, decoded, rgb_of

BAYER = [
    f'bayer_{pattern}{bits}' for bits in (8, 16) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')
]
PACKED = {  # the channels in memory; x is of no meaning
    'rgb8': 'rgb', 'bgr8': 'bgr', 'rgba8': 'rgbx', 'bgra8': 'bgrx',
    'rgb16': 'rgb', 'bgr16': 'bgr', 'rgba16': 'rgbx', 'bgra16': 'bgrx',
    'mono8': 'm', 'mono16': 'm', '8UC1': 'm', '8UC3': 'bgr', '8UC4': 'bgrx',
}  # fmt: skip
YUV422 = {'uyvy': 'uyvy', 'yuv422': 'uyvy', 'yuyv': 'yuyv', 'yuv422_yuy2': 'yuyv'}
SEMIPLANAR = {'nv12': (2, 2, 'uv'), 'nv21': (2, 2, 'vu'), 'nv24': (1, 1, 'uv')}
ENCODINGS = [*PACKED, *YUV422, *SEMIPLANAR, *BAYER]
DEPTHS = ['16UC1', 'mono16', '32FC1']


def message(encoding, height, width, step, data, big=False):
    return Image(
        encoding=encoding, height=height, width=width, step=step, is_bigendian=big,
        data=array('B', data),
    )  # fmt: skip


def bits_of(encoding):
    return 16 if encoding.endswith('16') else 8


def integer(value, bits, big):
    return value.to_bytes(bits // 8, 'big' if big else 'little')


def rounded(value):
    return int(Fraction(value) + Fraction(1, 2))


def to_eight(value, bits):
    return value if bits == 8 else rounded(Fraction(value, 257))


@st.composite
def rows_of_numbers(draw, bits, channels, rows, columns):
    size = rows * columns * channels
    pixel = st.integers(0, 2**bits - 1)
    numbers = iter(draw(st.lists(pixel, min_size=size, max_size=size)))
    return [[[next(numbers) for _ in range(channels)] for _ in range(columns)] for _ in range(rows)]


@st.composite
def framed(draw, rows):
    """Lay rows of bytes out: padded or not, with something behind them or not."""
    padding = draw(st.integers(0, 5))
    data = b''.join(row + b'?' * padding for row in rows)
    step = len(rows[0]) + padding
    if not padding and draw(st.booleans()):
        step = 0
    return step, data + draw(st.sampled_from([b'', b'!', b'!' * 50]))


def same(image, expected, tolerance=0):
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.owndata
    assert image.shape == (len(expected), len(expected[0]), 3)
    assert np.abs(image.astype(int) - np.array(expected)).max() <= tolerance


@pytest.mark.parametrize('encoding', PACKED)
@settings(deadline=None, max_examples=50)
@given(data=st.data(), height=st.integers(1, 5), width=st.integers(1, 5), big=st.booleans())
def test_packed_channels(encoding, data, height, width, big):
    bits = bits_of(encoding)
    picture = data.draw(rows_of_numbers(bits, 3, height, width))
    letters = PACKED[encoding]
    rows = [
        b''.join(
            integer(dict(zip('rgbmx', (*pixel, pixel[0], 77), strict=True))[letter], bits, big)
            for pixel in row
            for letter in letters
        )
        for row in picture
    ]
    step, buffer = data.draw(framed(rows))
    expected = [
        [[to_eight(value, bits) for value in (pixel[:1] * 3 if letters == 'm' else pixel)]
         for pixel in row]
        for row in picture
    ]  # fmt: skip
    same(rgb_of(message(encoding, height, width, step, buffer, big)), expected)


def test_every_16_bit_value_is_rounded_to_the_nearest_of_8():
    values = range(2**16)
    data = array('H', values).tobytes()
    image = rgb_of(message('mono16', 256, 256, 512, data))
    assert image[..., 1].ravel().tolist() == [to_eight(value, 16) for value in values]


def yuv_of(red, green, blue):
    """Return the nearest Y, U, V of ITU-R BT.601 in limited range, from its definition."""
    luma = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
    return (
        rounded(16 + 219 * luma),
        rounded(128 + 224 * (blue / 255 - luma) / 2 / (1 - 0.114)),
        rounded(128 + 224 * (red / 255 - luma) / 2 / (1 - 0.299)),
    )


def rgb_of_yuv(y, u, v):
    """Return the colour that Y, U, V mean; footroom is black, as in OpenCV."""
    luma, pb, pr = (max(y, 16) - 16) / 219, (u - 128) / 224, (v - 128) / 224
    red, blue = luma + 2 * (1 - 0.299) * pr, luma + 2 * (1 - 0.114) * pb
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return [rounded(min(max(channel * 255, 0), 255)) for channel in (red, green, blue)]


def yuv_rows(encoding, luma, chroma):
    """Return rows of bytes; luma is (H, W), chroma is pairs (U, V) a block."""
    if encoding in YUV422:
        return [
            bytes(
                {'y': line[x + k // 2], 'u': pairs[x // 2][0], 'v': pairs[x // 2][1]}[letter]
                for x in range(0, len(line), 2)
                for k, letter in enumerate(YUV422[encoding])
            )
            for line, pairs in zip(luma, chroma, strict=True)
        ]
    order = [0, 1] if SEMIPLANAR[encoding][2] == 'uv' else [1, 0]
    lines = [bytes(pair[k] for pair in pairs for k in order) for pairs in chroma]
    if encoding == 'nv24':  # two rows of the luma's step are one of chroma
        width = len(luma[0])
        lines = [part for line in lines for part in (line[:width], line[width:])]
    return [*map(bytes, luma), *lines]


def any_yuv(data, encoding, bits=8, channels=2):
    """Draw sizes that the encoding can have, and numbers for its blocks."""
    across = 2 if encoding in YUV422 else SEMIPLANAR[encoding][1]
    down = 1 if encoding in YUV422 else SEMIPLANAR[encoding][0]
    rows, columns = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    blocks = data.draw(rows_of_numbers(bits, channels, rows, columns))
    return down, across, blocks


def block_at(blocks, down, across, y, x):
    return blocks[y // down][x // across]


@pytest.mark.parametrize('encoding', [*YUV422, *SEMIPLANAR])
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_any_yuv_is_decoded_as_bt601_says(encoding, data):
    down, across, chroma = any_yuv(data, encoding)
    height, width = len(chroma) * down, len(chroma[0]) * across
    luma = [[p[0] for p in row] for row in data.draw(rows_of_numbers(8, 1, height, width))]
    expected = [
        [rgb_of_yuv(luma[y][x], *block_at(chroma, down, across, y, x)) for x in range(width)]
        for y in range(height)
    ]
    rows = yuv_rows(encoding, luma, chroma)
    image = rgb_of(
        message(encoding, height, width, width * (1 + (encoding in YUV422)), b''.join(rows))
    )
    same(image, expected, tolerance=1)


@pytest.mark.parametrize('encoding', [*YUV422, *SEMIPLANAR])
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_yuv_there_and_back(encoding, data):
    down, across, colours = any_yuv(data, encoding, channels=3)
    height, width = len(colours) * down, len(colours[0]) * across
    chroma = [[yuv_of(*colour)[1:] for colour in row] for row in colours]
    expected = [
        [block_at(colours, down, across, y, x) for x in range(width)] for y in range(height)
    ]
    luma = [[yuv_of(*colour)[0] for colour in row] for row in expected]
    rows = yuv_rows(encoding, luma, chroma)
    step, buffer = data.draw(framed(rows))
    if encoding == 'nv24' and step > width:  # its padding is at the end of the longer row
        pad = b'?' * (step - width)
        lines = [rows[k] + rows[k + 1] + pad * 2 for k in range(height, 3 * height, 2)]
        buffer = b''.join([*(row + pad for row in rows[:height]), *lines])
    same(rgb_of(message(encoding, height, width, step, buffer)), expected, tolerance=2)


def mirrored(index, size):
    return 1 if index < 0 else size - 2 if index == size else index


def demosaiced(mosaic, pattern, y, x):
    """Return a pixel: its own colour, and the means of the neighbours of the others."""
    height, width = len(mosaic), len(mosaic[0])
    around = {'r': [], 'g': [], 'b': []}
    for j in (y - 1, y, y + 1):
        for i in (x - 1, x, x + 1):
            row, column = mirrored(j, height), mirrored(i, width)
            around[pattern[row % 2 * 2 + column % 2]].append(mosaic[row][column])
    around[pattern[y % 2 * 2 + x % 2]] = [mosaic[y][x]]
    return [rounded(Fraction(sum(values), len(values))) for values in around.values()]


@pytest.mark.parametrize('encoding', BAYER)
@settings(deadline=None, max_examples=50)
@given(data=st.data(), height=st.integers(2, 6), width=st.integers(2, 6), big=st.booleans())
def test_bayer_is_bilinear(encoding, data, height, width, big):
    bits, pattern = bits_of(encoding), encoding[6:10]
    mosaic = [[p[0] for p in row] for row in data.draw(rows_of_numbers(bits, 1, height, width))]
    rows = [b''.join(integer(value, bits, big) for value in row) for row in mosaic]
    step, buffer = data.draw(framed(rows))
    eight = [[to_eight(value, bits) for value in row] for row in mosaic]
    expected = [[demosaiced(eight, pattern, y, x) for x in range(width)] for y in range(height)]
    same(rgb_of(message(encoding, height, width, step, buffer, big)), expected)


@pytest.mark.parametrize('encoding', BAYER)
@pytest.mark.parametrize('size', [(2, 2), (2, 5), (5, 2), (5, 5), (6, 4)])
def test_one_colour_through_bayer_is_that_colour(encoding, size):
    colour = {'r': 250, 'g': 130, 'b': 3}
    scale = 257 if bits_of(encoding) == 16 else 1
    height, width = size
    data = b''.join(
        integer(colour[encoding[6 + y % 2 * 2 + x % 2]] * scale, bits_of(encoding), False)
        for y in range(height)
        for x in range(width)
    )
    image = rgb_of(message(encoding, height, width, 0, data))
    same(image, [[[250, 130, 3]] * width] * height)


def test_the_first_row_of_bayer_rggb8_is_red_green():
    red = rgb_of(message('bayer_rggb8', 4, 4, 4, bytes([9, 0, 9, 0, 0, 0, 0, 0] * 2)))
    assert red[0, 0].tolist() == [9, 0, 0]
    red = rgb_of(message('bayer_gbrg8', 4, 4, 4, bytes([0, 0, 0, 0, 9, 0, 9, 0] * 2)))
    assert red[1, 0].tolist() == [9, 0, 0]


@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
@settings(deadline=None, max_examples=50)
@given(data=st.data(), height=st.integers(1, 5), width=st.integers(1, 5), big=st.booleans())
def test_depth_in_millimetres(encoding, data, height, width, big):
    millimetres = data.draw(rows_of_numbers(16, 1, height, width))
    millimetres[0][0] = [data.draw(st.sampled_from([0, 1, 65535]))]
    rows = [b''.join(integer(p[0], 16, big) for p in row) for row in millimetres]
    step, buffer = data.draw(framed(rows))
    metres = depth_of(message(encoding, height, width, step, buffer, big))
    expected = [[p[0] / 1000 if p[0] else np.nan for p in row] for row in millimetres]
    assert metres.dtype == np.float32
    assert np.array_equal(metres, np.array(expected, np.float32), equal_nan=True)


@settings(deadline=None, max_examples=50)
@given(data=st.data(), width=st.integers(1, 5), big=st.booleans())
@pytest.mark.filterwarnings('error')
def test_depth_in_metres(data, width, big):
    metre = st.one_of(st.floats(width=32), st.sampled_from([0.0, -0.0, -1.0, np.inf, -np.inf]))
    picture = data.draw(st.lists(st.lists(metre, min_size=width, max_size=width), min_size=1))
    order = '>' if big else '<'
    rows = [struct.pack(f'{order}{width}f', *row) for row in picture]
    step, buffer = data.draw(framed(rows))
    metres = depth_of(message('32FC1', len(rows), width, step, buffer, big))
    expected = [[d if 0 < d < np.inf else np.nan for d in row] for row in picture]
    assert metres.dtype == np.float32
    assert metres.dtype.isnative
    assert np.array_equal(metres, np.array(expected, np.float32), equal_nan=True)


@pytest.mark.filterwarnings('error')
def test_a_signalling_nan_is_nothing_measured():
    data = struct.pack('<If', 0x7F800001, 0.5)
    metres = depth_of(message('32FC1', 1, 2, 8, data))
    assert np.isnan(metres[0, 0])
    assert metres[0, 1] == 0.5


def test_the_pixels_are_not_the_message():
    image = message('rgb8', 1, 2, 6, bytes(6))
    depth = message('32FC1', 1, 1, 4, struct.pack('<f', 1))
    rgb_of(image)[:] = 9
    depth_of(depth)[:] = 9
    assert bytes(image.data) == bytes(6)
    assert bytes(depth.data) == struct.pack('<f', 1)


HUGE = 2**32 - 1


@pytest.mark.parametrize(
    ('wrong', 'sentence'),
    [
        (('', 1, 1, 3, 3), 'encoding "" cannot be read: publish one of rgb8, .*, nv24 or bayer_'),
        (('32FC1', 1, 1, 4, 4), 'encoding "32FC1" cannot'),
        (('x' * 10**6, 1, 1, 3, 3), 'encoding "x{40}" cannot'),
        (('rgb8', 0, 2, 6, 0), r'has 2 x 0 pixels of rgb8: wait for one with pixels\.'),
        (('rgb8', 2, 0, 6, 12), r'has 0 x 2 pixels of rgb8: wait for one with pixels\.'),
        (('nv12', 0, 0, 0, 0), r'has 0 x 0 pixels of nv12: wait for one with pixels\.'),
        (('rgb8', 2, 2, 5, 12), 'a step of 5 bytes: a row needs 6, correct'),
        (('mono16', 1, 2, 3, 12), 'a step of 3 bytes: a row needs 4, correct'),
        (('rgb8', 2, 2, 6, 11), 'in 11 bytes: they need 12, correct'),
        (('rgb8', 2, 2, 8, 13), 'in 13 bytes: they need 14, correct'),
        (('rgb8', 1, 1, 0, 0), 'in 0 bytes: they need 3, correct'),
        (('rgb8', HUGE, HUGE, 0, 12), 'they need 55340232195358851075, correct'),
        (('nv12', 2, 2, 2, 5), 'in 5 bytes: they need 6, correct'),
        (('nv24', 1, 1, 1, 2), 'in 2 bytes: they need 3, correct'),
        (('uyvy', 1, 3, 6, 6), '3 x 1 pixels, and uyvy has one colour for 2 x 1: crop'),
        (('nv12', 3, 2, 2, 99), '2 x 3 pixels, and nv12 has one colour for 2 x 2: crop'),
        (('nv21', 2, 3, 4, 99), '3 x 2 pixels, and nv21 has one colour for 2 x 2: crop'),
        (('bayer_rggb8', 1, 4, 4, 4), 'and bayer_rggb8 needs 2 x 2'),
        (('bayer_rggb8', 4, 1, 1, 4), 'and bayer_rggb8 needs 2 x 2'),
    ],
)
def test_what_cannot_be_read_is_one_sentence(wrong, sentence):
    encoding, height, width, step, size = wrong
    with pytest.raises(InvalidMessageError, match=sentence) as caught:
        rgb_of(message(encoding, height, width, step, bytes(size)))
    said = str(caught.value)
    assert said.endswith('.')
    assert '\n' not in said
    assert len(said) < 300


@pytest.mark.parametrize(
    ('wrong', 'sentence'),
    [
        (('rgb8', 1, 1, 3, 3), 'encoding "rgb8" cannot be read: publish 16UC1 in millimetres'),
        (('16UC1', 1, 0, 3, 3), '0 x 1 pixels of 16UC1'),
        (('32FC1', 1, 2, 7, 8), 'a step of 7 bytes: a row needs 8'),
        (('32FC1', HUGE, HUGE, HUGE, 8), 'a row needs'),
        (('32FC1', HUGE, 1, 4, 8), 'they need'),
    ],
)
def test_what_is_no_depth_is_one_sentence(wrong, sentence):
    encoding, height, width, step, size = wrong
    with pytest.raises(InvalidMessageError, match=sentence):
        depth_of(message(encoding, height, width, step, bytes(size)))


def test_the_last_row_needs_no_padding():
    same(rgb_of(message('mono8', 2, 1, 4, b'a???b')), [[[97] * 3], [[98] * 3]])


def peak_of(function, argument):
    """Return the result or the refusal, and the most bytes that the call held at a time."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        result = function(argument)
    except InvalidMessageError as error:
        result = error
    return result, tracemalloc.get_traced_memory()[1] - before


@pytest.fixture
def traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.filterwarnings('error')
@pytest.mark.usefixtures('traced')
def test_malformed_messages_are_refused_and_cost_nothing():
    rng = np.random.default_rng(0)
    sides = [0, 1, 2, 2, 3, 4, 4, 6, 7, 12, 20, 33, 640, 2**31, HUGE]
    steps = [0, 0, 0, 1, 3, 8, 20, 40, 64, 2560, 2**31, HUGE]
    names = [*ENCODINGS, *DEPTHS, '', 'jpeg', '8UC2', '64FC1', 'bayer_', 'RGB8', 'é', '\x00']
    counts = {True: 0, False: 0}
    for _ in range(2000):
        size = int(rng.choice([0, 1, 5, 60, 500, 5000]))
        wrong = message(
            names[rng.integers(len(names))], int(rng.choice(sides)), int(rng.choice(sides)),
            int(rng.choice(steps)), rng.bytes(size), bool(rng.integers(2)),
        )  # fmt: skip
        for read in (rgb_of, depth_of):
            result, peak = peak_of(read, wrong)
            assert peak < 12 * size + 20_000, (wrong.encoding, wrong.height, wrong.width)
            counts[isinstance(result, InvalidMessageError)] += 1
    assert min(counts.values()) > 100


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.usefixtures('traced')
def test_reading_takes_a_small_multiple_of_the_message(encoding):
    planes = {'nv12': 1.5, 'nv21': 1.5, 'nv24': 3}.get(encoding, 1)
    channels = len(PACKED.get(encoding, 'mm' if encoding in YUV422 else 'm'))
    step = 300 * channels * bits_of(encoding) // 8
    size = int(planes * step * 200)
    image, peak = peak_of(rgb_of, message(encoding, 200, 300, step, bytes(size)))
    assert image.shape == (200, 300, 3)
    assert peak < 12 * size


def compressed(data, said='rgb8; jpeg compressed bgr8'):
    return CompressedImage(format=said, data=array('B', data))


def saved(picture, kind, **options):
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


def png(width, height, depth, colour, rows):
    """Return a PNG without a library, for what Pillow does not write."""
    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0))
    body = chunk(b'IDAT', zlib.compress(b''.join(b'\x00' + row for row in rows)))
    return b'\x89PNG\r\n\x1a\n' + head + body + chunk(b'IEND', b'')


COLOURS = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY = np.repeat(COLOURS[..., :1], 3, axis=2)


@pytest.mark.parametrize(
    ('mode', 'expected'), [('RGB', COLOURS), ('RGBA', COLOURS), ('L', GREY), ('LA', GREY)]
)
def test_png_is_lossless(mode, expected):
    data = saved(PIL.Image.fromarray(expected).convert(mode), 'PNG')
    same(decoded(compressed(data, 'bgr8; png compressed bgr8')), expected)


def test_png_with_a_palette_or_of_one_bit():
    two = PIL.Image.fromarray(COLOURS[:1, :2]).resize((6, 6), PIL.Image.Resampling.NEAREST)
    indexed = saved(two.convert('P', palette=PIL.Image.Palette.ADAPTIVE, colors=2), 'PNG')
    same(decoded(compressed(indexed)), np.array(two))
    black = saved(PIL.Image.fromarray(COLOURS[..., 0] > 127), 'PNG')
    same(decoded(compressed(black)), np.where(GREY > 127, 255, 0))


def test_png_of_16_bits():
    values = np.random.default_rng(1).integers(0, 2**16, (6, 4, 3))
    rows = [row.astype('>u2').tobytes() for row in values]
    expected = [[[to_eight(value, 16) for value in p] for p in row] for row in values.tolist()]
    same(decoded(compressed(png(4, 6, 16, 2, rows), 'rgb16; png compressed bgr16')), expected, 1)
    rows = [row[:, 0].astype('>u2').tobytes() for row in values]
    grey = [[p[:1] * 3 for p in row] for row in expected]
    same(decoded(compressed(png(4, 6, 16, 0, rows), 'mono16; png compressed ')), grey)


@pytest.mark.parametrize(
    'said',
    ['rgb8; jpeg compressed bgr8', 'bgr8; jpeg compressed bgr8', 'mono8; jpeg compressed ', 'jpeg',
     'png', '', 'bgra8; jpeg compressed bgr8', 'nonsense'],
)  # fmt: skip
def test_a_jpeg_is_what_its_bytes_say(said):
    flat = np.broadcast_to(np.uint8([200, 90, 30]), (16, 24, 3))
    data = saved(PIL.Image.fromarray(flat), 'JPEG', quality=95)
    same(decoded(compressed(data, said)), flat, tolerance=3)
    grey = saved(PIL.Image.fromarray(flat[..., 0]), 'JPEG', quality=95)
    same(decoded(compressed(grey, said)), np.full((16, 24, 3), 200), tolerance=1)


def test_a_picture_is_not_turned_as_exif_says():
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # orientation: turn by a quarter
    data = saved(PIL.Image.fromarray(COLOURS), 'JPEG', exif=exif)
    assert decoded(compressed(data)).shape == (7, 5, 3)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_what_was_cut_off_is_refused(kind):
    data = saved(PIL.Image.fromarray(COLOURS), kind)
    # Without the two checksums and the last chunk of a PNG, which Pillow does not miss.
    end = len(data) - 20 if kind == 'PNG' else len(data)
    for size in range(end):
        with pytest.raises(InvalidMessageError, match=r'(are neither|is broken \().*\.$'):
            decoded(compressed(data[:size]))


@pytest.mark.parametrize(
    ('data', 'sentence'),
    [
        (b'', 'The 0 bytes of format "rgb8; jpeg compressed bgr8" are neither JPEG nor PNG: set'),
        (b'GIF89a' + bytes(40), 'are neither JPEG nor PNG'),
        (bytes(12) + saved(PIL.Image.new('L', (2, 2)), 'PNG'), 'are neither JPEG nor PNG'),
        (saved(PIL.Image.new('L', (2, 2)), 'GIF'), 'are neither JPEG nor PNG'),
        (png(3841, 4320, 8, 2, []), 'claims more than 16,588,800 pixels: publish a smaller'),
        (png(10**5, 10**5, 8, 2, []), 'claims more than 16,588,800 pixels: publish a smaller'),
        (png(2**31 - 1, 2**31 - 1, 8, 2, []), 'claims more than 16,588,800 pixels'),
        (png(3840, 4320, 8, 2, []), 'is broken'),
        (png(2, 2, 8, 2, [bytes(6)] * 2)[:-12] + chunk(b'iCCP', b''), 'is broken'),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_one_sentence(data, sentence):
    with pytest.raises(InvalidMessageError, match=sentence) as caught:
        decoded(compressed(data))
    assert '\n' not in str(caught.value)


@pytest.mark.filterwarnings('ignore')  # Pillow's about broken metadata
def test_damaged_pictures_are_read_or_refused():
    rng = np.random.default_rng(0)
    whole = [saved(PIL.Image.fromarray(COLOURS), kind) for kind in ('JPEG', 'PNG')]
    refused = 0
    for k in range(1000):
        data = bytearray(whole[k % 2])
        for _ in range(rng.integers(1, 5)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            assert decoded(compressed(data)).dtype == np.uint8
        except InvalidMessageError:
            refused += 1
    assert 100 < refused < 1000
