"""Training goes on where it was killed, and ends where it would have ended."""

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

from iterprime_ros.training.loop import CheckpointError, Plan, train

PLAN = Plan(steps=60, rate=1e-2, warmup=5, save_every=10)


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(3, 1)

    def forward(self, batch):
        error = self.line(batch['x']).float() - batch['x'].sum(1, keepdim=True)
        return {'loss': (error**2).mean()}


def batch(step):
    return {'x': torch.randn(16, 3, generator=torch.Generator().manual_seed(step))}


class KilledError(Exception):
    pass


def killed_at(last):
    def make(step):
        if step == last:
            raise KilledError
        return batch(step)

    return make


def weights(learner):
    return torch.cat([parameter.detach().flatten() for parameter in learner.parameters()])


def test_it_learns(tmp_path):
    learner = Line()
    train(learner, batch, PLAN, tmp_path, 'cpu', workers=0)
    rows = list(csv.DictReader((tmp_path / 'log.csv').open()))
    assert [int(row['step']) for row in rows] == [25, 50, 60]
    assert float(rows[-1]['loss']) < 0.6 * float(rows[0]['loss'])


@pytest.mark.parametrize('last', [3, 10, 37, 59])
def test_stopped_anywhere_it_ends_with_the_same_weights_and_log(tmp_path, last):
    whole, broken = Line(), Line()
    train(whole, batch, PLAN, tmp_path / 'whole', 'cpu', workers=0)
    with pytest.raises(KilledError):
        train(broken, killed_at(last), PLAN, tmp_path / 'broken', 'cpu', workers=0)
    again = Line()
    train(again, batch, PLAN, tmp_path / 'broken', 'cpu', workers=0)
    assert torch.equal(weights(again), weights(whole))
    steps = [
        [row['step'] for row in csv.DictReader((tmp_path / name / 'log.csv').open())]
        for name in ('whole', 'broken')
    ]
    assert steps[0] == steps[1]


def test_killed_while_it_writes_it_goes_on(tmp_path):
    """SIGKILL during torch.save: the half-written file is not taken for a checkpoint."""
    script = textwrap.dedent("""
        import os, signal, sys, torch
        from pathlib import Path
        import test_loop
        from iterprime_ros.training.loop import train
        whole_save, count = torch.save, 0
        def save(content, path):
            global count
            count += 1
            if count == 3:
                Path(path).write_bytes(b'half')
                os.kill(os.getpid(), signal.SIGKILL)
            whole_save(content, path)
        torch.save = save
        train(test_loop.Line(), test_loop.batch, test_loop.PLAN, Path(sys.argv[1]), 'cpu', 0)
    """)
    process = subprocess.run(
        [sys.executable, '-c', script, str(tmp_path / 'killed')],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    again, whole = Line(), Line()
    train(again, batch, PLAN, tmp_path / 'killed', 'cpu', workers=0)
    train(whole, batch, PLAN, tmp_path / 'whole', 'cpu', workers=0)
    assert torch.equal(weights(again), weights(whole))


def test_another_plan_is_refused(tmp_path):
    train(Line(), batch, PLAN, tmp_path, 'cpu', workers=0)
    with pytest.raises(CheckpointError, match=r'of a training of 60 steps, not 70'):
        train(Line(), batch, Plan(steps=70, rate=1e-2), tmp_path, 'cpu', workers=0)


def test_the_rate_rises_stays_and_falls():
    plan = Plan(steps=100, rate=2.0, warmup=10, decay=0.2)
    assert plan.rate_at(0) == pytest.approx(0.2)
    assert plan.rate_at(9) == plan.rate_at(50) == plan.rate_at(80) == pytest.approx(2.0)
    assert plan.rate_at(90) == pytest.approx(1.0)
    assert plan.rate_at(99) == pytest.approx(0.1)
