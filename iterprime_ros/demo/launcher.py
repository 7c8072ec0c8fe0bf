"""Starts the simulated camera, the segment node and a client, each as a process, over real ROS 2.

This module only starts processes: it does not import rclpy.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from iterprime_ros.ros.domain import private_domain
from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of
from iterprime_ros.speech.audio import write_wav
from iterprime_ros.speech.espeak import speak

_ROS, _DEMO = 'iterprime_ros.ros', 'iterprime_ros.demo'  # packages of nodes
# Seconds, most of them for the start, where a busy machine takes a minute for the imports alone.
# The client itself counts the time of each answer from when the nodes are ready.
_TIMEOUT = 300.0
_PICK_TIMEOUT = 900.0  # the demo of picking has a limit of its own, from when all are ready
_DEPTH_WAIT = 2.0  # seconds: on a busy machine depth comes late, and without it there is no grasp
# Progress bars would run across the lines of an interactive session.
_NO_PROGRESS_BARS = {'HF_HUB_DISABLE_PROGRESS_BARS': '1'}
# Two white mugs, of which the left one stays in the picture when it is lifted.
_PICK_SEED, _PICK_SAYS = 143, ('pick up the white mug', 'the left one')
PAGE = Path()  # of --look, in the browser
_POLL = 0.2  # seconds between looks at the nodes
_STRATA = (Stratum.ATTRIBUTES, Stratum.RELATION, Stratum.ABSENT)


class DemoError(RuntimeError):
    """The demo failed; the message says why."""


def run_demo(out: Path, seed: int, look: Path | None = None) -> None:
    """Send three commands about a scene over ROS, print the answers and draw them.

    out: PNG to write.
    seed: number of the scene.
    look: where Rerun shows it: a .rrd file to write, or PAGE; None: not at all.

    Raises DemoError if a process fails or the answers do not arrive in time.
    """
    commands = sample_commands(seed)
    with _running_nodes(seed, mode='once', look=look) as nodes:
        nodes.run('client', _TIMEOUT, out=str(out), commands=commands)
        nodes.show(look)


def run_interactive(out: Path, seed: int, look: Path | None = None) -> None:
    """Read commands about a scene from stdin, print and draw each answer.

    out: PNG to write after each answer.
    seed: number of the first scene.
    look: as of run_demo.

    Raises DemoError if a process fails.
    """
    print(
        'Type a command, such as "the red cube" or "pick up the leftmost cube"; "next" shows the '
        'next scene; an empty line or Ctrl-D ends.\n'
        f'The newest answer is drawn in {out}. Camera and node take a few seconds to start.',
        flush=True,
    )
    with _running_nodes(seed, mode='once', is_quiet=True, look=look) as nodes:
        nodes.run('console', None, out=str(out))


def run_watch(
    out: Path,
    seed: int,
    command: str,
    motion: Motion = Motion.NONE,
    look: Path | None = None,
) -> None:
    """Run one command on every frame the node can process, until interrupted.

    out: PNG to update with the newest answer.
    seed: number of the scene.
    command: '' for one that refers to an object of the scene.
    motion: what moves.
    look: as of run_demo.

    Raises DemoError if a process fails.
    """
    if not command:
        is_still = motion is Motion.NONE
        command = sample_commands(seed)[0] if is_still else sample_clip(seed, motion).command
    print(
        f'Watching for "{command}" until Ctrl-C. The newest answer is drawn in {out} about once '
        'a second. Camera and node take a few seconds to start.',
        flush=True,
    )
    with _running_nodes(seed, 'continuous', True, motion, look) as nodes:
        nodes.run('watch', None, out=str(out), command=command)


def run_pick(
    out: Path,
    seed: int | None,
    says: Sequence[str],
    has_voice: bool = False,
    look: Path | None = None,
) -> None:
    """Have the simulated robot pick what is said, and film it.

    out: GIF to write.
    seed: number of the scene; None for one with two white mugs.
    says: a command, then the replies to the questions back; empty for what is said of that scene,
        or a command about an object of another one.
    has_voice: whether it is spoken, by espeak-ng, and recognised.
    look: as of run_demo.

    Raises DemoError if a process fails, or nothing is lifted, and MissingDependencyError without a
    voice.
    """
    if not says:
        says = _PICK_SAYS if seed is None else [_pick_command(seed)]
    print(
        'Simulated robot and node take some seconds to start, and the pick takes about ten.',
        flush=True,
    )
    with _environment() as environment, ExitStack() as exit_stack:
        nodes = _Nodes(environment, exit_stack)
        nodes.start_look(look)
        nodes.start('sim_robot', 'warn', seed=_PICK_SEED if seed is None else seed)
        nodes.start('segment', 'warn', autostart=True, depth_wait=_DEPTH_WAIT)
        nodes.start_program(_program('voice_pick.py'), result='/segment/result')
        if has_voice:
            folder = Path(exit_stack.enter_context(TemporaryDirectory()))
            _start_voice(nodes, folder, says)
        nodes.run('pick', _PICK_TIMEOUT, out=str(out), says=list(says), voice=has_voice)
        nodes.show(look)


def _start_voice(nodes: '_Nodes', folder: Path, says: Sequence[str]) -> None:
    """Start a node for each sentence that hears it spoken whenever it is told to listen."""
    for number, text in enumerate(says):
        file = folder / f'{number}.wav'
        write_wav(file, speak(text))
        nodes.start(
            'listen', 'warn', f'voice_{number}', source='wav', file=str(file), push_to_talk=True
        )


def _pick_command(seed: int) -> str:
    """Return a command about an object of the scene of a seed."""
    with Renderer(640, 480) as renderer:
        view = view_of(renderer.render(sample_scene(seed)))
    expression = sample_expression(np.random.default_rng(seed), view, Stratum.ATTRIBUTES)
    return f'pick up {expression.text if expression else "the object in the middle"}'


def _program(name: str) -> Path:
    """Return one of the examples: in the source tree, or where the package is installed."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    places = [Path(str(files('iterprime_ros'))).parent / 'examples']
    places += [Path(prefix) / 'lib' / 'iterprime_ros' for prefix in prefixes if prefix]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise DemoError(f'{name} is not installed; looked in {", ".join(map(str, places))}.')


