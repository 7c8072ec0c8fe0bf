"""What data sets consist of: the same files that the readers look for."""

import pytest

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.clip_registry import CLIP_DATASETS, load_clip_dataset
from iterprime_ros.evaluation.datasets.sources import SOURCES, Layout, Source, found, missing
from iterprime_ros.evaluation.registry import DATASETS, load_dataset

ON_DISK = [name for name, source in SOURCES.items() if source.layouts]
TWO = Source(
    title='two layouts',
    splits=('val', 'test'),
    layouts=(
        Layout('first', ('a/refs(x).p', 'a/{split}.json'), 'somewhere'),
        Layout('second', ('b/{split}-*.parquet',), 'elsewhere', {'val': 'validation'}),
    ),
    images=('images/a', 'images/b'),
)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_every_data_set_has_a_source():
    assert list(SOURCES) == [*DATASETS, *CLIP_DATASETS]


@pytest.mark.parametrize('name', SOURCES)
def test_the_splits_are_those_of_the_loader(name, tmp_path):
    load = load_clip_dataset if name in CLIP_DATASETS else load_dataset
    with pytest.raises(InvalidSettingError) as caught:
        load(name, 'no such split', None, tmp_path)
    assert str(caught.value).endswith(f'choose one of {", ".join(SOURCES[name].splits)}.')


@pytest.mark.parametrize('name', ON_DISK)
def test_what_is_on_disk_says_where_it_comes_from(name):
    source = SOURCES[name]
    assert source.licence
    assert source.images
    assert source.images_download
    assert all(layout.download for layout in source.layouts)


def test_a_pattern_finds_files_with_brackets_and_parts(tmp_path):
    for name in ('refs(unc).p', 'test-0-of-1.parquet', 'testB-0-of-1.parquet'):
        touch(tmp_path / 'a' / name)
    touch(tmp_path / 'a' / 'x[1].json')
    touch(tmp_path / 'a' / 'x1.json')
    assert found('a/refs(unc).p', tmp_path) == [tmp_path / 'a' / 'refs(unc).p']
    assert found('a/test-*.parquet', tmp_path) == [tmp_path / 'a' / 'test-0-of-1.parquet']
    assert found('a/x[1].json', tmp_path) == [tmp_path / 'a' / 'x[1].json']
    assert found('a', tmp_path) == [tmp_path / 'a']
    assert found('b', tmp_path) == found('b/*', tmp_path) == []


def test_images_may_be_in_a_folder_of_each_split(tmp_path):
    source = Source('by split', ('val', 'test'), images=('a/{split}/images',))
    assert source.image_folders('test') == ('a/test/images',)
    (tmp_path / 'a/test/images').mkdir(parents=True)
    assert missing(source, 'test', tmp_path) == []
    assert missing(source, 'val', tmp_path) == ['a/val/images']


def test_what_is_missing_is_that_of_the_layout_that_is_begun(tmp_path):
    assert missing(TWO, 'val', tmp_path) == ['a/refs(x).p', 'a/val.json', 'images/a']
    (tmp_path / 'images' / 'b').mkdir(parents=True)
    assert missing(TWO, 'val', tmp_path) == ['a/refs(x).p', 'a/val.json']
    touch(tmp_path / 'b' / 'validation-0.parquet')
    assert missing(TWO, 'val', tmp_path) == []
    assert missing(TWO, 'test', tmp_path) == ['a/refs(x).p', 'a/test.json']
    touch(tmp_path / 'a' / 'refs(x).p')
    assert missing(TWO, 'val', tmp_path) == ['a/val.json']
    touch(tmp_path / 'a' / 'val.json')
    assert missing(TWO, 'val', tmp_path) == []
