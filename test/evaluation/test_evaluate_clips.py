"""`iterprime evaluate-video` on every data set of clips; what was stopped goes on."""

import json

import pytest

from helpers.video_files import (
    DAVIS,
    YOUTUBE,
    rendered_videos,
    write_indexed,
    write_mevis,
)
from iterprime_ros.cli import main
from iterprime_ros.evaluation.clip_log import CLIPS
from iterprime_ros.evaluation.clip_registry import CLIP_DATASETS

SPLITS = {'ref-davis17': 'valid', 'ref-youtube-vos': 'train', 'mevis': 'valid_u'}
FILES = {CLIPS.name, 'report.md', 'results.json', 'worst.png'}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Return a data root with every data set on disk, of pushed objects on the table."""
    root = tmp_path_factory.mktemp('data')
    videos = rendered_videos(2, (0, 2, 4), (320, 240))
    write_indexed(root, DAVIS, 'valid', videos)
    write_indexed(root, YOUTUBE, 'train', videos)
    write_mevis(root, 'valid_u', videos)
    return root


def evaluate(root, out, *arguments):
    return main(['evaluate-video', '--data-root', str(root), '--out', str(out), *arguments])


def test_every_data_set_on_disk_is_here():
    assert {*SPLITS, 'clips'} == set(CLIP_DATASETS)


@pytest.mark.parametrize('name', SPLITS)
def test_every_layout_is_evaluated(name, root, tmp_path, capsys):
    arguments = ['--dataset', name, '--limit', '2', '--baseline', 'every-frame']
    assert evaluate(root, tmp_path, *arguments) == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES
    results = json.loads((tmp_path / 'results.json').read_text())
    assert (results['dataset'], results['split'], results['clips']) == (name, SPLITS[name], 2)
    assert list(results['followers']) == ['tracker', 'every-frame']
    for follower in results['followers'].values():
        first, second = follower['clips']
        # They are scenes of the world that the models were trained on, and no motion is fast.
        assert first['J&F'] > 0.5
        assert len(first['similarity']) == len(second['similarity']) == 3
        assert first['video_id'] == second['video_id']
    printed = capsys.readouterr()
    assert printed.out == (tmp_path / 'report.md').read_text()
    assert printed.err.endswith(f'The reports are in {tmp_path}.\n')


def test_what_was_stopped_goes_on(root, tmp_path, capsys):
    arguments = ['--dataset', 'mevis', '--limit', '2']
    assert evaluate(root, tmp_path, *arguments) == 0
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    lines = whole[CLIPS.name].splitlines(keepends=True)
    (tmp_path / CLIPS.name).write_bytes(b''.join(lines[:2]) + b'{"index":1')
    assert evaluate(root, tmp_path, *arguments) == 2
    assert 'not finished (1 of 2 clips): go on with --resume' in capsys.readouterr().err
    assert evaluate(root, tmp_path, *arguments, '--resume') == 0
    again = (tmp_path / CLIPS.name).read_bytes().splitlines(keepends=True)
    assert again[:2] == lines[:2]
    assert without_times(again[2]) == without_times(lines[2])
    assert (tmp_path / 'worst.png').read_bytes() == whole['worst.png']


def without_times(line):
    content = json.loads(line)
    for each in content['followed'].values():
        del each['wall_ms'], each['cpu_ms']
    return content


def test_wrong_use_is_one_sentence(tmp_path, capsys):
    assert evaluate(tmp_path, tmp_path / 'out', '--dataset', 'mevis') == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith(f'Cannot read {tmp_path}/mevis/valid_u/meta_expressions.json')
    assert evaluate(tmp_path, tmp_path / 'out', '--split', 'valid') == 2
    assert 'Data set clips has no split "valid"' in capsys.readouterr().err
