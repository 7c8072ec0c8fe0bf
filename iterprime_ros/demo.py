"""The demo: a camera, the node and someone who asks it, each a process, over real ROS."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import numpy as np

from iterprime_ros.ros.domain import private_domain
from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of

_START = (sys.executable, '-m', 'iterprime_ros.ros.start')
_PATIENCE = 60  # seconds; on two cores it takes fifteen
_STRATA = (Stratum.ATTRIBUTES, Stratum.RELATION, Stratum.ABSENT)


class DemoError(RuntimeError):
    """The demo did not come to its end; the message says why."""


def run_demo(out: Path, seed: int) -> None:
    """Ask about the scene of `seed` over ROS, print what is answered, and draw it as `out`.

    Raises DemoError when a process fails or nothing arrives.
    """
    # Ending this process must end its children: SIGTERM becomes an exception like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    asked = questions(seed)
    with private_domain() as environment, ExitStack() as running:
        environment = {**environment, **_transport()}

        def start(node: str, **parameters: object) -> subprocess.Popen:
            # A parameter is read as YAML, of which JSON is a part: a file named [a].png is quoted.
            settings = [f'{name}:={json.dumps(value)}' for name, value in parameters.items()]
            options = [word for each in settings for word in ('-p', each)]
            quiet = ['--log-level', 'warn'] if node == 'sim_camera' else []
            process = subprocess.Popen(
                [*_START, node, '--ros-args', *options, *quiet], env=environment
            )
            running.callback(_end, process)
            return process

        others = {
            'sim_camera': start('sim_camera', seed=seed),
            'segment': start('segment', autostart=True),
        }
        asker = start(
            'demo_asker',
            out=str(out),
            commands=[command for command, _ in asked],
            targets=[str(target or 0) for _, target in asked],
        )
        _wait_for(asker, others)


def questions(seed: int) -> list[tuple[str, int | None]]:
    """Return commands about the scene of a seed, and the ids of what they mean.

    One names attributes, one a relation where the scene offers one, one something that is not
    there (None).
    """
    rng = np.random.default_rng(seed)
    with Renderer(640, 480) as renderer:
        view = view_of(renderer.render(sample_scene(seed)))
    found = [
        sample_expression(rng, view, stratum) or sample_expression(rng, view, Stratum.ATTRIBUTES)
        for stratum in _STRATA
    ]
    return [(sample_command(rng, each.text).text, each.target) for each in found if each]


def _transport() -> dict[str, str]:
    """Return what gives Fast DDS shared memory that holds whole images."""
    if 'FASTDDS_DEFAULT_PROFILES_FILE' in os.environ:
        return {}
    profile = files('iterprime_ros') / 'ros' / 'fastdds.xml'
    return {'FASTDDS_DEFAULT_PROFILES_FILE': str(profile)}


def _wait_for(asker: subprocess.Popen, others: dict[str, subprocess.Popen]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            code = asker.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            for node, process in others.items():
                if process.poll() is not None:
                    raise DemoError(f'{node} ended with {process.returncode}.') from None
            continue
        if code:
            raise DemoError(f'demo_asker ended with {code}.')
        return
    raise DemoError(f'No answers came within {_PATIENCE} seconds.')


def _end(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
