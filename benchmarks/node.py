"""What the node adds to the pipeline, over real ROS between processes, at 640 x 480.

added:   from an image's stamp to its answer's arrival, less what the pipeline itself took; one
         image at a time, so that nothing queues.
plain:   the same with an empty callback in place of the node: an image one way, a mask back.
oldest:  of a camera at 30 Hz, the greatest age of an answer. limit: one frame and the two longest
         inferences next to each other, which no node can be below: the one that was being computed
         when the image came, and the image's own.

calls:   how long calls of get_parameters take while the node answers a camera at 30 Hz.

python benchmarks/node.py [--cameras 1 2 4] [--answers 200] [--minutes 10] [--json FILE]
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from iterprime_ros.ros.domain import private_domain

GOALS = {'median': 10.0, 'p99': 30.0}  # milliseconds added
CALL_GOAL, CALLS = 100.0, 100  # milliseconds of the longest call, and how many are made
RATE = 30.0  # images a second
WARM_UP = 10  # answers that do not count
COMMAND = 'the red mug'
ECHO = """
import rclpy
from sensor_msgs.msg import Image
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_image
import numpy as np
rclpy.init()
node = rclpy.create_node('segment')
out = node.create_publisher(ReferredObject, '~/result', 10)
mask = np.zeros((480, 640), np.uint8)
def answer(image):
    out.publish(ReferredObject(header=image.header, mask=to_image(mask, 'mono8', image.header)))
node.create_subscription(Image, 'image', answer, rclpy.qos.QoSProfile(depth=1, reliability=2))
try:
    rclpy.spin(node)
except BaseException:
    pass
"""


@dataclass(frozen=True)
class Answer:
    """When an answer came, how old its image was then, and what the pipeline took; milliseconds."""

    camera: str
    came: float
    age: float
    inference: float

    @property
    def added(self) -> float:
        """What is not the pipeline's."""
        return self.age - self.inference


class Peer:
    """Cameras that publish one picture, and the listener to the answers about it."""

    def __init__(self, cameras: list[str]) -> None:
        import rclpy
        from rclpy.qos import QoSProfile
        from sensor_msgs.msg import Image
        from std_msgs.msg import Header, String

        from iterprime_ros.msg import ReferredObject
        from iterprime_ros.ros.convert.images import to_image
        from iterprime_ros.sim.renderer import Renderer
        from iterprime_ros.sim.scene import sample_scene

        with Renderer() as renderer:
            picture = renderer.render(sample_scene(16)).rgb
        self._message = to_image(picture, 'rgb8', Header(frame_id='camera'))
        self._spin_once = rclpy.spin_once
        self._node = rclpy.create_node('bench')
        self.answers: list[Answer] = []
        self._images, self._commands = [], []
        for camera in cameras:
            prefix = f'{camera}/' if camera else ''
            self._node.create_subscription(
                ReferredObject, f'segment/{prefix}result', self._taker(camera), QoSProfile(depth=10)
            )
            self._images.append(self._node.create_publisher(Image, f'{prefix}image', 1))
            self._commands.append(self._node.create_publisher(String, f'{prefix}command', 10))
        while not all(each.get_subscription_count() for each in self._images):
            self.wait(0.1)
        for publisher in self._commands:
            publisher.publish(String(data=COMMAND))

    def _taker(self, camera: str) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            now = self._node.get_clock().now().nanoseconds
            stamp, spent = message.header.stamp, message.inference_time
            if message.status and not message.match_probability >= 0:
                raise SystemExit(f'The node could not answer: {message.text}')
            self.answers.append(
                Answer(
                    camera,
                    now / 1e6,
                    (now - stamp.sec * 10**9 - stamp.nanosec) / 1e6,
                    1e3 * spent.sec + spent.nanosec / 1e6,
                )
            )

        return take

    def publish(self) -> None:
        """Publish a picture of every camera, all with the stamp of this moment."""
        self._message.header.stamp = self._node.get_clock().now().to_msg()
        for publisher in self._images:
            publisher.publish(self._message)

    def client(self) -> Any:
        """Return a client of the node's get_parameters that is connected."""
        from rcl_interfaces.srv import GetParameters

        client = self._node.create_client(GetParameters, 'segment/get_parameters')
        while not client.service_is_ready():
            self.wait(0.1)
        return client

    def wait(self, seconds: float) -> None:
        """Take what comes within some time, one message at most."""
        self._spin_once(self._node, timeout_sec=max(0.0, seconds))

    def close(self) -> None:
        """Remove all topics."""
        self._node.destroy_node()


@contextmanager
def running(command: list[str], cameras: list[str]) -> Iterator[tuple[Peer, int]]:
    """Give a peer of a node that listens, and the node's process id; end both."""
    process = subprocess.Popen(command)
    peer = None
    try:
        peer = Peer(cameras)
        yield peer, process.pid
    finally:
        if peer:
            peer.close()
        process.send_signal(signal.SIGINT)
        process.wait(30)


def one_at_a_time(peer: Peer, count: int) -> list[Answer]:
    """Return the answers to so many images, each published when the one before is answered."""
    while len(peer.answers) < count:
        before = len(peer.answers)
        peer.publish()
        again = time.monotonic() + 2.0  # the command or an image may have been lost
        while len(peer.answers) == before and time.monotonic() < again:
            peer.wait(again - time.monotonic())
    return peer.answers[WARM_UP:]


