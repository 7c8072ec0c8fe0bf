"""`iterprime evaluate` on the tabletop in the format of every data set on disk."""

import json
from functools import partial

import pytest

from helpers import refcoco_files as refcoco
from helpers.object_set_files import write_grefcoco, write_phrasecut, write_ref_zom
from iterprime_ros.cli import main
from iterprime_ros.evaluation.datasets.sources import SOURCES
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.evaluation.registry import DATASETS


def objects(write, *arguments):
    return lambda root: write(root, list(load_tabletop('held-out', 1)), *arguments)


def referred(write, *arguments):
    def written(root):
        scenes = refcoco.tabletop_scenes(1)
        refcoco.write_images(root / 'images/mscoco/images/train2014', scenes)
        write(root, scenes, *arguments)

    return written


WRITTEN = {
    ('refcoco', "refer.py's files"): referred(refcoco.write_refer),
    ('refcoco', "ReferFormer's JSON"): referred(refcoco.write_captions),
    ('refcoco', "the hub's parquet"): referred(refcoco.write_parquet),
    ('refcoco+', "refer.py's files"): referred(refcoco.write_refer, 'refcoco+'),
    ('refcocog-umd', "refer.py's files"): referred(refcoco.write_refer, 'refcocog', 'umd'),
    ('refcocog-google', "refer.py's files"): referred(refcoco.write_refer, 'refcocog', 'google'),
    ('phrasecut', ''): objects(write_phrasecut, 'test'),
    ('grefcoco', 'JSON'): objects(write_grefcoco, ['val']),
    ('grefcoco', 'pickle'): objects(partial(write_grefcoco, suffix='p'), ['val']),
    ('ref-zom', ''): objects(write_ref_zom, ['test']),
}
METRICS = {'P@0.5', 'mIoU', 'oIoU', 'P@0.5 (>)', 'P@0.9 (>=)'}


@pytest.mark.parametrize(('name', 'layout'), WRITTEN)
def test_every_format_is_evaluated(name, layout, tmp_path, capsys):
    WRITTEN[name, layout](tmp_path / 'data')
    places = ['--data-root', str(tmp_path / 'data'), '--out', str(tmp_path / 'out')]
    assert main(['evaluate', '--dataset', name, *places, '--baseline', 'position']) == 0
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert results['dataset'] == name
    assert results['images'] == 1
    metrics = results['metrics']['all']
    assert metrics.keys() >= METRICS
    # They are scenes of the world that the models were trained on.
    assert (
        metrics['mIoU']['value']
        > results['baselines']['position']['metrics']['all']['mIoU']['value']
    )
    assert {'N-acc', 'gIoU'} <= metrics.keys() or name not in ('grefcoco', 'ref-zom')
    assert all(each['tags'].keys() >= {'relation', 'length'} for each in results['outcomes'])
    report = capsys.readouterr().out
    if name.startswith('refcoco'):
        assert '## Published figures' in report


def test_every_data_set_on_disk_has_a_format_here():
    assert {name for name, _ in WRITTEN} == {name for name in DATASETS if SOURCES[name].layouts}


def test_merging_notices_another_data_set(tmp_path, capsys):
    written = WRITTEN['refcoco', "refer.py's files"]
    written(tmp_path / 'data')
    out = ['--out', str(tmp_path / 'out')]
    root = ['--data-root', str(tmp_path / 'data')]
    assert main(['evaluate', '--dataset', 'refcoco', *root, *out]) == 0
    (tmp_path / 'data').rename(tmp_path / 'moved')  # the same files at another place
    merge = ['merge', str(tmp_path / 'out'), '--data-root', str(tmp_path / 'moved')]
    assert main([*merge, '--out', str(tmp_path / 'merged')]) == 0
    refs = tmp_path / 'moved' / 'refcoco' / 'refs(unc).p'
    refs.write_bytes(refs.read_bytes() + b' ')
    capsys.readouterr()
    assert main([*merge, '--out', str(tmp_path / 'again')]) == 2
    assert 'is not what was evaluated: it has 1 images' in capsys.readouterr().err
