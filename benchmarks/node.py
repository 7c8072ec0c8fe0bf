"""What the node adds to the pipeline, over real ROS between processes, at 640 x 480.

added:  from an image's publication to the answer's arrival, less what the pipeline itself took.
plain:  the same with an empty callback in place of the node: an image one way, an answer back.
limit:  the pipeline alone.

python benchmarks/node.py [--cameras 1 2 4] [--answers 200] [--json FILE]
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from iterprime_ros.ros.domain import private_domain

GOALS = {'median': 10.0, 'p99': 30.0}  # milliseconds
RATE = 30.0  # images a second
COMMAND = 'the red mug'
ECHO = """
import rclpy, sys
from sensor_msgs.msg import Image
from iterprime_ros.msg import ReferredObject
rclpy.init()
node = rclpy.create_node('segment')
out = node.create_publisher(ReferredObject, '~/result', 10)
node.create_subscription(Image, 'image', lambda m: out.publish(ReferredObject(header=m.header)),
                         rclpy.qos.QoSProfile(depth=1, reliability=2))
try:
    rclpy.spin(node)
except BaseException:
    pass
"""


def latencies(peer: Any, names: list[str], count: int) -> tuple[list[float], list[float]]:
    """Return milliseconds from publication to answer, and those of the pipeline, of each answer."""
    import rclpy
    from builtin_interfaces.msg import Time
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header, String

    from iterprime_ros.msg import ReferredObject
    from iterprime_ros.ros.images import to_image
    from iterprime_ros.sim.renderer import Renderer
    from iterprime_ros.sim.scene import sample_scene

    with Renderer() as renderer:
        picture = renderer.render(sample_scene(16)).rgb
    sent: dict[tuple[str, int], float] = {}
    took: list[float] = []
    inside: list[float] = []

    def on_result(name: str, message: Any) -> None:
        at = sent.pop((name, message.header.stamp.nanosec), None)
        if at is not None:
            spent = message.processing_time
            took.append(1e3 * (time.monotonic() - at))
            inside.append(1e3 * spent.sec + spent.nanosec / 1e6)

    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    images, commands = [], []
    for name in names:
        prefix = f'{name}/' if name else ''
        peer.create_subscription(
            ReferredObject,
            f'segment/{prefix}result',
            lambda message, name=name: on_result(name, message),
            latched,
        )
        images.append(peer.create_publisher(Image, f'{prefix}image', 1))
        commands.append(peer.create_publisher(String, f'{prefix}command', 10))
    while not all(each.get_subscription_count() for each in images):
        rclpy.spin_once(peer, timeout_sec=0.1)
    for each in commands:
        each.publish(String(data=COMMAND))
    message = to_image(picture, 'rgb8', Header(frame_id='camera'))
    number, due = 0, time.monotonic()
    while len(took) < count:
        rclpy.spin_once(peer, timeout_sec=max(0.0, due - time.monotonic()))
        if time.monotonic() < due:
            continue
        due += 1 / RATE
        number += 1
        for name, publisher in zip(names, images, strict=True):
            message.header.stamp = Time(sec=0, nanosec=number)
            sent[name, number] = time.monotonic()
            publisher.publish(message)
    return took, inside


def measured(names: list[str], count: int, node: list[str]) -> dict[str, float]:
    """Return the figures of one run with a node's command line."""
    import rclpy

    process = subprocess.Popen(node)
    peer = rclpy.create_node('bench')
    try:
        took, inside = latencies(peer, names, count + 10)
    finally:
        peer.destroy_node()
        process.send_signal(signal.SIGINT)
        process.wait(30)
    added = sorted(whole - part for whole, part in zip(took[10:], inside[10:], strict=True))
    return {
        'median': statistics.median(added),
        'p99': added[int(0.99 * len(added))],
        'answer': statistics.median(inside[10:]),
        'oldest': max(took[10:]),
    }


def main() -> int:
    """Print the table; with --json, write the figures too."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--cameras', type=int, nargs='+', default=[1, 2, 4], help='how many')
    parser.add_argument('--answers', type=int, default=200, help='of each run (default: 200)')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    options = parser.parse_args()
    start = [sys.executable, '-m', 'iterprime_ros.ros.start', 'segment', '--ros-args']
    start += ['--log-level', 'error', '-p', 'autostart:=true', '-p', 'mode:=continuous']
    figures = {}
    with private_domain() as environment:
        profile = files('iterprime_ros') / 'ros' / 'fastdds.xml'
        os.environ.update({**environment, 'FASTDDS_DEFAULT_PROFILES_FILE': str(profile)})
        import rclpy

        rclpy.init()
        plain = measured([''], options.answers, [sys.executable, '-c', ECHO])
        print('cameras   added median      p99   x plain   an answer   oldest answer')
        for cameras in options.cameras:
            names = [''] if cameras == 1 else [f'camera{k}' for k in range(cameras)]
            given = [] if cameras == 1 else ['-p', f'cameras:={json.dumps(names)}']
            row = measured(names, options.answers, [*start, *given])
            figures[cameras] = row
            print(
                f'{cameras:7d} {row["median"]:11.1f} ms {row["p99"]:5.1f} ms '
                f'{row["median"] / plain["median"]:9.1f} {row["answer"]:8.1f} ms '
                f'{row["oldest"]:12.1f} ms'
            )
        print(f'plain     {plain["median"]:9.1f} ms {plain["p99"]:5.1f} ms')
        print(f'goal      {GOALS["median"]:9.1f} ms {GOALS["p99"]:5.1f} ms, one camera')
        rclpy.try_shutdown()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
