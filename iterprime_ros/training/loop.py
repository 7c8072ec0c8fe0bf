"""The loop that every image model is trained in: resumable, logged, deterministic by seed."""

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
_LOG_EVERY = 25  # steps


class CheckpointError(IterprimeError):
    """A checkpoint that belongs to another training."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn.

    The rate rises over `warmup` steps to `rate`, stays, and falls to 0 over the last `decay` of all
    steps. save_every: steps between checkpoints.
    """

    steps: int
    rate: float
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 0.02
    save_every: int = 250

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / self.warmup)
        falling = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.rate * rising * falling


class Batches(Dataset[Batch]):
    """The batch of every step, made from the step's number alone."""

    def __init__(self, make: Callable[[int], Batch], steps: int) -> None:
        self._make, self._steps = make, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        return self._make(step)


def train(
    learner: nn.Module,
    batches: Callable[[int], Batch],
    plan: Plan,
    folder: Path,
    device: str,
    workers: int,
    slower: tuple[str, float] = ('', 1.0),
) -> None:
    """Train `learner` in place, from the last checkpoint in `folder` where there is one.

    learner: forward(batch) returns scalars by name, of which 'loss' is minimised and all are logged
    to folder/log.csv. batches: the batch of a step, called in worker processes. slower: parameters
    whose names start so learn at that share of the rate.
    Raises CheckpointError where folder holds the checkpoint of another training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learner.to(device).train()
    optimizer = torch.optim.AdamW(_groups(learner, plan, slower), betas=(0.9, 0.98), fused=True)
    start = _resume(folder, learner, optimizer, plan)
    loader = DataLoader(
        Batches(batches, plan.steps),
        batch_size=None,
        sampler=range(start, plan.steps),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    with (
        _Log(folder / 'log.csv', start) as log,
        tqdm(total=plan.steps, initial=start, desc=folder.name, unit=' steps') as bar,
    ):
        for step, seen in _steps(learner, optimizer, loader, plan, start, device):
            bar.update()
            if seen:
                log.write({'step': step + 1, 'rate': plan.rate_at(step), **seen})
                bar.set_postfix({name: f'{value:.3f}' for name, value in seen.items()})
            if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
                _save(folder, learner, optimizer, plan, step + 1)


def _steps(
    learner: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: DataLoader[Batch],
    plan: Plan,
    start: int,
    device: str,
) -> Iterator[tuple[int, dict[str, float]]]:
    """Take every step; yield its number and the mean of what was reported since the last log."""
    sums: dict[str, Tensor] = {}
    counted = 0
    for step, batch in enumerate(loader, start):
        for group in optimizer.param_groups:
            group['lr'] = plan.rate_at(step) * group['share']
        on_device = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            seen = learner(on_device)
        optimizer.zero_grad()
        seen['loss'].backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
        for name, value in seen.items():
            sums[name] = sums.get(name, 0) + value.detach()
        counted += 1
        logged = (step + 1) % _LOG_EVERY == 0 or step + 1 == plan.steps
        yield step, {name: float(v) / counted for name, v in sums.items()} if logged else {}
        if logged:
            sums, counted = {}, 0


def _groups(learner: nn.Module, plan: Plan, slower: tuple[str, float]) -> list[dict[str, Any]]:
    """Return parameters by learning rate, and apart those that must not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    prefix, share = slower
    for name, parameter in learner.named_parameters():
        kind = (
            share if prefix and name.startswith(prefix) else 1.0,
            plan.weight_decay if parameter.ndim > 1 else 0.0,
        )
        groups.setdefault(kind, []).append(parameter)
    return [
        {'params': members, 'share': share, 'weight_decay': decay, 'lr': plan.rate}
        for (share, decay), members in groups.items()
    ]


def _resume(folder: Path, learner: nn.Module, optimizer: torch.optim.Optimizer, plan: Plan) -> int:
    path = folder / 'checkpoint.pt'
    if not path.exists():
        return 0
    kept = torch.load(path, map_location='cpu', weights_only=True)
    if kept['steps'] != plan.steps:
        raise CheckpointError(
            f'{path} is of a training of {kept["steps"]} steps, not {plan.steps}: ask for as many, '
            'or choose another folder.'
        )
    learner.load_state_dict(kept['learner'])
    optimizer.load_state_dict(kept['optimizer'])
    return int(kept['step'])


def _save(
    folder: Path, learner: nn.Module, optimizer: torch.optim.Optimizer, plan: Plan, step: int
) -> None:
    partial = folder / 'checkpoint.partial'
    torch.save(
        {
            'step': step,
            'steps': plan.steps,
            'learner': learner.state_dict(),
            'optimizer': optimizer.state_dict(),
        },
        partial,
    )
    partial.replace(folder / 'checkpoint.pt')


class _Log:
    """A CSV file of what was seen, without the rows of steps that are to be taken again."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        rows = []
        if path.exists() and start:
            with path.open(newline='') as file:
                rows = [row for row in csv.DictReader(file) if int(row['step']) <= start]
        self._began = time.monotonic() - (float(rows[-1]['seconds']) if rows else 0)
        self._file = path.open('w', newline='')
        self._writer: csv.DictWriter[str] | None = None
        for row in rows:
            self._put(row)

    def __enter__(self) -> '_Log':
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, row: dict[str, float]) -> None:
        """Add a row, with the seconds of training so far."""
        self._put({'seconds': f'{time.monotonic() - self._began:.0f}', **row})

    def _put(self, row: dict[str, Any]) -> None:
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row))
            self._writer.writeheader()
        self._writer.writerow(row)
        self._file.flush()
