"""The demo: a camera node and a node that looks, in processes of their own, over real ROS."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from iterprime_ros.ros.domain import private_domain

_START = (sys.executable, '-m', 'iterprime_ros.ros.start')
_PATIENCE = 60  # seconds; on two cores it takes three


class DemoError(RuntimeError):
    """The demo did not come to its end; the message says why."""


def run_demo(out: Path, seed: int) -> None:
    """Publish the scene of `seed` from one process and draw what another receives, as `out`.

    Raises DemoError when a process fails or nothing arrives.
    """
    # Ending this process must end its children: SIGTERM becomes an exception like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A parameter is read as YAML: a file named [a].png has to be quoted.
    quoted = f'out:={json.dumps(str(out))}'
    with private_domain() as environment:
        camera = subprocess.Popen(
            [*_START, 'sim_camera', '--ros-args', '-p', f'seed:={seed}'], env=environment
        )
        drawer = subprocess.Popen(
            [*_START, 'camera_snapshot', '--ros-args', '-p', quoted], env=environment
        )
        try:
            _wait_for(drawer, camera)
        finally:
            _end(drawer)
            _end(camera)


def _wait_for(drawer: subprocess.Popen, camera: subprocess.Popen) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            code = drawer.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if camera.poll() is not None:
                raise DemoError(f'The camera ended with {camera.returncode}.') from None
            continue
        if code:
            raise DemoError(f'The node that draws ended with {code}.')
        return
    raise DemoError(f'No picture arrived within {_PATIENCE} seconds.')


def _end(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
