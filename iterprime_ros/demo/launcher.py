"""The demo: a camera, the node and someone who asks it, each a process, over real ROS."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np

from iterprime_ros.ros.domain import private_domain
from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of

_ROS, _DEMO = 'iterprime_ros.ros', 'iterprime_ros.demo'
_PATIENCE = 60.0  # seconds; on two cores it takes fifteen
# Bars of progress on loading would run across what a person reads and types.
_QUIET = {'HF_HUB_DISABLE_PROGRESS_BARS': '1'}
_STRATA = (Stratum.ATTRIBUTES, Stratum.RELATION, Stratum.ABSENT)


class DemoError(RuntimeError):
    """The demo did not come to its end; the message says why."""


def run_demo(out: Path, seed: int) -> None:
    """Ask about the scene of `seed` over ROS, print what is answered, and draw it as `out`.

    Raises DemoError when a process fails or nothing arrives, as the other two do.
    """
    commands = questions(seed)
    with _graph(seed, mode='once') as graph:
        graph.run('client', _PATIENCE, out=str(out), commands=commands)


def run_interactive(out: Path, seed: int) -> None:
    """Let a person ask about the scene of `seed`, and draw every answer as `out`."""
    print(
        'Type what to find, such as "the red cube" or "pick up the leftmost cube"; "next" shows '
        f'another table; an empty line or Ctrl-D ends.\nWhat is seen is drawn in {out}; camera and '
        'node need some seconds to start.',
        flush=True,
    )
    with _graph(seed, mode='once', quiet=True) as graph:
        graph.run('console', None, out=str(out))


def run_watch(out: Path, seed: int, command: str) -> None:
    """Put a command to every frame, and keep the newest answer drawn as `out` until interrupted.

    command: '' for one that fits the scene.
    """
    command = command or questions(seed)[0]
    print(
        f'Watching for "{command}"; the picture {out} follows what is seen, and Ctrl-C ends. '
        'Camera and node need some seconds to start.',
        flush=True,
    )
    with _graph(seed, mode='continuous', quiet=True) as graph:
        graph.run('watch', None, out=str(out), command=command)


def questions(seed: int) -> list[str]:
    """Return commands about the scene of a seed.

    One names attributes, one a relation where the scene offers one, one something that is not
    there.
    """
    rng = np.random.default_rng(seed)
    with Renderer(640, 480) as renderer:
        view = view_of(renderer.render(sample_scene(seed)))
    found = [
        sample_expression(rng, view, stratum) or sample_expression(rng, view, Stratum.ATTRIBUTES)
        for stratum in _STRATA
    ]
    return [sample_command(rng, each.text).text for each in found if each]


class _Graph:
    """The processes of a demo; all are ended with `running`."""

    def __init__(self, environment: dict[str, str], running: ExitStack) -> None:
        self._environment, self._running = environment, running
        self._others: dict[str, subprocess.Popen] = {}

    def add(self, node: str, level: str, **parameters: object) -> None:
        """Start a node that runs until the end; level: of what it logs."""
        self._others[node] = self._start(_ROS, node, parameters, level, in_background=True)

    def run(self, node: str, patience: float | None, **parameters: object) -> None:
        """Run a node of the demo until it is done; patience: seconds, None for any time."""
        process = self._start(_DEMO, node, parameters)
        began = time.monotonic()
        while patience is None or time.monotonic() - began < patience:
            try:
                code = process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                for name, other in self._others.items():
                    if other.poll() is not None:
                        raise DemoError(f'{name} ended with {other.returncode}.') from None
                continue
            if code:
                raise DemoError(f'{node} ended with {code}.')
            return
        raise DemoError(f'No answers came within {patience:g} seconds.')

    def _start(
        self,
        package: str,
        node: str,
        parameters: dict[str, object],
        level: str = 'info',
        in_background: bool = False,
    ) -> subprocess.Popen:
        # A parameter is read as YAML, of which JSON is a part: a file named [a].png is quoted.
        settings = [f'{name}:={json.dumps(value)}' for name, value in parameters.items()]
        options = [word for each in settings for word in ('-p', each)]
        process = subprocess.Popen(
            [sys.executable, '-m', package, node, '--ros-args', *options, '--log-level', level],
            env=self._environment,
            stdin=subprocess.DEVNULL if in_background else None,
            # Ctrl-C at the terminal is not for what runs in the background: `_end` is.
            process_group=0 if in_background else None,
        )
        self._running.callback(_end, process)
        return process


@contextmanager
def _graph(seed: int, mode: str, quiet: bool = False) -> Iterator[_Graph]:
    """Run the camera and the node in a ROS domain of their own; mode: the node's."""
    # Ending this process, or its terminal, must end its children: as Ctrl-C does, by an exception.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with private_domain() as environment, ExitStack() as running:
        graph = _Graph({**environment, **_transport(), **_QUIET}, running)
        graph.add('sim_camera', 'warn', seed=seed)
        graph.add('segment', 'warn' if quiet else 'info', autostart=True, mode=mode)
        yield graph


def _transport() -> dict[str, str]:
    """Return what gives Fast DDS shared memory that holds whole images."""
    if 'FASTDDS_DEFAULT_PROFILES_FILE' in os.environ:
        return {}
    profile = files('iterprime_ros') / 'ros' / 'fastdds.xml'
    return {'FASTDDS_DEFAULT_PROFILES_FILE': str(profile)}


def _end(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
