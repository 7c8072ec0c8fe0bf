"""Speed of the simulated camera on one core, compared with a plain implementation and a limit.

ours:  colour, depth, object ids and amodal areas of a new scene in every picture.
plain: the same pictures, with a MuJoCo model that is compiled for each scene.
limit: MuJoCo drawing colours and ids of a scene that is already set, and nothing else.

python benchmarks/sim.py [--json FILE]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# By default Mesa draws with one thread per core.
os.environ['LP_NUM_THREADS'] = '0'
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

from iterprime_ros.sim.renderer import Renderer  # noqa: E402
from iterprime_ros.sim.scene import mesh_library, sample_scene  # noqa: E402
from iterprime_ros.sim.view import view_of  # noqa: E402

SIZES = ((640, 480, 60), (160, 160, 240))  # width, height, number of pictures
GOALS = {(640, 480): 10.0, (160, 160): 40.0}  # pictures per second
PLAIN_PICTURES = 6


def mean_seconds(function: Callable[[int], object], count: int) -> float:
    """Return the mean wall time of function(0) to function(count - 1), after a warm-up call."""
    function(0)
    start = time.perf_counter()
    for number in range(count):
        function(number)
    return (time.perf_counter() - start) / count


def measure(width: int, height: int, count: int) -> dict[str, float]:
    """Return the pictures per second of one size, and the milliseconds to sample a scene."""
    with Renderer(width, height) as renderer:
        ours = mean_seconds(lambda seed: view_of(renderer.render(sample_scene(seed))), count)
        scenes = mean_seconds(sample_scene, count)
        renderer.render(sample_scene(0))
        limit = mean_seconds(
            lambda _: (renderer._draw(segmented=False), renderer._draw(segmented=True)), count
        )

    def plain(seed: int) -> None:
        with Renderer(width, height) as single_use:
            single_use.render(sample_scene(seed))

    return {
        'ours_hz': 1 / ours,
        'plain_hz': 1 / mean_seconds(plain, PLAIN_PICTURES),
        'limit_hz': 1 / limit,
        'scene_ms': 1e3 * scenes,
    }


def main() -> int:
    """Print the figures as a table and, with --json, write them to a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    mesh_library()
    figures = {}
    print('one core           ours   goal   x plain   of the limit   of which scene')
    for width, height, count in SIZES:
        row = measure(width, height, count)
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
