"""Files of data sets: what they hold, nothing of theirs runs, and damage is one sentence."""

import collections
import datetime
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel, TypeAdapter

from helpers import python2_pickle
from iterprime_ros.evaluation.datasets import files
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)
LISTS_OF_TEXT = st.recursive(
    st.none() | st.integers(-(2**31), 2**31 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'file'


def says(function, *words):
    with pytest.raises(InvalidDatasetError) as caught:
        function()
    message = str(caught.value)
    assert message.endswith('.')
    assert '\n' not in message
    for word in words:
        assert str(word) in message
    return message


@given(PLAIN, st.integers(0, 5))
def test_plain_pickles_are_read(tmp_path_factory, value, protocol):
    path = tmp_path_factory.getbasetemp() / 'plain.p'
    path.write_bytes(pickle.dumps(value, protocol))
    assert files.read_pickle(path, 'refcoco') == value


@given(LISTS_OF_TEXT)
def test_pickles_of_python_2_are_read(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / 'old.p'
    path.write_bytes(python2_pickle.dumps(value))
    assert files.read_pickle(path, 'refcoco') == value


def test_byte_strings_of_python_2_are_utf_8_or_else_latin_1(path):
    for content in ('café'.encode(), 'café'.encode('latin-1')):
        path.write_bytes(b'\x80\x02U' + bytes([len(content)]) + content + b'.')
        assert files.read_pickle(path, 'refcoco') == 'café'


@pytest.mark.parametrize('protocol', range(6))
def test_nothing_in_a_pickle_runs(path, protocol, tmp_path):
    made = tmp_path / 'made'
    for value in (Runs(made), [{'sent': Runs(made)}], {'a': (1, [Runs(made)])}):
        path.write_bytes(pickle.dumps(value, protocol))
        says(lambda: files.read_pickle(path, 'refcoco'), path, 'mkdir')
    assert not made.exists()


@pytest.mark.parametrize(
    'value',
    [
        collections.OrderedDict(a=1),
        np.int64(3),
        np.ones(2),
        datetime.date(2020, 1, 1),
        Path('x'),
        len,
        dict,
        1j,
    ],
)
def test_harmless_classes_are_refused_as_well(path, value):
    path.write_bytes(pickle.dumps(value))
    says(lambda: files.read_pickle(path, 'refcoco'), path, 'iterprime datasets refcoco')


@pytest.mark.parametrize(
    'content',
    [
        b'cos\nsystem\n(S"touch made"\ntR.',
        b'\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00touch made\x85R.',
        b'\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0atouch made\x85R.',
        b'(S"touch made"\nios\nsystem\n.',
        b'(cos\nsystem\nS"touch made"\no.',
        b'\x80\x02c__builtin__\neval\nX\x04\x00\x00\x001+1.\x85R.',
        b'\x80\x02\x82\x01.',
        b'\x80\x02\x83\x01\x00.',
        b'\x80\x02\x84\x01\x00\x00\x00.',
        b'Pid\n.',
        b'\x80\x02Nb.',
        b'\x80\x02NNR.',
        b'\x80\x02NN\x81.',
        b'\x80\x04\x8eeeeeeeee.',
        b'\x80\x04\x8e' + struct.pack('<Q', 2**62) + b'.',
        b'\x80\x63.',
        b'',
        b'.',
        b'PK\x03\x04',
        b'\x80\x02]q\x00',
    ],
)
def test_what_is_no_plain_pickle_is_one_sentence(path, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path.write_bytes(content)
    says(lambda: files.read_pickle(path, 'refcoco'), path, 'no pickle, or damaged')
    assert not Path('made').exists()


# Without p and r, which may make a pickle claim gigabytes for its memo.
@given(st.binary(max_size=60).filter(lambda content: not set(b'pr') & set(content)))
def test_any_bytes_are_plain_or_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / 'any.p'
    path.write_bytes(content)
    try:
        value = files.read_pickle(path, 'refcoco')
    except InvalidDatasetError as error:
        assert '\n' not in str(error)  # noqa: PT017
        return
    assert type(value).__module__ == 'builtins'


def test_json(path):
    path.write_text(json.dumps({'a': [1, 'é', None]}))
    assert files.read_json(path, 'refcoco') == {'a': [1, 'é', None]}


def test_what_is_not_kept_of_json_is_replaced_at_once(path):
    path.write_text(json.dumps([{'id': 1}, {'id': 2}]))
    kept = files.read_json(path, 'x', lambda value: value if value['id'] == 2 else None)
    assert kept == [None, {'id': 2}]


@pytest.mark.parametrize(
    'content', [b'', b'{"a": ', b'\xff\xfe', b'version https://git-lfs', b'[' * 10**5]
)
def test_what_is_no_json_is_one_sentence(path, content):
    path.write_bytes(content)
    says(lambda: files.read_json(path, 'refcoco'), path, 'no JSON, or damaged', 'refcoco says')


@pytest.mark.parametrize('read', [files.read_json, files.read_pickle])
def test_a_missing_file_is_one_sentence(read, path):
    message = says(lambda: read(path, 'refcoco'))
    assert message == (
        f'Cannot read {path} (no such file): iterprime datasets refcoco says what to download.'
    )
    path.mkdir()
    says(lambda: read(path, 'refcoco'), path, 'Is a directory')


def test_missing_images_are_counted(tmp_path):
    names = [tmp_path / name for name in 'abc']
    names[0].touch()
    files.check_files(names[:1], 'refcoco')
    says(lambda: files.check_files(names[:2], 'refcoco'), f'{names[1]} (no such file)')
    message = says(lambda: files.check_files(names, 'refcoco'))
    assert f'{names[1]} (no such file; 2 of 3 are missing)' in message


class Point(BaseModel):
    x: int


def test_content_of_another_form_is_one_sentence(path):
    schema = TypeAdapter(list[Point])
    assert files.validated(schema, [{'x': 1, 'y': 2}], path, 'refcoco') == [Point(x=1)]
    says(
        lambda: files.validated(schema, [{'x': 1}, {'x': 'a'}, {}], path, 'refcoco'),
        f'{path} is damaged (1.x: Input should be a valid integer',
    )
    says(lambda: files.validated(schema, 3, path, 'refcoco'), f'{path} is damaged (Input should')


def test_an_image_is_read_to_the_pixel_whatever_its_name(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    path = tmp_path / 'x.jpg'
    Image.fromarray(pixels).save(path, format='PNG')
    for size in ((12, 17), None):
        np.testing.assert_array_equal(files.read_rgb(path, size, 'refcoco'), pixels)
    says(lambda: files.read_rgb(path, (17, 12), 'refcoco'), path, '12 x 17', '17 x 12')


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA', 'CMYK', '1'])
def test_every_colour_mode_becomes_rgb(tmp_path, mode):
    image = Image.new('RGB', (6, 4), (200, 200, 200)).convert(mode)
    path = tmp_path / 'x.jpg'
    image.save(path, format='JPEG' if mode in ('L', 'CMYK') else 'PNG')
    found = files.read_rgb(path, (4, 6), 'refcoco')
    np.testing.assert_array_equal(found, np.asarray(Image.open(path).convert('RGB')))
    assert found.dtype == np.uint8


def test_exif_does_not_turn_an_image(tmp_path):
    path = tmp_path / 'x.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new('RGB', (6, 4)).save(path, exif=exif)
    assert files.read_rgb(path, (4, 6), 'refcoco').shape == (4, 6, 3)


def test_a_damaged_image_is_one_sentence(tmp_path):
    whole = tmp_path / 'whole.jpg'
    Image.fromarray(np.zeros((64, 64, 3), dtype=np.uint8)).save(whole)
    path = tmp_path / 'x.jpg'
    says(lambda: files.read_rgb(path, None, 'refcoco'), f'Cannot read {path} (no such file)')
    for content in (b'', b'<html>', whole.read_bytes()[:-20], whole.read_bytes()[:30]):
        path.write_bytes(content)
        says(lambda: files.read_rgb(path, None, 'refcoco'), path, 'no image, or damaged')


def test_an_image_that_claims_too_much_is_one_sentence(tmp_path):
    path = tmp_path / 'x.jpg'
    Image.new('1', (20000, 10000)).save(path, format='PNG')
    says(lambda: files.read_rgb(path, None, 'refcoco'), path, 'pixels')


def test_a_checksum_is_that_of_sha256sum(path):
    path.write_bytes(b'abc')
    assert files.checksum(path).startswith('ba7816bf8f01cfea')
