"""Measure images per second of `iterprime segment --ray`, beside one process without it.

    python benchmarks/cluster.py [--images 200] [--workers 1 2] [--json FILE]

Every worker has one CPU thread, as has the single process. Loading models and starting Ray are not
counted: the clock runs from the first image that is done to the last. Run it on an idle machine.
"""

import argparse
import json
import os
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

os.environ['OMP_NUM_THREADS'] = '1'

import torch
from PIL import Image

from iterprime_ros.cluster.segment_images import SegmentTask, segment_worker
from iterprime_ros.cluster.segmenting import segment_files
from iterprime_ros.cluster.session import WorkerOptions
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

_COMMAND = 'the red mug'
_TOGETHER_S = 0.005


@dataclass(frozen=True)
class Throughput:
    """How fast images were answered.

    what: did it.
    images_per_second: without what happens before the first is done.
    ratio: to one process without Ray.
    until_first_s: seconds until the first image was done.
    """

    what: str
    images_per_second: float
    ratio: float
    until_first_s: float


def main() -> None:
    """Print a table, and write it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=200)
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        task = _task(Path(name), options.images)
        alone, until_first = _alone(task)
        rows = [Throughput('one process, without Ray', alone, 1.0, until_first)]
        for workers in options.workers:
            speed, until_first = _on_ray(task, workers)
            what = f'--ray --workers {workers}'
            rows.append(Throughput(what, speed, speed / alone, until_first))
    print(f'{options.images} images of 640 x 480, one command each, on {os.cpu_count()} CPUs')
    print('| | images/s | ratio | first image after |')
    print('|---|---|---|---|')
    for row in rows:
        print(
            f'| {row.what} | {row.images_per_second:.2f} | {row.ratio:.2f} '
            f'| {row.until_first_s:.1f} s |'
        )
    if options.json:
        content = {'images': options.images, 'rows': [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(content, indent=1) + '\n')


def _task(folder: Path, count: int) -> SegmentTask:
    """Return the task of rendered images in a folder, with a mask of each."""
    files = [folder / f'{number:04}.png' for number in range(count)]
    with Renderer(640, 480) as renderer:
        for number, file in enumerate(files):
            Image.fromarray(renderer.render(sample_scene(number)).rgb).save(file)
    outputs = [[{'mask': folder / 'masks' / file.name}] for file in files]
    return SegmentTask('tabletop', 'cpu', True, files, [_COMMAND], outputs, folder)


def _alone(task: SegmentTask) -> tuple[float, float]:
    begin = perf_counter()
    answer = segment_worker(task)
    done = []
    for index in range(len(task.files)):
        answer(index)
        done.append(perf_counter())
    return _speed(done), done[0] - begin


def _on_ray(task: SegmentTask, workers: int) -> tuple[float, float]:
    begin = perf_counter()
    done = []
    with closing(segment_files(task, WorkerOptions(workers=workers, device='cpu'))) as results:
        for _ in results:
            done.append(perf_counter())
    return _speed(done), done[0] - begin


def _speed(done: list[float]) -> float:
    """Return images per second from the times when they were done."""
    # Images that a worker answers in one task are known together, at its end.
    first = sum(each - done[0] < _TOGETHER_S for each in done)
    return (len(done) - first) / (done[-1] - done[0])


if __name__ == '__main__':
    main()
