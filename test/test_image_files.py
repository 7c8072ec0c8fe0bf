"""Images are read whole or refused in one sentence, and outputs never replace one another."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from iterprime_ros.errors import (
    InvalidDepthError,
    InvalidImageError,
    InvalidSettingError,
    UnwritableError,
)
from iterprime_ros.image_files import (
    FORMATS,
    Outputs,
    find_images,
    output_paths,
    read_depth,
    read_image,
)
from iterprime_ros.limits import MAX_PIXELS


@pytest.fixture
def photo():
    """(8, 12, 3) uint8 of smooth colours, which survive lossy compression."""
    rows, columns = np.mgrid[:8, :12]
    return np.dstack([20 * rows, 20 * columns, 100 + 5 * rows]).astype(np.uint8)


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_is_read_whatever_its_suffix(photo, tmp_path, name):
    path = tmp_path / 'image.png'
    Image.fromarray(photo).save(path, format=name)
    image = read_image(path)
    assert image.dtype == np.uint8
    assert image.shape == photo.shape
    assert np.abs(image.astype(int) - photo).mean() < 10


@pytest.mark.parametrize('name', ['GIF', 'ICO', 'AVIF', 'PDF', 'EPS', 'TGA', 'JPEG2000'])
def test_other_formats_are_refused(photo, tmp_path, name):
    path = tmp_path / 'image.png'
    try:
        Image.fromarray(photo).save(path, format=name)
    except (KeyError, OSError):
        pytest.skip(f'this Pillow cannot write {name}')
    with pytest.raises(InvalidImageError, match='no JPEG, PNG, BMP, WebP, TIFF or PPM image'):
        read_image(path)


def test_images_are_turned_as_their_exif_says(photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90 degrees clockwise to display.
    Image.fromarray(photo).save(tmp_path / 'image.png', exif=exif)
    assert np.array_equal(read_image(tmp_path / 'image.png'), np.rot90(photo, -1))


@pytest.mark.parametrize('name', FORMATS)
def test_damage_is_one_sentence(photo, tmp_path, name):
    path = tmp_path / 'image.png'
    Image.fromarray(photo).save(path, format=name)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    sentences = []
    for _ in range(100):
        damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for place in rng.integers(0, len(damaged), 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_image(path)
        except InvalidImageError as error:
            sentences.append(str(error))
    assert sentences
    assert not any('\n' in each for each in sentences)


def claiming(width, height):
    """Return a PNG of a few bytes that claims a size."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', check)

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    parts = ((b'IHDR', header), (b'IDAT', zlib.compress(b'')), (b'IEND', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*part) for part in parts)


@pytest.mark.parametrize('size', [(3840, 4321), (12_000, 12_000), (2**31 - 1, 2**31 - 1)])
def test_more_pixels_than_the_limit_are_refused_before_they_are_decoded(tmp_path, size, recwarn):
    path = tmp_path / 'bomb.png'
    path.write_bytes(claiming(*size))
    with pytest.raises(InvalidImageError, match='more than 16,588,800 pixels: scale it down'):
        read_image(path)
    assert not recwarn.list


def test_as_many_pixels_as_the_limit_are_read(tmp_path):
    assert MAX_PIXELS == 2 * 3840 * 2160
    path = tmp_path / 'large.png'
    Image.new('L', (3840, 4320)).save(path)
    assert read_image(path).shape == (4320, 3840, 3)


@pytest.mark.parametrize('suffix', ['png', 'tiff'])
def test_depth_is_read_in_metres(tmp_path, suffix):
    millimetres = np.array([[0, 1, 1000], [65535, 5000, 432]], np.uint16)
    path = tmp_path / f'depth.{suffix}'
    Image.fromarray(millimetres).save(path)
    depth = read_depth(path)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, [[np.nan, 0.001, 1.0], [65.535, 5.0, 0.432]], rtol=1e-6)


def test_what_is_no_depth_is_one_sentence(photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / 'colour.png')
    Image.fromarray(photo[..., 0]).save(tmp_path / 'grey.png')
    (tmp_path / 'text.png').write_text('depth')
    Image.fromarray(np.full((9, 9), 7, np.uint16)).save(tmp_path / 'cut.png')
    (tmp_path / 'cut.png').write_bytes((tmp_path / 'cut.png').read_bytes()[:40])
    os.mkfifo(tmp_path / 'pipe.png')
    for name in ('colour', 'grey', 'text', 'cut', 'pipe', 'none'):
        with pytest.raises(InvalidDepthError, match='16-bit PNG') as error:
            read_depth(tmp_path / f'{name}.png')
        assert '\n' not in str(error.value)


def test_what_is_no_regular_file_is_refused(tmp_path):
    (tmp_path / 'folder.png').mkdir()
    os.mkfifo(tmp_path / 'pipe.png')
    (tmp_path / 'device.png').symlink_to('/dev/zero')
    for name in ('folder.png', 'pipe.png', 'device.png'):
        with pytest.raises(InvalidImageError, match=rf'{name} is no regular file'):
            read_image(tmp_path / name)


