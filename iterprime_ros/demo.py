"""The demo: a camera node and a node that looks, in processes of their own, over real ROS."""

import signal
import subprocess
import sys
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
    with private_domain() as environment:
        camera = subprocess.Popen(
            [*_START, 'sim_camera', '--ros-args', '-p', f'seed:={seed}'], env=environment
        )
        try:
            subprocess.run(
                [*_START, 'camera_snapshot', '--ros-args', '-p', f'out:={out}'],
                env=environment,
                check=True,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            cause = '' if camera.poll() is None else f' The camera ended with {camera.returncode}.'
            raise DemoError(f'No picture arrived within {_PATIENCE} seconds.{cause}') from error
        except subprocess.CalledProcessError as error:
            raise DemoError(f'The node that draws ended with {error.returncode}.') from error
        finally:
            _end(camera)


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
