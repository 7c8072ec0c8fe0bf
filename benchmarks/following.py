"""What following an object costs with the tabletop profile, at 640 x 480 on two CPU threads.

step:      from the pixels of a frame to the tracked mask: mean, median and percentiles.
anew:      the plain way, the command asked of every frame anew; measured on every tenth frame, and
           its ratio to a mean step.
30 Hz:     the limit, 33.3 ms; what of it a mean step takes, and the share of steps within it.
resident:  memory of the process, printed with --repeat, which plays each clip to and fro.

python benchmarks/following.py [--motion push occlude ...] [--repeat 225] [--json FILE]
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from iterprime_ros.answer import Status
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.motion import RATE_HZ, Motion, render_clip, sample_clip
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.seeds import CLIP_CALIBRATION
from iterprime_ros.tracking.tracker import Tracker, load_tracker
from iterprime_ros.weights import Placement

MOTIONS = tuple(motion.value for motion in Motion if motion is not Motion.NONE)
ANEW_EVERY = 10  # frames
FRAME_MS = 1000 / RATE_HZ


def milliseconds_since(started: float) -> float:
    """Return the time since an instant of time.perf_counter()."""
    return 1000 * (time.perf_counter() - started)


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize()


def clip_of(motion: Motion, first: int, model: IteRPrimE) -> tuple[str, list[Picture]]:
    """Return command and frames of the first clip whose command is answered FOUND."""
    for seed in range(first, first + 20):
        clip = sample_clip(seed, motion)
        with Renderer() as renderer:
            frames = list(render_clip(renderer, clip))
        start = model.embed(frames[0].rgb, frames[0].depth, frames[0].pinhole)
        if model.segment(start, clip.command).status is Status.FOUND:
            return clip.command, frames
    raise SystemExit(f'None of 20 clips of motion {motion.value} has an object to follow.')


def played(frames: list[Picture], times: int) -> Iterator[Picture]:
    """Yield the frames after the first, then backwards and forwards, `times` times in all."""
    for turn in range(times):
        yield from frames[1:] if turn % 2 == 0 else frames[-2::-1]


def follow(
    model: IteRPrimE, tracker: Tracker, command: str, frames: list[Picture], times: int
) -> tuple[list[float], list[float], list[float]]:
    """Return ms of the steps, ms of asking anew, and resident bytes after each turn."""
    first = frames[0]
    answer = model.segment(model.embed(first.rgb, first.depth, first.pinhole), command)
    tracker.start(first.rgb, answer, first.depth, first.pinhole)
    steps, anew, resident = list[float](), list[float](), list[float]()
    for number, frame in enumerate(played(frames, times)):
        started = time.perf_counter()
        tracker.step(frame.rgb, frame.depth, frame.pinhole)
        steps.append(milliseconds_since(started))
        if times == 1 and number % ANEW_EVERY == 0:
            started = time.perf_counter()
            model.segment(model.embed(frame.rgb, frame.depth, frame.pinhole), command)
            anew.append(milliseconds_since(started))
        if number % (len(frames) - 1) == 0:
            resident.append(resident_bytes())
    return steps, anew, resident


def row(name: str, steps: list[float], anew: list[float]) -> str:
    """Return a line of the table."""
    mean, (median, p90, p99) = np.mean(steps), np.percentile(steps, (50, 90, 99))
    plain = f'{np.median(anew):8.1f} {np.median(anew) / mean:8.1f}' if anew else ' ' * 17
    within = np.mean(np.asarray(steps) <= FRAME_MS)
    return (
        f'{name:8s} {len(steps):7d} {mean:8.1f} {median:8.1f} {p90:7.1f} {p99:7.1f} {plain} '
        f'{mean / FRAME_MS:8.2f} {within:8.3f}'
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--motion', nargs='*', choices=MOTIONS, default=MOTIONS, help='default: all'
    )
    parser.add_argument('--repeat', type=int, default=1, help='times a clip is played (default: 1)')
    parser.add_argument('--profile', default='tabletop', help='default: tabletop')
    parser.add_argument('--threads', type=int, default=2, help='of the CPU (default: 2)')
    parser.add_argument('--json', type=Path, help='file for the numbers')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0]
    model = IteRPrimE.from_profile(options.profile)
    placement = Placement.named('auto', model.profile.encoder_dtype, False, options.profile)
    print(f'{options.profile}, {options.threads} threads, load before {load:.1f}; times in ms')
    heads = ('steps', 'mean', 'median', 'p90', 'p99', 'anew', 'ratio', 'of 30 Hz', 'within')
    widths = (7, 8, 8, 7, 7, 8, 8, 8, 8)
    titles = (f'{head:>{width}}' for head, width in zip(heads, widths, strict=True))
    print('motion  ', *titles, flush=True)
    measured: dict[str, dict[str, list[float]]] = {}
    every: list[float] = []
    every_anew: list[float] = []
    for number, name in enumerate(tqdm(options.motion, unit=' clips', leave=False)):
        motion = Motion(name)
        command, frames = clip_of(motion, CLIP_CALIBRATION[100 * number], model)
        tracker = load_tracker(model, placement)
        steps, anew, resident = follow(model, tracker, command, frames, options.repeat)
        measured[name] = {'step_ms': steps, 'anew_ms': anew, 'resident_bytes': resident}
        every += steps
        every_anew += anew
        tqdm.write(row(name, steps, anew))
        if options.repeat > 1:
            early, late = resident[len(resident) // 10], resident[-1]
            tqdm.write(f'         resident {early / 2**20:.0f} MiB after a tenth, then '
                       f'{late / 2**20:.0f} MiB at the end')  # fmt: skip
    print(row('all', every, every_anew))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
