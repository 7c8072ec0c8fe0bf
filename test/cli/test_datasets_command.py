"""`iterprime datasets`: what is here, what is missing, where it comes from, and its licence."""

import pytest

from iterprime_ros.cli import main
from iterprime_ros.evaluation.datasets.sources import SOURCES


@pytest.fixture
def listed(capsys, monkeypatch, tmp_path):
    """Return a function that gives what a command prints, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('ITERPRIME_DATA', raising=False)

    def run(*arguments):
        assert main(['datasets', *arguments]) == 0
        return capsys.readouterr().out

    return run


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_all_data_sets_are_listed(listed):
    text = listed()
    headings = [line.split(':')[0] for line in text.splitlines() if not line.startswith(' ')]
    assert headings == list(SOURCES)
    for name, source in SOURCES.items():
        assert f'{name}: {source.title}\n  splits: {source.splits[0]} (default)' in text
    assert text.count('nothing to download') == sum(not each.layouts for each in SOURCES.values())
    assert '{' not in text


@pytest.mark.parametrize('name', SOURCES)
def test_one_data_set_is_listed(name, listed):
    text = listed(name)
    assert text.startswith(f'{name}: ')
    source = SOURCES[name]
    for split in source.splits:
        for pattern in (pattern for each in source.layouts for pattern in each.patterns(split)):
            assert f'data/{pattern}' in text
        for folder in source.image_folders(split):
            assert f'data/{folder}' in text
    joined = ' '.join(text.split())
    assert source.licence in joined


def test_it_says_what_is_here_and_what_is_missing(listed, tmp_path):
    root = tmp_path / 'elsewhere'
    absent = f'missing {root}/refcoco/refs(unc).p, {root}/refcoco/instances.json, {root}/images/'

    def state():
        return ' '.join(listed('refcoco', '--data-root', str(root)).split())

    assert f'val, testA, testB, train: {absent}' in state()
    for name in ('refs(unc).p', 'instances.json'):
        touch(root / 'refcoco' / name)
    assert f'val, testA, testB, train: missing {root}/images/mscoco' in state()
    (root / 'coco/train2014').mkdir(parents=True)
    assert 'val, testA, testB, train: here' in state()


def test_splits_that_lack_different_files_are_told_apart(listed, tmp_path):
    touch(tmp_path / 'data/jxu124/refcoco/data/test-00000-of-00001-1.parquet')
    (tmp_path / 'data/coco/train2014').mkdir(parents=True)
    text = listed('refcoco')
    assert '  testA: here\n' in text
    assert '  val, testB, train: missing data/refcoco/refs(unc).p, ' in text


def test_the_data_root_may_come_from_the_environment(listed, monkeypatch):
    monkeypatch.setenv('ITERPRIME_DATA', '/mnt/data')
    assert '/mnt/data/refcoco/instances.json' in listed('refcoco')
    assert 'other/refcoco/instances.json' in listed('refcoco', '--data-root', 'other')


def test_addresses_are_not_broken(listed):
    words = {word for source in SOURCES.values() for word in source.images_download.split()}
    shown = listed().split()
    for word in words:
        if word.startswith('http'):
            assert word in shown


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(['datasets', 'refcoco-x'])
    assert caught.value.code == 2
    assert "invalid choice: 'refcoco-x'" in capsys.readouterr().err