def sample_commands(seed: int) -> list[str]:
    """Return three commands about the scene of a seed.

    The first names attributes, the second a relation if the scene allows one, the third an object
    that is not in the scene.
    """
    rng = np.random.default_rng(seed)
    with Renderer(640, 480) as renderer:
        view = view_of(renderer.render(sample_scene(seed)))
    expressions = [
        sample_expression(rng, view, stratum) or sample_expression(rng, view, Stratum.ATTRIBUTES)
        for stratum in _STRATA
    ]
    return [sample_command(rng, each.text).text for each in expressions if each]


class _Nodes:
    """The nodes of a demo, each a process; the exit stack terminates all of them."""

    def __init__(self, environment: dict[str, str], exit_stack: ExitStack) -> None:
        self._environment, self._exit_stack = environment, exit_stack
        self._background: dict[str, subprocess.Popen] = {}

    def start(self, node: str, log_level: str, name: str = '', **parameters: object) -> None:
        """Start a node that runs in the background until the demo ends.

        name: in ROS; '' for its usual one.
        """
        self._background[name or node] = self._popen(_ROS, node, parameters, log_level, True, name)

    def start_look(self, look: Path | None) -> None:
        """Start the node that shows in Rerun what the others do; None: do not."""
        if look == PAGE:
            self.start('look', 'info', open_browser=True)
        elif look is not None:
            self.start('look', 'warn', file=str(look.absolute()))

    def show(self, look: Path | None) -> None:
        """Keep a page that is looked at until Ctrl-C."""
        if look != PAGE:
            return
        try:
            print('Everything is shown. Ctrl-C ends.', flush=True)
            while True:
                self._check_background()
                time.sleep(_POLL)
        except KeyboardInterrupt:
            return

    def start_program(self, program: Path, **remappings: str) -> None:
        """Start a Python program that runs in the background until the demo ends."""
        rules = [f'{name}:={topic}' for name, topic in remappings.items()]
        options = [word for rule in rules for word in ('-r', rule)]
        command = [sys.executable, str(program), '--ros-args', *options]
        self._background[program.name] = self._process(command, True)

    def run(self, node: str, timeout: float | None, **parameters: object) -> None:
        """Run a node of the demo until it exits; timeout: seconds, None for no limit."""
        process = self._popen(_DEMO, node, parameters)
        started_at = time.monotonic()
        while timeout is None or time.monotonic() - started_at < timeout:
            try:
                code = process.wait(timeout=_POLL)
            except subprocess.TimeoutExpired:
                self._check_background()
                continue
            if code:
                raise _exit_error(node, code)
            return
        raise DemoError(
            f'The demo did not end within {timeout:g} seconds: this machine may be too busy; check '
            'the messages above and try again.'
        )

    def _check_background(self) -> None:
        for node, process in self._background.items():
            if process.poll() is not None:
                raise _exit_error(node, process.returncode)

    def _popen(
        self,
        package: str,
        node: str,
        parameters: dict[str, object],
        log_level: str = 'info',
        in_background: bool = False,
        name: str = '',
    ) -> subprocess.Popen:
        # ROS reads parameters as YAML, of which JSON is a subset: it quotes a path like [a].png.
        settings = [f'{name}:={json.dumps(value)}' for name, value in parameters.items()]
        options = [word for each in settings for word in ('-p', each)]
        options += ['-r', f'__node:={name}'] if name else []
        options += ['--log-level', log_level]
        command = [sys.executable, '-m', package, node, '--ros-args', *options]
        return self._process(command, in_background)

    def _process(self, command: list[str], in_background: bool) -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL if in_background else None,
            # A background node gets no Ctrl-C from the terminal; `_terminate` ends it.
            process_group=0 if in_background else None,
        )
        self._exit_stack.callback(_terminate, process)
        return process


