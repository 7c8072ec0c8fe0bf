"""What the tabletop profile costs on two CPU threads: loading, memory, and answers at 640 x 480.

new:    a new frame, with depth and calibration, and a command: from the pixels to the mask.
next:   another command on the same frame.
limit:  the two image encoders alone, without which there is no answer.

python benchmarks/tabletop.py [--profile tabletop] [--threads 2] [--image-only] [--json FILE]
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from iterprime_ros.geometry.pinhole import Pinhole

COMMANDS = (
    'pick up the red mug',
    'the small ball on the left',
    'hand me the blue plate left of the bottle',
    'the second cube from the right',
    'the mug behind the plate next to the box',
)
GOALS = {'loading': 5000, 'new': 120, 'next': 30, 'memory': 1.0}
FRAMES = 40

View = tuple[NDArray[np.uint8], NDArray[np.float32] | None, 'Pinhole | None']


def rendered(count: int) -> list[View]:
    """Return images with their depth and calibration; in a process whose memory does not count."""
    from iterprime_ros.sim.renderer import Renderer
    from iterprime_ros.sim.scene import sample_scene

    with Renderer() as renderer:
        pictures = [renderer.render(sample_scene(seed)) for seed in range(count)]
    return [(each.rgb, each.depth, each.pinhole) for each in pictures]


def milliseconds(work: Callable[[int], object], count: int) -> list[float]:
    """Return how long work(0), work(1), ... took; three calls before do not count."""
    for number in range(3):
        work(number)
    spent = []
    for number in range(count):
        started = time.perf_counter()
        work(number)
        spent.append(1e3 * (time.perf_counter() - started))
    return spent


def main() -> int:
    """Print the table; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--profile', default='tabletop', help='to measure (default: tabletop)')
    parser.add_argument('--threads', type=int, default=2, help='of the CPU (default: 2)')
    parser.add_argument('--image-only', action='store_true', help='without depth')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = str(options.threads)  # read by PyTorch when it is imported
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as renderers:
        views = renderers.submit(rendered, FRAMES).result()
    if options.image_only:
        views = [(rgb, None, None) for rgb, _, _ in views]
    figures = measured(options.profile, views)
    print_figures(figures, options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def measured(profile: str, views: list[View]) -> dict[str, Any]:
    """Return the figures of a profile: milliseconds, GiB, and the medians of every stage."""
    started = time.perf_counter()
    from iterprime_ros.pipeline import IteRPrimE

    model = IteRPrimE.from_profile(profile, 'cpu', offline=True)
    figures: dict[str, Any] = {'loading': 1e3 * (time.perf_counter() - started)}
    stages: dict[str, dict[str, list[float]]] = {
        'new': defaultdict(list),
        'next': defaultdict(list),
    }
    same = model.embed(*views[0])

    def answer(kind: str, number: int) -> None:
        frame = same if kind == 'next' else model.embed(*views[number % len(views)])
        found = model.segment(frame, COMMANDS[number % len(COMMANDS)])
        encoding = {} if kind == 'next' else frame.milliseconds
        for stage, spent in {**encoding, **found.milliseconds}.items():
            stages[kind][stage].append(spent)

    timed: dict[str, Callable[[int], object]] = {
        'new': lambda n: answer('new', n),
        'next': lambda n: answer('next', n),
        'limit': lambda n: model.embed(*views[n % len(views)]),
    }
    for name, work in timed.items():
        spent = milliseconds(work, 2 * FRAMES)
        figures[name] = statistics.median(spent)
        figures[f'{name} p95'] = sorted(spent)[int(0.95 * len(spent))]
    figures['memory'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB to GiB
    figures['stages'] = {
        kind: {stage: statistics.median(spent) for stage, spent in some.items()}
        for kind, some in stages.items()
    }
    return figures


def print_figures(figures: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the figures as a table."""
    depth = 'without depth' if options.image_only else 'with depth'
    print(f'profile {options.profile}, {options.threads} threads, 640 x 480, {depth}')
    print(f'loading            {figures["loading"]:7.0f} ms   goal {GOALS["loading"]} ms')
    for name in ('new', 'next'):
        print(
            f'{name:<5} median, p95  {figures[name]:7.1f} ms {figures[f"{name} p95"]:7.1f} ms   '
            f'goal {GOALS[name]} ms   {figures[name] / figures["limit"]:.2f} x the limit'
        )
        for stage, median in figures['stages'][name].items():
            print(f'    {stage:<26} {median:7.1f} ms')
    print(
        f'limit: encoders    {figures["limit"]:7.1f} ms {figures["limit p95"]:7.1f} ms\n'
        f'most memory        {figures["memory"]:7.2f} GiB  goal {GOALS["memory"]} GiB'
    )


if __name__ == '__main__':
    sys.exit(main())
