"""`iterprime evaluate` and what is built on it, with the models that ship."""

import json
import shutil

import matplotlib.image
import pytest
import torch
import yaml

from iterprime_ros.cli import main
from iterprime_ros.evaluation import calibrate, calibrate_heatmap
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.profiles import TABLETOP, load_profile
from iterprime_ros.training import ship as shipping
from iterprime_ros.training.matcher.small_blip import small_blip
from iterprime_ros.training.matcher.vocabulary import word_tokenizer
from iterprime_ros.training.ship import NotBetterError, ship

torch.set_num_threads(1)  # two are slower where anything else runs
SOME = ['evaluate', '--split', 'calibration']


def test_it_writes_reports_and_pictures(tmp_path, capsys):
    assert main([*SOME, '--limit', '2', '--out', str(tmp_path)]) == 0
    results = json.loads((tmp_path / 'results.json').read_text())
    assert results['provenance'].startswith('scenes 2000000 to 2000001')
    assert results['depth'] == 'given'
    assert results['images'] == 2
    assert len(results['outcomes']) == results['questions'] >= 6
    report = (tmp_path / 'report.md').read_text()
    assert report in capsys.readouterr().out
    assert '| attributes | 2 |' in report
    for name in ('worst.png', 'sample.png'):
        assert matplotlib.image.imread(tmp_path / name).shape[1] > 1000


def test_the_ablation_has_every_part(tmp_path):
    assert main([*SOME, '--ablation', '--limit', '1', '--out', str(tmp_path)]) == 0
    variants, objects, heatmaps = (tmp_path / 'ablation.md').read_text().strip().split('\n\n')
    names = [row.split(' | ')[0].strip('| ') for row in variants.splitlines()[2:]]
    assert names[:2] == [
        'one heatmap: Grad-CAM alone, last block', 'one heatmap: Grad-CAM alone'
    ]  # fmt: skip
    assert sum(name.startswith('one heatmap') for name in names) == 14
    assert {'parts: full', 'parts: the best of all objects'} < set(names)
    assert len(names) == len(set(names)) == 27
    assert '| recall@0.5 |' in objects
    assert len(objects.splitlines()) == 2 + 3
    assert '| place, relation, negation: pointing game |' in heatmaps
    assert len(heatmaps.splitlines()) == 2 + 7


def test_depth_can_be_withheld(tmp_path):
    assert main([*SOME, '--image-only', '--limit', '1', '--out', str(tmp_path)]) == 0
    assert json.loads((tmp_path / 'results.json').read_text())['depth'] == 'not given'


@pytest.mark.parametrize('limit', ['0', 'many'])
def test_a_limit_that_is_no_number_of_images_is_rejected(limit, capsys):
    with pytest.raises(SystemExit) as rejected:
        main(['evaluate', '--limit', limit])
    assert rejected.value.code == 2
    assert 'no number from 1 to 1000' in capsys.readouterr().err


def test_more_scenes_than_the_tabletop_has_are_rejected(capsys):
    assert main(['evaluate', '--limit', '1001']) == 2
    assert 'must be from 1 to 1000, not 1001' in capsys.readouterr().err


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of what ships, that a test may replace."""
    folder = tmp_path / 'shipped'
    shutil.copytree(TABLETOP, folder)
    monkeypatch.setattr(shipping, 'TABLETOP', folder)
    return folder


@pytest.fixture
def untrained(tmp_path):
    """Models with a random matcher."""
    folder = tmp_path / 'untrained'
    shutil.copytree(TABLETOP, folder)
    tokenizer = word_tokenizer()
    torch.manual_seed(0)
    small_blip(tokenizer).save_pretrained(folder / 'matcher')
    return folder


def weights(folder):
    return (folder / 'matcher' / 'model.safetensors').read_bytes()


def test_worse_models_are_rejected(shipped, untrained, tmp_path):
    before = weights(shipped)
    with pytest.raises(NotBetterError, match='are no better'):
        ship(untrained, 2, tmp_path / 'out')
    assert weights(shipped) == before


def test_better_models_take_their_place(shipped, untrained, tmp_path, monkeypatch):
    shutil.rmtree(shipped)
    shutil.copytree(untrained, shipped)
    better = tmp_path / 'better'
    better.mkdir()
    for name in ('profile.yaml', 'primary_word.json', 'matcher', 'masks'):
        copy = shutil.copytree if (TABLETOP / name).is_dir() else shutil.copy
        copy(TABLETOP / name, better / name)
    ship(better, 2, tmp_path / 'out')
    assert weights(shipped) == weights(TABLETOP)


def test_calibration_rewrites_the_settings_alone(tmp_path, monkeypatch, capsys):
    path = tmp_path / 'mine.yaml'
    path.write_text('base: tabletop\nanswer: {by: heatmap, max_peaks: 3}\n')
    monkeypatch.setattr(
        calibrate_heatmap, 'refinement_settings', lambda: [{'rounds': 1}, {'rounds': 2}]
    )
    assert calibrate.main([str(path), '--scenes', '2']) == 0
    fields = yaml.safe_load(path.read_text())
    assert set(fields) == {'base', 'grounding', 'answer'}
    assert GroundingSettings(**fields['grounding']).rounds in (1, 2)
    assert load_profile(path).answer.max_peaks == 3
    assert 'match threshold' in capsys.readouterr().out


def test_calibration_by_parts_fits_the_region_match(tmp_path, capsys):
    path = tmp_path / 'mine.yaml'
    path.write_text('base: tabletop\nanswer: {by: parts}\nregions: {only: 0, bias: 50}\n')
    assert calibrate.main([str(path), '--scenes', '2']) == 0
    assert set(yaml.safe_load(path.read_text())) == {'base', 'answer', 'regions'}
    profile = load_profile(path)
    assert profile.regions.only > 0
    assert profile.regions.bias < 5
    assert 0 < profile.answer.match_threshold < 1
    report = capsys.readouterr().out
    assert 'region and contrast: patch share' in report
    assert report.count('scenes, contrast') == 2
