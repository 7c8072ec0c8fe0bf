"""The training loop of all image models: resumable, logged and deterministic for a seed."""

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from iterprime_ros.errors import IterprimeError

Batch = dict[str, Tensor]
_LOG_INTERVAL = 25  # steps


class CheckpointError(IterprimeError):
    """A checkpoint was written by a training run with other settings."""


@dataclass(frozen=True)
class TrainingSettings:
    """Length, learning rate and regularisation of a training run.

    steps: number of optimizer steps.
    learning_rate: highest learning rate, after the warm-up.
    warmup: steps of linear warm-up.
    decay: share of the steps, at the end, in which the rate decreases linearly to 0.
    weight_decay: of AdamW, for matrices; biases and norms have none.
    save_every: steps between checkpoints.
    slow_prefix: parameters whose names start with it are trained at a lower rate; '' for none.
    slow_factor: learning rate of those parameters, relative to the others.
    """

    steps: int
    learning_rate: float
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 0.02
    save_every: int = 250
    slow_prefix: str = ''
    slow_factor: float = 1.0

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / self.warmup)
        falling = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * rising * falling


class BatchDataset(Dataset[Batch]):
    """One batch for each step, computed from the number of the step alone."""

    def __init__(self, make_batch: Callable[[int], Batch], steps: int) -> None:
        self._make_batch, self._steps = make_batch, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        return self._make_batch(step)


def train(
    learner: nn.Module,
    make_batch: Callable[[int], Batch],
    settings: TrainingSettings,
    folder: Path,
    device: str,
    workers: int,
) -> None:
    """Train `learner` in place; resume from the checkpoint in `folder` if there is one.

    learner: forward(batch) returns scalars by name; 'loss' is minimised, all are logged.
    make_batch: returns the batch of a step; called in the worker processes.
    settings: length and learning rate of the run.
    folder: folder of checkpoint.pt and log.csv; created if missing.
    device: device of the learner, e.g. 'cpu' or 'cuda'.
    workers: number of processes that prepare batches; 0: none but this one.

    Raises CheckpointError if the checkpoint in `folder` is of a run with another number of steps.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learner.to(device).train()
    optimizer = torch.optim.AdamW(
        _parameter_groups(learner, settings), betas=(0.9, 0.98), fused=True
    )
    start = _load_checkpoint(folder, learner, optimizer, settings)
    loader = DataLoader(
        BatchDataset(make_batch, settings.steps),
        batch_size=None,
        sampler=range(start, settings.steps),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    with (
        _CsvLog(folder / 'log.csv', start) as log,
        tqdm(total=settings.steps, initial=start, desc=folder.name, unit=' steps') as bar,
    ):
        for step, means in _steps(learner, optimizer, loader, settings, start, device):
            bar.update()
            if means:
                log.write({'step': step + 1, 'rate': settings.learning_rate_at(step), **means})
                bar.set_postfix({name: f'{value:.3f}' for name, value in means.items()})
            if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
                _save_checkpoint(folder, learner, optimizer, settings, step + 1)


def _steps(
    learner: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: DataLoader[Batch],
    settings: TrainingSettings,
    start: int,
    device: str,
) -> Iterator[tuple[int, dict[str, float]]]:
    """Run all steps; yield each number, and the means since the last log when it is time to log."""
    sums: dict[str, Tensor] = {}
    count = 0
    for step, batch in enumerate(loader, start):
        for group in optimizer.param_groups:
            group['lr'] = settings.learning_rate_at(step) * group['share']
        on_device = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            scalars = learner(on_device)
        optimizer.zero_grad()
        scalars['loss'].backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
        for name, value in scalars.items():
            sums[name] = sums.get(name, 0) + value.detach()
        count += 1
        is_logged = (step + 1) % _LOG_INTERVAL == 0 or step + 1 == settings.steps
        yield step, {name: float(v) / count for name, v in sums.items()} if is_logged else {}
        if is_logged:
            sums, count = {}, 0


def _parameter_groups(learner: nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return the parameters grouped by learning rate and weight decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    prefix = settings.slow_prefix
    for name, parameter in learner.named_parameters():
        key = (
            settings.slow_factor if prefix and name.startswith(prefix) else 1.0,
            settings.weight_decay if parameter.ndim > 1 else 0.0,
        )
        groups.setdefault(key, []).append(parameter)
    return [
        {
            'params': members,
            'share': factor,
            'weight_decay': weight_decay,
            'lr': settings.learning_rate,
        }
        for (factor, weight_decay), members in groups.items()
    ]


def _load_checkpoint(
    folder: Path, learner: nn.Module, optimizer: torch.optim.Optimizer, settings: TrainingSettings
) -> int:
    """Restore the last checkpoint, if any; return the number of steps already done."""
    path = folder / 'checkpoint.pt'
    if not path.exists():
        return 0
    checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    if checkpoint['steps'] != settings.steps:
        raise CheckpointError(
            f'{path} is of a training of {checkpoint["steps"]} steps, not {settings.steps}: use '
            'the same number of steps, or another folder.'
        )
    learner.load_state_dict(checkpoint['learner'])
    optimizer.load_state_dict(checkpoint['optimizer'])
    return int(checkpoint['step'])


def _save_checkpoint(
    folder: Path,
    learner: nn.Module,
    optimizer: torch.optim.Optimizer,
    settings: TrainingSettings,
    step: int,
) -> None:
    partial = folder / 'checkpoint.partial'
    torch.save(
        {
            'step': step,
            'steps': settings.steps,
            'learner': learner.state_dict(),
            'optimizer': optimizer.state_dict(),
        },
        partial,
    )
    partial.replace(folder / 'checkpoint.pt')


class _CsvLog:
    """A CSV file of training metrics; rows after the step that training resumes at are dropped."""

    def __init__(self, path: Path, start: int) -> None:
        rows = []
        if path.exists() and start:
            with path.open(newline='') as file:
                rows = [row for row in csv.DictReader(file) if int(row['step']) <= start]
        self._start_time = time.monotonic() - (float(rows[-1]['seconds']) if rows else 0)
        self._file = path.open('w', newline='')
        self._writer: csv.DictWriter[str] | None = None
        for row in rows:
            self._write_row(row)

    def __enter__(self) -> '_CsvLog':
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, row: dict[str, float]) -> None:
        """Append a row, with the seconds of training so far."""
        self._write_row({'seconds': f'{time.monotonic() - self._start_time:.0f}', **row})

    def _write_row(self, row: dict[str, Any]) -> None:
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row))
            self._writer.writeheader()
        self._writer.writerow(row)
        self._file.flush()
