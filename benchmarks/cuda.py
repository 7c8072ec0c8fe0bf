"""What CUDA graphs gain: grounding as usual beside grounding by captured graphs, in one table.

encoders:  both image encoders on a new frame.
first:     a command on a new frame, from the pixels to the mask.
next:      another command on the same frame.
1, 16:     expressions grounded together on a frame that is encoded.
new 1, 16: the same on a new frame, for the matcher alone.

BLIP-base at 384 px and SAM-B with random weights, three rounds; wall milliseconds, median and, in
brackets, the least and the most of the repeats, in which all that is compared takes turns. Then:
what the host waits for, the memory of the graphs, and whether questions about the simulated table
get the same masks both ways, with the weights that ship.

On a CPU nothing is captured: "buckets" computes the padded shapes that would be, in CPU seconds.

python benchmarks/cuda.py [--device cpu --small] [--questions 200] [--json FILE]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from grounding import FOCUS, TEXT, Cost, base_model, costs, new_frame, tokenizer
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from tqdm import tqdm
from transformers import (
    BlipConfig,
    BlipForImageTextRetrieval,
    SamConfig,
    SamModel,
)
from transformers.utils import logging

from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.buckets import BUCKETS, BucketedMatcher, held_bytes
from iterprime_ros.grounding.cuda_graphs import with_graphs
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.pipeline import IteRPrimE

MANY = 16
GOALS = {
    'first': '<= 1.3 x the encoders',
    'next': '<= 3 ms',
    f'new {MANY}': '<= 1.5 x new 1',
}


def write_models(folder: Path, small: bool) -> Path:
    """Write random weights and a profile of them into a folder, and return the profile."""
    logging.disable_progress_bar()
    masks = {'kind': 'regions'} if small else {'kind': 'sam', 'weights': str(folder / 'sam')}
    if small:
        width: dict[str, Any] = {'hidden_size': 48, 'intermediate_size': 96}
        text = {**width, 'encoder_hidden_size': 48, 'vocab_size': 100, 'num_attention_heads': 4}
        text.update({'bos_token_id': 2, 'sep_token_id': 3})
        vision = {**width, 'image_size': 64, 'num_hidden_layers': 2, 'num_attention_heads': 4}
        config = BlipConfig(text_config=text, vision_config=vision)
        BlipForImageTextRetrieval(config).save_pretrained(folder / 'blip')
    else:
        base_model().save_pretrained(folder / 'blip')
        SamModel(SamConfig()).save_pretrained(folder / 'sam')
    tokenizer().save_pretrained(folder / 'blip')
    fields = {
        'matcher': {'kind': 'blip', 'weights': str(folder / 'blip')},
        'masks': masks,
        'grounding': {'rounds': 3, 'stop_early': False},
        'answer': {'match_threshold': 0.0},
    }
    path = folder / 'profile.yaml'
    path.write_text(yaml.safe_dump(fields))
    return path


def bucketed(model: IteRPrimE) -> IteRPrimE:
    """Return a pipeline of the same models that grounds by graphs; on a CPU by buckets alone."""
    matcher, block = model.matcher, model.profile.grounding.block
    if model.device.type == 'cuda':
        other = with_graphs(matcher, block)
    else:
        step = partial(matcher.attend_states, block=block)  # type: ignore[attr-defined]
        other = BucketedMatcher(matcher, block, dict.fromkeys(BUCKETS, step))  # type: ignore[arg-type]
    return IteRPrimE(other, model.proposer, model.parser, model.profile, model.device)


def works(model: IteRPrimE, image: np.ndarray, name: str) -> dict[str, Callable[[], object]]:
    """Return the work of the table for one pipeline; its name ends every key."""
    frame, settings = model.embed(image), model.profile.grounding
    pixels = torch.from_numpy(image).to(model.device).permute(2, 0, 1)
    matcher: Any = model.matcher
    said = Expression(TEXT, FOCUS[1], FOCUS)
    found: dict[str, Callable[[], object]] = {
        'encoders': partial(model.embed, image),
        'first': partial(model.segment, image, TEXT),
        'next': partial(model.segment, frame, TEXT),
    }
    for count in (1, MANY):
        found[f'{count}'] = partial(
            ground, matcher, frame.matcher_embedding, [said] * count, settings
        )
        found[f'new {count}'] = partial(new_frame, matcher, pixels, [said] * count, settings)
    return {f'{key}, {name}': work for key, work in found.items()}


def print_costs(found: dict[str, Cost], other: str, device: str) -> None:
    """Print the table of costs and the ratios that have a goal."""
    unit = 's' if device == 'cpu' else 'ms'
    print(f'\n{f"({unit})":<10}{"usual":<30}{other:<30}goal')
    keys = [key.removesuffix(', usual') for key in found if key.endswith(', usual')]
    for key in keys:
        usual, ours = found[f'{key}, usual'], found[f'{key}, {other}']
        print(f'{key:<10}{usual!s:<30}{ours!s:<30}{GOALS.get(key, "")}')
    for name in ('usual', other):
        median = {key: found[f'{key}, {name}'].median for key in keys}
        seconds = median['first'] / (1 if device == 'cpu' else 1e3)
        print(
            f'{name}: first {median["first"] / median["encoders"]:.2f} x the encoders; '
            f'{MANY} expressions {median[f"new {MANY}"] / median["new 1"]:.2f} x one on a new '
            f'frame, {median[f"{MANY}"] / median["1"]:.2f} x on the same; '
            f'a command on every frame: {1 / seconds:.1f} a second'
        )


def print_profile(name: str, work: Callable[[], object], device: str) -> dict[str, float]:
    """Print and return what one call of work() starts and waits for, by PyTorch's profiler."""
    activities = [ProfilerActivity.CPU]
    if device == 'cuda':
        activities.append(ProfilerActivity.CUDA)
        torch.cuda.synchronize()
    with profile(activities=activities) as profiler:
        started = time.perf_counter()
        work()
        if device == 'cuda':
            torch.cuda.synchronize()
        wall = 1e3 * (time.perf_counter() - started)
    events: Any = profiler.events()
    on_host = [
        each.name for each in events if each.device_type == DeviceType.CPU and not each.cpu_children
    ]
    on_device = [each for each in events if each.device_type == DeviceType.CUDA]
    figures = {
        'operations': sum(each.startswith('aten::') for each in on_host),
        'kernels': len(on_device),
        'kernels ms': sum(each.time_range.elapsed_us() for each in on_device) / 1e3,
        'launches': sum('Launch' in each for each in on_host),
        'waits': sum('Synchronize' in each for each in on_host),
        'wall ms, profiled': wall,
    }
    print(f'{name}: ' + ', '.join(f'{value:.5g} {key}' for key, value in figures.items()))
    return figures


