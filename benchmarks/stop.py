"""How long the simulated robot takes to end all motion after `stop`, over real ROS.

A pick is begun, and after a random time `stop` is published. Counted is the time from there to the
arrival of the pick's result, "Stopped.", which the robot sends when it has ended the motion: two
ways through DDS are in it.

python benchmarks/stop.py [--trials 50]
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
from tqdm import tqdm

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.ros.domain import private_domain
from iterprime_ros.sim.reach import in_world, reason_not_to_reach
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.spatial.grasping import grasps_of

SEED = 3
GOAL = 100.0  # milliseconds
LATEST = 5.0  # seconds after a pick began; it takes six


def reachable_grasp() -> Any:
    """Return a grasp, in the optical frame, of an object of the scene."""
    gripper = ParallelGripper()
    with Renderer() as renderer:
        picture = renderer.render(sample_scene(SEED))
    for number in range(1, len(picture.scene.objects) + 1):
        found = grasps_of(picture.ids == number, picture.depth, picture.pinhole, gripper)
        for grasp in found.grasps:
            if not reason_not_to_reach(in_world(grasp, picture.scene.camera), gripper):
                return grasp
    raise SystemExit(f'Nothing in scene {SEED} can be grasped.')


class Client:
    """Begins picks, and stops them."""

    def __init__(self, grasp: Any) -> None:
        import rclpy
        from rclpy.action import ActionClient
        from std_msgs.msg import Empty

        from iterprime_ros.action import Pick
        from iterprime_ros.ros.convert.grasps import grasp_message

        self._node = rclpy.create_node('stop_benchmark')
        self._spin_once = rclpy.spin_once
        self._action = ActionClient(self._node, Pick, 'pick')
        self._stops = self._node.create_publisher(Empty, 'stop', 10)
        self._stop, self._goal = Empty(), Pick.Goal(grasp=grasp_message(grasp))
        self._goal.header.frame_id = 'camera_color_optical_frame'
        self._spin(lambda: self._action.server_is_ready() and self._stops.get_subscription_count())

    def milliseconds_to_stop(self, delay: float) -> float | None:
        """Return what a stop some seconds into a pick took; None where the pick ended first."""
        self._goal.header.stamp = self._node.get_clock().now().to_msg()
        sent = self._action.send_goal_async(self._goal)
        self._spin(sent.done)
        ended = sent.result().get_result_async()
        began = time.monotonic()
        self._spin(lambda: ended.done() or time.monotonic() - began > delay)
        if ended.done():
            return None
        stopped = time.perf_counter()
        self._stops.publish(self._stop)
        self._spin(ended.done)
        text = ended.result().result.text
        if text != 'Stopped.':
            return None
        return 1e3 * (time.perf_counter() - stopped)

    def _spin(self, is_over: Any) -> None:
        while not is_over():
            self._spin_once(self._node, timeout_sec=0.02)


def main() -> int:
    """Print how long stops took."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--trials', type=int, default=50, help='(default: 50)')
    trials = parser.parse_args().trials
    import rclpy

    rng, taken = np.random.default_rng(0), []
    command = [sys.executable, '-m', 'iterprime_ros.ros', 'sim_robot', '--ros-args']
    with private_domain() as environment:
        os.environ.update(environment)
        rclpy.init()
        robot = subprocess.Popen(
            [*command, '-p', f'seed:={SEED}'], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            client = Client(reachable_grasp())
            for _ in tqdm(range(trials), unit=' stops', disable=None):
                milliseconds = client.milliseconds_to_stop(rng.uniform(0.1, LATEST))
                if milliseconds is not None:
                    taken.append(milliseconds)
        finally:
            robot.send_signal(signal.SIGINT)
            robot.wait()
    print(
        f'{len(taken)} stops: median {np.median(taken):.0f} ms, most {max(taken):.0f} ms; '
        f'goal <= {GOAL:.0f} ms'
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())
