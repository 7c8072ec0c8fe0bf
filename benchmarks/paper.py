"""What the models of the paper and their successors cost at full size, stage by stage.

The weights are random, written in the formats of the published ones into a temporary folder, and
loaded by the loaders of the package. Each model is measured in a process of its own, one after
another. Seconds are of the wall clock, so that nothing else should run, and GiB the most memory in
use during a stage: of the process on a CPU, of PyTorch's allocator on CUDA. Weights that loading
maps from a file are read by the stage that first uses them.

albef, blip-large          load; the image once; one expression, 3 rounds; beside it the plain way:
                           whole forward and whole backward with gradients for every parameter, in
                           each round
mask2former, sam-vit-huge, load; the image once; masks at 8 points; the objects of the image, which
sam2.1-hiera-large         answers by parts choose from
sam3                       load; the image once; the instances of a noun phrase
select                     the choice among 200 masks of 640 x 480, beside the plain way: one mask
                           after the other by numpy and scipy

The last lines add up what an expression costs with a matcher and a mask proposer that were both
measured, on a new image and on the same image; the first pair is the profile paper.

A stage that takes more than 10 s runs once; any other runs once before it is measured.

python benchmarks/paper.py [--parts albef mask2former] [--device cuda] [--json FILE]
"""

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from full_size_weights import MODELS
from grounding import FOCUS, TEXT
from scipy import ndimage
from torch import Tensor

from iterprime_ros.backends import load_matcher, load_proposer
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.fusion import FusionMatcher
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.masks.object_masks import ObjectSettings
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import MAX_COMPONENTS, MaskRank, select
from iterprime_ros.weights import Placement

ROUNDS = 3
SETTINGS = GroundingSettings(rounds=ROUNDS, stop_early=False)
SIZE = (480, 640)
POINTS = 8
MASKS = 200
LONG = 10.0  # seconds, from which a stage runs once
DTYPES = ('float32', 'bfloat16')
PAIRS = {
    'ALBEF and Mask2Former': ('albef', 'mask2former'),
    'BLIP-large and SAM ViT-H': ('blip-large', 'sam-vit-huge'),
    'BLIP-large and SAM 2.1': ('blip-large', 'sam2.1-hiera-large'),
    'BLIP-large and SAM 3': ('blip-large', 'sam3'),
}


@dataclass(frozen=True)
class Cost:
    """What a stage costs.

    median, low, high: seconds, over the repeats.
    gib: most memory in use.
    """

    median: float
    low: float
    high: float
    gib: float

    def __str__(self) -> str:
        spread = f'({self.low:.3g} to {self.high:.3g})' if self.low < self.high else ''
        return f'{self.median:9.3f} s {spread:<20}{self.gib:7.2f} GiB'


class Meter:
    """Measures on a device: seconds of the wall clock and the most memory in use."""

    def __init__(self, device: str, repeats: int) -> None:
        self.device, self.repeats = device, repeats

    def cost(self, work: Callable[[], object], once: bool = False) -> Cost:
        """Return the cost of a piece of work; once: whether it can be done a single time."""
        self._forget_peak()
        spent = [self._seconds(work)]
        if not once and spent[0] < LONG:
            spent = [self._seconds(work) for _ in range(self.repeats)]
        return Cost(statistics.median(spent), min(spent), max(spent), self._peak())

    def _seconds(self, work: Callable[[], object]) -> float:
        self._wait()
        started = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - started

    def _wait(self) -> None:
        if self.device == 'cuda':
            torch.cuda.synchronize()

    def _forget_peak(self) -> None:
        gc.collect()
        if self.device == 'cuda':
            torch.cuda.reset_peak_memory_stats()
        else:  # man 5 proc: 5 resets the peak of the resident set
            Path('/proc/self/clear_refs').write_text('5')

    def _peak(self) -> float:
        if self.device == 'cuda':
            return torch.cuda.max_memory_allocated() / 2**30
        status = Path('/proc/self/status').read_text()
        return int(status.split('VmHWM:')[1].split()[0]) / 2**20


