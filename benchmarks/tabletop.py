"""What the tabletop profile costs on two CPU threads: loading, memory, and answers at 640 x 480.

whole:  a new frame and a command, from the pixels to the mask.
next:   another command on the same frame.
plain:  every command with its own encoding of the frame, as one would first write it.
limit:  the two image encoders alone, without which there is no answer.

python benchmarks/tabletop.py [--profile tabletop] [--threads 2] [--json FILE]
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

COMMANDS = (
    'pick up the red mug',
    'the small ball on the left',
    'hand me the blue plate left of the bottle',
    'the cube',
)
GOALS = {'loading': 5000, 'whole': 150, 'next': 60, 'memory': 1.2}
FRAMES = 40


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
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = str(options.threads)  # read by PyTorch when it is imported

    started = time.perf_counter()
    from iterprime_ros.pipeline import IteRPrimE

    model = IteRPrimE.from_profile(options.profile, 'cpu', offline=True)
    figures = {'loading': 1e3 * (time.perf_counter() - started)}

    from iterprime_ros.sim.renderer import Renderer
    from iterprime_ros.sim.scene import sample_scene

    with Renderer() as renderer:
        frames = [renderer.render(sample_scene(seed)).rgb for seed in range(FRAMES)]
    frame = model.embed(frames[0])

    def said(number: int) -> str:
        return COMMANDS[number % len(COMMANDS)]

    timed = {
        'whole': lambda n: model.segment(frames[n % FRAMES], said(n)),
        'next': lambda n: model.segment(frame, said(n)),
        'limit': lambda n: model.embed(frames[n % FRAMES]),
    }
    for name, work in timed.items():
        spent = milliseconds(work, 2 * FRAMES)
        figures[name] = statistics.median(spent)
        figures[f'{name} p95'] = sorted(spent)[int(0.95 * len(spent))]
    figures['memory'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB to GiB

    plain = figures['whole']
    print(f'profile {options.profile}, {options.threads} threads, 640 x 480')
    print(f'loading            {figures["loading"]:7.0f} ms   goal {GOALS["loading"]} ms')
    for name in ('whole', 'next'):
        print(
            f'{name:<6} median, p95 {figures[name]:7.1f} ms {figures[f"{name} p95"]:7.1f} ms   '
            f'goal {GOALS[name]} ms   {plain / figures[name]:.2f} x plain   '
            f'{figures["limit"] / figures[name]:.0%} of the limit'
        )
    print(f'limit: encoders    {figures["limit"]:7.1f} ms')
    print(
        f'most memory        {figures["memory"]:7.2f} GiB  goal {GOALS["memory"]} GiB, renderer too'
    )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