def print_masks(device: str, questions: int, other: str) -> dict[str, dict[str, float]]:
    """Print and return how many questions about the simulated table get the same mask both ways.

    by parts: the profile as it ships. by heatmap: three rounds of refinement, then the masks at the
    peaks of the heatmap, so that all depends on the attention.
    """
    usual = IteRPrimE.from_profile('tabletop', device, offline=True)
    ours = bucketed(usual)
    shipped = usual.profile
    by_heatmap = shipped.model_copy(
        update={
            'answer': shipped.answer.model_copy(update={'by': 'heatmap', 'match_threshold': 0.0}),
            'grounding': shipped.grounding.model_copy(update={'rounds': 3, 'stop_early': False}),
        }
    )
    pairs = {
        'by parts': (usual, ours),
        'by heatmap': (usual.with_profile(by_heatmap), ours.with_profile(by_heatmap)),
    }
    same, off = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0.0)
    asked = 0
    with tqdm(total=questions, unit=' questions', leave=False) as bar:
        for sample in load_tabletop('test'):
            frame = usual.embed(sample.image, sample.depth, sample.pinhole)
            for question in sample.questions[: questions - asked]:
                for name, (plain, fast) in pairs.items():
                    one, two = (each.segment(frame, question.command) for each in (plain, fast))
                    same[name] += one.status is two.status and np.array_equal(one.mask, two.mask)
                    off[name] = max(off[name], float(np.abs(one.heatmap - two.heatmap).max()))
                asked += 1
                bar.update()
            if asked >= questions:
                break
    print(f'\nthe table, usual beside {other}:')
    for name in pairs:
        print(
            f'{name:<11} {same[name]} of {asked} answers have the same mask; heatmaps differ by '
            f'at most {off[name]:.2g}'
        )
    return {name: {'same': same[name], 'of': asked, 'off': off[name]} for name in pairs}


def main() -> int:
    """Print the tables; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--device', default='cuda', choices=('cpu', 'cuda'))
    parser.add_argument('--small', action='store_true', help='small models, to try the command')
    parser.add_argument('--repeats', type=int, default=15, help='of each work (default: 15)')
    parser.add_argument('--questions', type=int, default=200, help='about the simulated table')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    if options.device == 'cuda' and not torch.cuda.is_available():
        parser.error('PyTorch sees no CUDA device here; --device cpu --small tries the command')
    name = 'CPU' if options.device == 'cpu' else torch.cuda.get_device_name()
    size = 'small models' if options.small else 'BLIP-base 384 px and SAM-B'
    print(f'{name}; {size}, random weights, 480 x 640 image, PyTorch {torch.__version__}')
    figures = measured(options)
    if options.json:
        options.json.write_text(json.dumps({'device': name, **figures}, indent=1))
    return 0


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Print every table and return the figures."""
    device = options.device
    other = 'buckets' if device == 'cpu' else 'graphs'
    if device == 'cpu':
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)  # random weights give gradients near 0, slow on CPUs
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        written = write_models(Path(folder), options.small)
        usual = IteRPrimE.from_profile(written, device, offline=True)
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    before = torch.cuda.memory_reserved() if device == 'cuda' else 0
    started = time.perf_counter()
    ours = bucketed(usual)
    graphs = {
        'graphs': len(BUCKETS),
        'seconds': time.perf_counter() - started,
        'MB estimated': held_bytes(usual.matcher) / 1e6,  # type: ignore[arg-type]
        'MB reserved': (torch.cuda.memory_reserved() - before) / 1e6 if device == 'cuda' else 0.0,
    }
    both = {**works(usual, image, 'usual'), **works(ours, image, other)}
    found = costs(both, device, options.repeats)
    print_costs(found, other, device)
    print()
    parts = [f'{part}, {name}' for part in ('1', 'next') for name in ('usual', other)]
    profiled = {key: print_profile(key, both[key], device) for key in parts}
    print(f'{other}: ' + ', '.join(f'{value:.4g} {key}' for key, value in graphs.items()))
    return {
        'costs': {key: asdict(cost) for key, cost in found.items()},
        'profile': profiled,
        'graphs': graphs,
        'masks': print_masks(device, options.questions, other),
    }


if __name__ == '__main__':
    sys.exit(main())