def measured(
    name: str, folder: Path, device: str, dtype: str, options: argparse.Namespace
) -> dict[str, Cost]:
    """Return the cost of every stage of a model."""
    torch.set_flush_denormal(True)  # random weights give numbers near 0, which take CPUs long
    model, meter = MODELS[name], Meter(device, options.repeats)
    placement = Placement(device, getattr(torch, dtype), local_files_only=True)
    weights = str(folder / model.weights)
    loaded: list[Any] = []

    def load() -> None:
        loaded.append(
            load_matcher(model.kind, weights, str(folder), placement)
            if model.is_matcher
            else load_proposer(model.kind, weights, placement)
        )

    costs = {'load': meter.cost(load, once=True)}
    torch.manual_seed(1)
    image = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8).to(device)
    measure = _matcher_costs if model.is_matcher else _proposer_costs
    return costs | measure(loaded[0], image, meter, plain=dtype == DTYPES[0])


def _matcher_costs(
    matcher: FusionMatcher, image: Tensor, meter: Meter, plain: bool
) -> dict[str, Cost]:
    expression = Expression(TEXT, FOCUS[1], FOCUS)
    memory = matcher.encode_image(image)
    costs = {
        'image': meter.cost(partial(matcher.encode_image, image)),
        f'ground, {ROUNDS} rounds': meter.cost(
            partial(ground, matcher, memory, [expression], SETTINGS)
        ),
    }
    if plain:
        parts = (matcher.vision, matcher.embeddings, *matcher.layers, matcher.head)
        parameters = [each for part in parts for each in part.parameters()]
        for each in parameters:
            each.requires_grad_(True)
        costs['plain way'] = meter.cost(partial(plain_rounds, matcher, parameters, image))
    return costs


def plain_rounds(matcher: FusionMatcher, parameters: list[Tensor], image: Tensor) -> None:
    """Do ROUNDS rounds as one would first write them."""
    ids = matcher.tokenizer(SETTINGS.prompt.format(expression=TEXT), return_tensors='pt')
    for _ in range(ROUNDS):
        patches = matcher.vision(pixel_values=matcher.pixels(image)).last_hidden_state
        hidden = matcher.embeddings(ids['input_ids'].to(image.device))
        for number, layer in enumerate(matcher.layers):
            attends = number in matcher.fusion_blocks
            hidden = layer(hidden, encoder_hidden_states=patches if attends else None)
        matcher.head(hidden[:, 0])[0, 1].backward()
        for each in parameters:
            each.grad = None


def _proposer_costs(proposer: Any, image: Tensor, meter: Meter, **_: bool) -> dict[str, Cost]:
    embeddings: list[Any] = []

    def embed() -> None:
        embeddings[:] = [proposer.embed(image)]

    costs = {'image': meter.cost(embed)}
    embedding = embeddings.pop()
    if hasattr(proposer, 'instances'):
        work = partial(proposer.instances, embedding, 'red mug')
        return {**costs, 'instances of a phrase': meter.cost(work)}
    generator = torch.Generator().manual_seed(0)
    points = torch.randint(0, min(SIZE), (POINTS, 2), generator=generator).to(image.device)
    # What was enlarged before is kept with an embedding: each call gets one that is new.
    return {
        **costs,
        f'masks at {POINTS} points': meter.cost(
            lambda: proposer.propose(replace(embedding), points)
        ),
        'objects': meter.cost(lambda: proposer.objects(replace(embedding), ObjectSettings())),
    }


