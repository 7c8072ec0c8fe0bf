"""A data set and a baseline of two images: a file and a line each, and `evaluate` has them."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.cli import main
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation import registry
from iterprime_ros.evaluation.datasets.dataset import (
    InvalidDatasetError,
    Question,
    Sample,
    chosen_split,
)
from iterprime_ros.weights import ON_CPU

RED = (200, 20, 20)


@dataclass(frozen=True)
class Squares:
    """Images of a red square each."""

    split: str
    count: int
    indices: tuple[int, ...] | None = None

    @property
    def provenance(self):
        return 'drawn by a test'

    def __len__(self):
        return self.count

    def subset(self, indices):
        return Squares(self.split, self.count, tuple(indices))

    def __iter__(self):
        for k in range(self.count) if self.indices is None else self.indices:
            image = np.full((48, 64, 3), 90, np.uint8)
            image[10:30, 10 + k : 30 + k] = RED
            square = (image == RED).all(axis=2)
            yield Sample(
                f'square {k}',
                image,
                (
                    Question(
                        'find the red square', 'the red square', 'one', square, {'side': '20'}
                    ),
                    Question('find the $5 ball', 'the $5 ball', 'none', None),
                ),
            )


class RedPixels:
    """Answers commands with "red" by every red pixel, and rejects the others."""

    def embed(self, image, frame):
        return (image == RED).all(axis=2)

    def segment_many(self, frame, commands):
        heatmap = np.zeros(frame.shape, np.float32)
        return [
            Segmentation(Status.FOUND, 'Found.', None, frame, heatmap, 1.0)
            if 'red' in command
            else Segmentation(Status.NOT_FOUND, 'None.', None, frame & False, heatmap, 0.0)
            for command in commands
        ]


def load_squares(split=None, limit=None, root=None):
    return Squares(chosen_split('squares', ('train', 'val'), split), min(limit or 2, 2))


def load_nothing(split=None, limit=None, root=None):
    return Squares(split or 'train', 0 * (limit or 0))


def red_pixels(model, dataset, placement):
    return RedPixels()


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    datasets = {'squares': f'{__name__}:load_squares', 'nothing': f'{__name__}:load_nothing'}
    baselines = {'red-pixels': f'{__name__}:red_pixels'}
    monkeypatch.setattr(registry, 'DATASETS', {**registry.DATASETS, **datasets})
    monkeypatch.setattr(registry, 'BASELINES', {**registry.BASELINES, **baselines})


def test_evaluate_takes_another_data_set_and_baseline(tmp_path, capsys):
    arguments = ['evaluate', '--dataset', 'squares', '--split', 'val', '--limit', '9']
    baselines = ['--baseline', 'red-pixels', '--baseline', 'grad-cam']
    assert main([*arguments, *baselines, '--out', str(tmp_path)]) == 0
    results = json.loads((tmp_path / 'results.json').read_text())
    assert results['split'] == 'val'
    assert results['images'] == 2
    assert results['provenance'] == 'drawn by a test'
    assert results['metrics'].keys() == {'one', 'none', 'all'}
    images = [outcome['image_id'] for outcome in results['outcomes']]
    assert images == ['square 0', 'square 0', 'square 1', 'square 1']
    baseline = results['baselines']['red-pixels']
    assert [outcome['iou'] for outcome in baseline['outcomes']] == [1, 0, 1, 0]
    values = {name: estimate['value'] for name, estimate in baseline['metrics']['all'].items()}
    perfect = {'P@0.5': 1, 'mIoU': 1, 'oIoU': 1}
    rates = {'false rejections': 0, 'correct rejections': 1, 'false AMBIGUOUS': 0}
    assert values.items() >= {**perfect, **rates}.items()
    report = capsys.readouterr().out
    headings = [line for line in report.splitlines() if line.startswith('## ')]
    expected = [
        '## Profile tabletop',
        '## Baseline red-pixels',
        '## Baseline grad-cam',
        '## Legend',
        '## Profile tabletop: targets by side',
    ]
    assert [each for each in headings if each in expected] == expected
    assert '| one | 2 |' in report
    assert '| none | 2 |' in report


def test_an_ablation_takes_another_data_set(tmp_path):
    arguments = ['evaluate', '--ablation', '--dataset', 'squares', '--limit', '1']
    assert main([*arguments, '--out', str(tmp_path)]) == 0
    assert (
        '| mIoU | P@0.5 | gain over Grad-CAM | one: P@0.5 |'
        in (tmp_path / 'ablation.md').read_text()
    )


def test_an_unknown_split_is_rejected_before_models_load(capsys):
    arguments = ['evaluate', '--dataset', 'squares', '--split', 'testA', '--profile', 'none.yaml']
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        'Data set squares has no split "testA": choose one of train, val.\n'
    )


def test_a_data_set_without_questions_is_rejected(tmp_path, capsys):
    assert main(['evaluate', '--dataset', 'nothing', '--out', str(tmp_path)]) == 2
    assert 'Data set nothing, split train, has no questions.' in capsys.readouterr().err
    assert main(['evaluate', '--ablation', '--dataset', 'nothing', '--out', str(tmp_path)]) == 2
    assert 'questions with a target' in capsys.readouterr().err


def test_help_names_every_data_set_and_baseline(capsys):
    with pytest.raises(SystemExit):
        main(['evaluate', '--help'])
    text = capsys.readouterr().out
    for name in (*registry.DATASETS, *registry.BASELINES):
        assert name in text


def test_unknown_names_are_rejected():
    with pytest.raises(InvalidSettingError, match='no data set "visual-7w": name one of tabletop'):
        registry.load_dataset('visual-7w')
    with pytest.raises(InvalidSettingError, match='no baseline "clip": name one of grad-cam'):
        registry.load_baseline('clip', None, 'tabletop', ON_CPU)


@pytest.mark.parametrize(
    'mask', [np.zeros((48, 64), np.uint8), np.zeros((64, 48), bool), np.zeros((1, 48, 64), bool)]
)
def test_a_target_mask_that_does_not_fit_its_image_is_rejected(mask):
    with pytest.raises(InvalidDatasetError, match=r'Image a: the target mask of "the cat"'):
        Sample('a', np.zeros((48, 64, 3), np.uint8), (Question('', 'the cat', 'all', mask),))
