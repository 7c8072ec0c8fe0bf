"""Ctrl-C ends every node with exit code 0, whatever it is at."""

import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from helpers.robots import AT_IMPORT

LIMIT = 3.0  # seconds


def test_the_camera_while_it_publishes(peer, start_node, interrupt):
    process = start_node('sim_camera', width=160, height=120)
    images = peer.collect(Image, 'image', qos_profile_sensor_data)
    peer.wait_for(lambda: images, 'an image')
    code, seconds, output = interrupt(process)
    assert code == 0
    assert seconds < LIMIT
    assert 'Traceback' not in output


def test_the_client_while_it_waits_for_a_camera(peer, start_node, interrupt):
    process = start_node('client', 'iterprime_ros.demo', commands='[the red mug]')
    peer.wait_for(lambda: peer.count_subscribers('image'), 'the node to subscribe')
    code, seconds, output = interrupt(process)
    assert code == 0
    assert seconds < LIMIT
    assert 'Traceback' not in output


@pytest.mark.parametrize('module', ['rclpy', 'mujoco', 'iterprime_ros.sim.view'])
def test_the_camera_while_it_imports(start_process, module):
    process = start_process('-c', AT_IMPORT, module, 'iterprime_ros.ros.sim_camera_node')
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, '')


AT_LINE = """
import os, signal, sys
from iterprime_ros.ros import sim_camera_node
from iterprime_ros.ros.node_runner import run

class Interrupted(sim_camera_node.SimCamera):
    def _show(self, seed):
        os.kill(os.getpid(), signal.SIGINT)
        super()._show(seed)

sys.exit(run(Interrupted, ['sim_camera']))
"""


def test_the_camera_while_it_starts(start_process):
    process = start_process('-c', AT_LINE)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert 'Traceback' not in output