def ragged_masks() -> Tensor:
    """Return MASKS masks of SIZE like those of objects, bool: ragged ellipses of all sizes."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    masks = np.zeros((MASKS, *SIZE), bool)
    for mask in masks:
        across, down = generator.uniform(10, 220, 2)
        left, top = generator.uniform(0, SIZE[1]), generator.uniform(0, SIZE[0])
        ragged = 0.2 * np.sin(x / 9) * np.sin(y / 11)
        mask[:] = ((x - left) / across) ** 2 + ((y - top) / down) ** 2 < 1 + ragged
    return torch.from_numpy(masks)


def plain_select(heatmap: Tensor, proposals: Proposals) -> list[int]:
    """Return the masks that may be the object, best first, as one would first write it."""
    found = []
    values = heatmap.cpu().numpy()
    for k, mask in enumerate(proposals.masks.cpu().numpy()):
        inside = values[mask]
        if (
            inside.size
            and inside.max() == values.max()
            and ndimage.label(mask)[1] <= MAX_COMPONENTS
        ):
            found.append((-np.float32(inside.astype(np.float64).mean()), k))
    return [k for _, k in sorted(found)]


def select_costs(device: str, options: argparse.Namespace) -> dict[str, Cost]:
    """Return the cost of choosing among masks, ours and the plain way."""
    meter = Meter(device, 5 * options.repeats)
    masks = ragged_masks().to(device)
    heatmap = torch.nn.functional.interpolate(
        torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)), SIZE, mode='bicubic'
    )[0, 0].clamp(0, 0.99)
    heatmap[SIZE[0] // 2, SIZE[1] // 2] = 1
    heatmap = heatmap.to(device)
    holding = masks.clone()
    holding[:, SIZE[0] // 2, SIZE[1] // 2] = True
    costs: dict[str, Cost] = {}
    rank: MaskRank
    for title, each in (('as they lie', masks), ('all at the peak', holding)):
        proposals = Proposals(each, torch.ones(len(each), device=device))
        for rank in ('mean', 'overlap'):
            work = partial(select, heatmap, proposals, rank=rank)
            costs[f'{title}, by {rank}'] = meter.cost(work)
        if select(heatmap, proposals).order.tolist() != plain_select(heatmap, proposals):
            raise RuntimeError('The plain way selects other masks.')
        costs[f'{title}, plain way'] = meter.cost(partial(plain_select, heatmap, proposals))
    return costs


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what work(*arguments) returns, done in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as one:
        return one.submit(work, *arguments).result()


def print_costs(costs: dict[str, Cost]) -> None:
    """Print a line for every stage, and how much faster ours is than the plain way."""
    for stage, cost in costs.items():
        print(f'    {stage:<28}{cost}', flush=True)
    ours = [cost.median for stage, cost in costs.items() if stage.startswith(('image', 'ground'))]
    if 'plain way' in costs:
        plain = costs['plain way'].median
        print(
            f'    ours is {plain / sum(ours):.1f} times faster than the plain way on a new image, '
            f'{plain / ours[-1]:.1f} times on the same image'
        )


def print_pairs(figures: dict[str, dict[str, dict[str, Cost]]]) -> None:
    """Print what an expression costs with a matcher and a proposer, where both were measured."""
    for title, (matcher, proposer) in PAIRS.items():
        for dtype in DTYPES:
            found = [figures.get(name, {}).get(dtype) for name in (matcher, proposer)]
            if None in found:
                continue
            stages = [
                (stage, cost.median)
                for costs in found
                if costs
                for stage, cost in costs.items()
                if stage not in ('load', 'objects', 'plain way')
            ]
            every = sum(spent for _, spent in stages)
            same = sum(spent for stage, spent in stages if stage != 'image')
            print(f'{title}, {dtype}: {every:.3f} s on a new image, {same:.3f} s on the same image')


def main() -> int:
    """Print the tables; with --json, write the figures too."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*MODELS, 'select']
    parser.add_argument(
        '--parts', nargs='*', choices=every, default=every, metavar='NAME', help='default: all'
    )
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--threads', type=int, default=2, help='of the CPU (default: 2)')
    parser.add_argument('--repeats', type=int, default=3, help='of short stages (default: 3)')
    parser.add_argument(
        '--dtypes', nargs='*', choices=DTYPES, default=list(DTYPES), help='of image encoders'
    )
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = str(options.threads)  # read by PyTorch in each process
    os.environ['HF_HUB_DISABLE_PROGRESS_BARS'] = '1'
    os.environ['TRANSFORMERS_VERBOSITY'] = 'error'
    device = torch.cuda.get_device_name() if options.device == 'cuda' else 'CPU'
    print(f'{device}, {options.threads} threads; random weights; image of 480 x 640')
    figures: dict[str, dict[str, dict[str, Cost]]] = {}
    for name in options.parts:
        if name == 'select':
            print(f'\nselect: the choice among {MASKS} masks')
            figures[name] = {'': alone(select_costs, options.device, options)}
            print_costs(figures[name][''])
            continue
        model = MODELS[name]
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            alone(model.write, folder)
            for dtype in options.dtypes:
                print(f'\n{name}: {model.what}, image encoder in {dtype}', flush=True)
                costs = alone(measured, name, folder, options.device, dtype, options)
                figures.setdefault(name, {})[dtype] = costs
                print_costs(costs)
    print('\nan expression, without loading and the choice of the mask')
    print_pairs(figures)
    if options.json:
        written = {
            name: {
                dtype: {stage: asdict(cost) for stage, cost in costs.items()}
                for dtype, costs in by_dtype.items()
            }
            for name, by_dtype in figures.items()
        }
        options.json.write_text(json.dumps(written, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
