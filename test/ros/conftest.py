"""Real nodes in processes of their own, in a ROS domain that nobody else is in."""

import os
import signal
import time

import pytest
import rclpy

from helpers.robots import OBEDIENT, PATIENCE, Peer, Robot, ended_well, node_arguments, processes
from iterprime_ros.ros.domain import private_domain
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene


@pytest.fixture(scope='session', autouse=True)
def ros_domain():
    with private_domain() as environment:
        os.environ.update(environment)
        rclpy.init()
        yield environment
        rclpy.try_shutdown()


@pytest.fixture
def peer(ros_domain):
    node = Peer('peer')
    yield node
    node.destroy_node()


@pytest.fixture
def robot(ros_domain):
    node = Robot()
    yield node
    node.destroy_node()


@pytest.fixture(scope='session')
def picture():
    with Renderer(320, 240) as renderer:
        return renderer.render(sample_scene(16))


@pytest.fixture
def start_process(ros_domain):
    """Start Python with the arguments given; what still runs at the end of the test is killed."""
    with processes() as start:
        yield start


@pytest.fixture
def start_node(start_process):
    """Start a node of a package with parameters."""

    def start(name, package='iterprime_ros.ros', **parameters):
        return start_process(*node_arguments(name, package, **parameters))

    return start


@pytest.fixture
def obedient(start_process):
    """The active node with a model that does what a command says; it has to end well."""
    settings = ('-p', 'autostart:=true', '-p', 'offline:=true', '-p', 'frame_timeout:=60.0')
    process = start_process(OBEDIENT, '--ros-args', *settings)
    yield process
    if process.poll() is None:
        ended_well(process)


@pytest.fixture
def interrupt():
    """Press Ctrl-C on a process; return its exit code, the seconds it took and what it printed."""

    def press(process):
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, time.monotonic() - pressed, output

    return press