def at_rate(peer: Peer, go_on: Callable[[], bool]) -> list[Answer]:
    """Return the answers to a camera at RATE while go_on() says so."""
    due = time.monotonic()
    while go_on():
        if time.monotonic() >= due:
            peer.publish()
            due += 1 / RATE
        peer.wait(due - time.monotonic())
    return peer.answers[WARM_UP:]


def oldest_and_limit(answers: list[Answer]) -> tuple[float, float]:
    """Return the greatest age of an answer, and the age that no node could have been below."""
    two = max(before.inference + after.inference for before, after in pairwise(answers))
    return max(each.age for each in answers), 1e3 / RATE + two


def resident(pid: int) -> float:
    """Return MiB of a process's memory."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def latency_table(command: list[str], count: int) -> dict[str, float]:
    """Print and return what the node adds, beside the plain way."""
    found = {}
    print('                 median        p99')
    for name, node in (('plain', [sys.executable, '-c', ECHO]), ('added', command)):
        with running(node, ['']) as (peer, _):
            added = sorted(each.added for each in one_at_a_time(peer, count + WARM_UP))
        found[name] = statistics.median(added)
        found[f'{name} p99'] = added[int(0.99 * len(added))]
        print(f'{name:12s} {found[name]:7.1f} ms {found[f"{name} p99"]:7.1f} ms')
    print(f'{"x plain":12s} {found["added"] / found["plain"]:7.1f}')
    print(f'{"goal":12s} {GOALS["median"]:7.1f} ms {GOALS["p99"]:7.1f} ms')
    return found


def camera_table(command: list[str], numbers: list[int], count: int) -> dict[int, dict]:
    """Print and return what every number of cameras costs, each at RATE."""
    rows = {}
    print('\ncameras   answers a second   of the slowest camera   oldest answer    limit')
    for number in numbers:
        cameras = [''] if number == 1 else [f'camera{k}' for k in range(number)]
        given = [] if number == 1 else ['-p', f'cameras:={json.dumps(cameras)}']
        with running([*command, *given], cameras) as (peer, _):
            taken = at_rate(peer, lambda: len(peer.answers) < number * count + WARM_UP)  # noqa: B023
        seconds = (taken[-1].came - taken[0].came) / 1e3
        slowest = min(sum(each.camera == camera for each in taken) for camera in cameras)
        oldest, limit = oldest_and_limit(taken)
        # With more cameras an image waits for a turn of all the others too.
        limit += (number - 1) * statistics.median(each.inference for each in taken)
        rows[number] = {'rate': len(taken) / seconds, 'oldest': oldest, 'limit': limit}
        print(
            f'{number:7d} {len(taken) / seconds:18.1f} {slowest / seconds:23.1f} '
            f'{oldest:12.1f} ms {limit:6.1f} ms'
        )
    return rows


def calls_while_busy(command: list[str]) -> dict[str, float]:
    """Print and return how long calls take while the node works; a camera at RATE goes on."""
    from rcl_interfaces.srv import GetParameters

    took: list[float] = []
    with running(command, ['']) as (peer, _):
        client = peer.client()
        at_rate(peer, lambda: len(peer.answers) < WARM_UP)
        while len(took) < CALLS:
            future = client.call_async(GetParameters.Request(names=['mode']))
            began = time.monotonic()
            # An image is on its way with every call, so that the worker is seldom idle.
            at_rate(peer, lambda: not future.done())  # noqa: B023
            took.append(1e3 * (time.monotonic() - began))
    median, longest = statistics.median(took), max(took)
    print(f'\ncalls: median {median:.1f} ms, longest {longest:.1f} ms, goal {CALL_GOAL:.0f} ms')
    return {'median': median, 'longest': longest}


def memory_over(command: list[str], minutes: float) -> dict[str, float]:
    """Print and return the node's memory after a tenth of some minutes at RATE, and at the end."""
    with running(command, ['']) as (peer, pid):
        began = time.monotonic()
        at_rate(peer, lambda: time.monotonic() < began + 6 * minutes)
        early = resident(pid)
        answers = at_rate(peer, lambda: time.monotonic() < began + 60 * minutes)
        late = resident(pid)
    oldest, limit = oldest_and_limit(answers)
    print(
        f'\n{minutes:g} minutes, {len(answers)} answers: memory {early:.1f} MiB after a tenth of '
        f'it, {late:.1f} MiB at the end; oldest answer {oldest:.1f} ms, limit {limit:.1f} ms'
    )
    return {'early MiB': early, 'late MiB': late, 'oldest': oldest, 'limit': limit}


def main() -> int:
    """Print the tables; with --json, write the figures too."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--cameras', type=int, nargs='+', default=[1, 2, 4], help='how many')
    parser.add_argument('--answers', type=int, default=200, help='of each run (default: 200)')
    parser.add_argument(
        '--minutes', type=float, default=0, help='of the run for memory; 0 for none'
    )
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    start = [sys.executable, '-m', 'iterprime_ros.ros', 'segment', '--ros-args']
    start += ['--log-level', 'error', '-p', 'autostart:=true', '-p', 'mode:=continuous']
    with private_domain() as environment:
        profile = files('iterprime_ros') / 'ros' / 'fastdds.xml'
        os.environ.update(environment)
        os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = str(profile)
        os.environ['HF_HUB_DISABLE_PROGRESS_BARS'] = '1'
        import rclpy

        rclpy.init()
        figures: dict[str, Any] = latency_table(start, options.answers)
        figures['cameras'] = camera_table(start, options.cameras, options.answers)
        figures['calls'] = calls_while_busy(start)
        if options.minutes:
            figures['memory'] = memory_over(start, options.minutes)
        rclpy.try_shutdown()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
