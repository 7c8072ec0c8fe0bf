"""How fast the simulated camera is, on one core: beside the plain way and beside the limit.

ours:  colour, depth, object ids and hidden areas of a new scene every time.
plain: the same pictures from a model compiled for each scene, as one would first write it.
limit: MuJoCo drawing the colours and the ids of a scene that is already set, and nothing else.

python benchmarks/sim.py [--json FILE]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Mesa draws with as many threads as there are cores unless it is told otherwise.
os.environ['LP_NUM_THREADS'] = '0'
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

from iterprime_ros.sim.renderer import Renderer  # noqa: E402
from iterprime_ros.sim.scene import mesh_library, sample_scene  # noqa: E402
from iterprime_ros.sim.view import view_of  # noqa: E402

SIZES = ((640, 480, 60), (160, 160, 240))
GOALS = {(640, 480): 10.0, (160, 160): 40.0}
PLAIN_SCENES = 6


def seconds_each(work: Callable[[int], object], count: int) -> float:
    """Return the mean wall time of work(0), work(1), ...; work(0) runs once before it counts."""
    work(0)
    started = time.perf_counter()
    for number in range(count):
        work(number)
    return (time.perf_counter() - started) / count


def measured(width: int, height: int, count: int) -> dict[str, float]:
    """Return pictures a second of one size: new scenes, the plain way, the limit."""
    with Renderer(width, height) as renderer:
        ours = seconds_each(lambda seed: view_of(renderer.render(sample_scene(seed))), count)
        scenes = seconds_each(sample_scene, count)
        renderer.render(sample_scene(0))
        limit = seconds_each(lambda _: (renderer._draw(False), renderer._draw(True)), count)

    def plain(seed: int) -> None:
        with Renderer(width, height) as fresh:
            fresh.render(sample_scene(seed))

    return {
        'ours_hz': 1 / ours,
        'plain_hz': 1 / seconds_each(plain, PLAIN_SCENES),
        'limit_hz': 1 / limit,
        'scene_ms': 1e3 * scenes,
    }


def main() -> int:
    """Print the table; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    mesh_library()
    figures = {}
    print('one core           ours   goal   x plain   of the limit   of which scene')
    for width, height, count in SIZES:
        row = measured(width, height, count)
        figures[f'{width}x{height}'] = row
        print(
            f'{width:>4} x {height:<4} {row["ours_hz"]:8.1f} Hz {GOALS[width, height]:4.0f} Hz '
            f'{row["ours_hz"] / row["plain_hz"]:7.1f} {row["ours_hz"] / row["limit_hz"]:13.0%} '
            f'{row["scene_ms"]:12.1f} ms'
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