def test_a_file_that_the_system_refuses_is_one_sentence(tmp_path):
    (tmp_path / 'link.png').symlink_to('gone.png')
    with pytest.raises(InvalidImageError, match=r'Cannot read .*: No such file or directory'):
        read_image(tmp_path / 'link.png')
    with pytest.raises(InvalidImageError, match=r'Cannot read .*: File name too long'):
        read_image(tmp_path / ('x' * 300))


def test_a_folder_holds_images_and_what_only_looks_like_one(tmp_path):
    for name in ('b.jpg', 'a.PNG', 'notes.txt'):
        (tmp_path / name).touch()
    (tmp_path / 'link.png').symlink_to('gone.png')
    (tmp_path / 'folder.png').mkdir()
    (tmp_path / 'folder').mkdir()
    os.mkfifo(tmp_path / 'pipe.png')
    images, others = find_images(tmp_path)
    assert [path.name for path in images] == ['a.PNG', 'b.jpg', 'link.png']
    assert [path.name for path in others] == ['folder.png', 'pipe.png']
    assert find_images(tmp_path / 'notes.txt') == ([tmp_path / 'notes.txt'], [])


def test_a_path_without_images_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / 'folder.png').mkdir()
    os.mkfifo(tmp_path / 'pipe.png')
    for path, words in (
        (tmp_path, 'There is no image in the folder'),
        (tmp_path / 'none.png', 'There is no image at'),
        (tmp_path / 'pipe.png', 'is no regular file'),
        (tmp_path / ('x' * 300), 'File name too long'),
    ):
        with pytest.raises(InvalidImageError, match=words):
            find_images(path)

    def deny(_):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(os, 'listdir', deny)
    monkeypatch.setattr(os, 'scandir', deny)
    with pytest.raises(InvalidImageError, match=r'Cannot read .*: Permission denied\.'):
        find_images(tmp_path)


@pytest.fixture
def table(tmp_path):
    """An image, in a folder of its own."""
    path = tmp_path / 'photos' / 'table.png'
    path.parent.mkdir()
    path.touch()
    return path


def names(planned):
    return {path.name for paths in planned.values() for path in paths.values()}


def test_a_single_output_is_the_file_that_is_named(table, tmp_path):
    planned = output_paths(Outputs(mask=tmp_path / 'new' / 'mask.png'), [table], 1)
    assert planned == {(table, 0): {'mask': tmp_path / 'new' / 'mask.png'}}
    assert output_paths(Outputs(), [table], 1) == {(table, 0): {}}


def test_names_in_a_folder_say_image_command_and_kind(table, tmp_path):
    planned = output_paths(Outputs(tmp_path, tmp_path, tmp_path), [table], 2)
    assert names(planned) == {
        f'table-{number}-{kind}.png'
        for number in (0, 1)
        for kind in ('overlay', 'mask', 'explanation')
    }


def test_images_of_one_stem_have_outputs_of_their_own_in_every_run(table, tmp_path):
    other = table.with_suffix('.jpg')
    other.touch()
    together = output_paths(Outputs(mask=tmp_path), [table, other], 1)
    assert names(together) == {'table.png-0-mask.png', 'table.jpg-0-mask.png'}
    alone = {path: output_paths(Outputs(mask=tmp_path), [path], 1) for path in (table, other)}
    assert {**alone[table], **alone[other]} == together


def test_outputs_that_would_be_one_file_are_refused(table, tmp_path):
    for outputs in (
        Outputs(overlay=tmp_path / 'a.png', mask=tmp_path / 'a.png'),
        Outputs(overlay=tmp_path / 'a.png', mask=tmp_path / 'photos' / '..' / 'a.png'),
    ):
        with pytest.raises(InvalidSettingError, match='Two outputs would be written to'):
            output_paths(outputs, [table], 1)
    other = table.with_suffix('.jpg')
    strange = table.with_name('table.jpg.png')
    for path in (other, strange):
        path.touch()
    with pytest.raises(InvalidSettingError, match=r'to .*table\.jpg-0-mask\.png: name'):
        output_paths(Outputs(mask=tmp_path), [table, other, strange], 1)


def test_outputs_that_would_replace_an_image_are_refused(table, tmp_path):
    link = tmp_path / 'link.png'
    link.symlink_to(table)
    for out in (table, link, table.parent / '..' / 'photos' / 'table.png'):
        with pytest.raises(InvalidSettingError, match='would replace the image'):
            output_paths(Outputs(overlay=out), [table], 1)
    earlier = table.with_name('table-0-mask.png')
    earlier.touch()
    with pytest.raises(InvalidSettingError, match=r'table-0-mask\.png would replace the image'):
        output_paths(Outputs(mask=table.parent), [table, earlier], 1)


def test_several_answers_need_a_folder(table, tmp_path):
    file = tmp_path / 'mask.png'
    assert names(output_paths(Outputs(mask=file), [table], 2)) == {
        'table-0-mask.png',
        'table-1-mask.png',
    }
    file.touch()
    with pytest.raises(InvalidSettingError, match=r'mask\.png is a file, and several answers'):
        output_paths(Outputs(mask=file), [table], 2)


def test_an_output_that_the_system_refuses_is_one_sentence(table, tmp_path):
    with pytest.raises(UnwritableError, match=r'Cannot write .*: File name too long'):
        output_paths(Outputs(mask=tmp_path / f'{"x" * 300}.png'), [table], 1)