def _exit_error(node: str, code: int) -> DemoError:
    return DemoError(f'The process {node} exited with code {code}; the messages above say why.')


@contextmanager
def _running_nodes(
    seed: int,
    mode: str,
    is_quiet: bool = False,
    motion: Motion = Motion.NONE,
    look: Path | None = None,
) -> Iterator[_Nodes]:
    """Run the simulated camera and the segment node in a ROS domain of their own.

    mode: of the segment node, once or continuous.
    is_quiet: whether the segment node logs warnings and errors only.
    motion: what moves in front of the camera.
    look: as of run_demo.
    """
    with _environment() as environment, ExitStack() as exit_stack:
        nodes = _Nodes(environment, exit_stack)
        nodes.start_look(look)
        nodes.start('sim_camera', 'warn', seed=seed, motion=motion.value)
        nodes.start('segment', 'warn' if is_quiet else 'info', autostart=True, mode=mode)
        yield nodes


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """Yield the environment of the nodes, in a ROS domain of their own."""
    # SystemExit, unlike the default action of these signals, terminates the child processes.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with private_domain() as environment:
        yield {**environment, **_fast_dds_profile(), **_NO_PROGRESS_BARS}


def _fast_dds_profile() -> dict[str, str]:
    """Return the environment that gives Fast DDS shared memory large enough for whole images."""
    if 'FASTDDS_DEFAULT_PROFILES_FILE' in os.environ:
        return {}
    profile = files('iterprime_ros') / 'ros' / 'fastdds.xml'
    return {'FASTDDS_DEFAULT_PROFILES_FILE': str(profile)}


def _terminate(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
