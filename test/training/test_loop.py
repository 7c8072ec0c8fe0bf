"""Interrupted training resumes and ends with the same weights."""

import csv
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from iterprime_ros.training.loop import CheckpointError, TrainingSettings, train

SETTINGS = TrainingSettings(steps=60, learning_rate=1e-2, warmup=5, save_every=10)


class LinearLearner(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(3, 1)

    def forward(self, batch):
        error = self.line(batch['x']).float() - batch['x'].sum(1, keepdim=True)
        return {'loss': (error**2).mean()}


def batch(step):
    return {'x': torch.randn(16, 3, generator=torch.Generator().manual_seed(step))}


class InterruptionError(Exception):
    pass


def interrupted_at(last):
    def make(step):
        if step == last:
            raise InterruptionError
        return batch(step)

    return make


def weights(learner):
    return torch.cat([parameter.detach().flatten() for parameter in learner.parameters()])


def test_the_loss_decreases(tmp_path):
    learner = LinearLearner()
    train(learner, batch, SETTINGS, tmp_path, 'cpu', workers=0)
    rows = list(csv.DictReader((tmp_path / 'log.csv').open()))
    assert [int(row['step']) for row in rows] == [25, 50, 60]
    assert float(rows[-1]['loss']) < 0.6 * float(rows[0]['loss'])


@pytest.mark.parametrize('last', [3, 10, 37, 59])
def test_interrupted_training_ends_with_the_same_weights_and_log(tmp_path, last):
    whole, interrupted = LinearLearner(), LinearLearner()
    train(whole, batch, SETTINGS, tmp_path / 'whole', 'cpu', workers=0)
    with pytest.raises(InterruptionError):
        train(
            interrupted, interrupted_at(last), SETTINGS, tmp_path / 'interrupted', 'cpu', workers=0
        )
    resumed = LinearLearner()
    train(resumed, batch, SETTINGS, tmp_path / 'interrupted', 'cpu', workers=0)
    assert torch.equal(weights(resumed), weights(whole))
    steps = [
        [row['step'] for row in csv.DictReader((tmp_path / name / 'log.csv').open())]
        for name in ('whole', 'interrupted')
    ]
    assert steps[0] == steps[1]


def test_training_resumes_after_a_kill_during_a_save(tmp_path):
    """After SIGKILL in torch.save the incomplete file is not used as a checkpoint."""
    script = textwrap.dedent("""
        import os, signal, sys, torch
        from pathlib import Path
        import test_loop
        from iterprime_ros.training.loop import train
        original_save, count = torch.save, 0
        def save(content, path):
            global count
            count += 1
            if count == 3:
                Path(path).write_bytes(b'incomplete')
                os.kill(os.getpid(), signal.SIGKILL)
            original_save(content, path)
        torch.save = save
        train(
            test_loop.LinearLearner(),
            test_loop.batch,
            test_loop.SETTINGS,
            Path(sys.argv[1]),
            'cpu',
            workers=0,
        )
    """)
    process = subprocess.run(
        [sys.executable, '-c', script, str(tmp_path / 'killed')],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    resumed, whole = LinearLearner(), LinearLearner()
    train(resumed, batch, SETTINGS, tmp_path / 'killed', 'cpu', workers=0)
    train(whole, batch, SETTINGS, tmp_path / 'whole', 'cpu', workers=0)
    assert torch.equal(weights(resumed), weights(whole))


def test_a_checkpoint_of_another_length_is_rejected(tmp_path):
    train(LinearLearner(), batch, SETTINGS, tmp_path, 'cpu', workers=0)
    with pytest.raises(CheckpointError, match=r'of a training of 60 steps, not 70'):
        train(
            LinearLearner(),
            batch,
            TrainingSettings(steps=70, learning_rate=1e-2),
            tmp_path,
            'cpu',
            workers=0,
        )


def test_the_learning_rate_schedule():
    settings = TrainingSettings(steps=100, learning_rate=2.0, warmup=10, decay=0.2)
    assert settings.learning_rate_at(0) == pytest.approx(0.2)
    assert (
        settings.learning_rate_at(9)
        == settings.learning_rate_at(50)
        == settings.learning_rate_at(80)
        == pytest.approx(2.0)
    )
    assert settings.learning_rate_at(90) == pytest.approx(1.0)
    assert settings.learning_rate_at(99) == pytest.approx(0.1)


def test_parameters_with_the_prefix_are_trained_at_a_lower_rate(tmp_path):
    """Steps of AdamW are proportional to the learning rate, here without weight decay."""
    settings = {'steps': 1, 'learning_rate': 1e-2, 'warmup': 1, 'weight_decay': 0.0}
    normal, slow = LinearLearner(), LinearLearner()
    train(normal, batch, TrainingSettings(**settings), tmp_path / 'normal', 'cpu', workers=0)
    slowed = TrainingSettings(**settings, slow_prefix='line.weight', slow_factor=0.5)
    train(slow, batch, slowed, tmp_path / 'slow', 'cpu', workers=0)
    start = LinearLearner().line
    torch.testing.assert_close(
        slow.line.weight - start.weight, 0.5 * (normal.line.weight - start.weight)
    )
    torch.testing.assert_close(slow.line.bias, normal.line.bias)
