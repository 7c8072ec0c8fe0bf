"""Real nodes in processes of their own, in a ROS domain that nobody else is in."""

import os
import signal
import subprocess
import sys
import time

import pytest
import rclpy
from rclpy.node import Node

from iterprime_ros.ros.domain import private_domain

PATIENCE = 60  # seconds that no healthy machine needs
ATTEMPTS = 6


@pytest.fixture(scope='session', autouse=True)
def ros_domain():
    with private_domain() as environment:
        os.environ.update(environment)
        rclpy.init()
        yield environment
        rclpy.try_shutdown()


class Peer(Node):
    """The test's own node, spun only while the test waits for something."""

    def wait_for(self, condition, what):
        if not self.comes(condition, PATIENCE):
            pytest.fail(f'Waited {PATIENCE} s in vain for {what}.')

    def comes(self, condition, seconds):
        """Spin until the condition holds; return whether it did in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            rclpy.spin_once(self, timeout_sec=0.1)
        return True

    def collect(self, kind, topic, qos):
        """Subscribe, and return the list that received messages are appended to."""
        received = []
        self.create_subscription(kind, topic, received.append, qos)
        return received

    def call(self, kind, name, request):
        """Call a service, again where no answer comes.

        A server that has not discovered the whole client yet, on a busy machine, answers into the
        void: a service may have done its work more than once when this returns.
        """
        client = self.create_client(kind, name)
        self.wait_for(client.service_is_ready, f'the service {name}')
        for _ in range(ATTEMPTS):
            future = client.call_async(request)
            if self.comes(future.done, PATIENCE / ATTEMPTS):
                return future.result()
        return pytest.fail(f'{ATTEMPTS} calls of {name} were not answered.')


@pytest.fixture
def peer(ros_domain):
    node = Peer('peer')
    yield node
    node.destroy_node()


@pytest.fixture
def start_process(ros_domain):
    """Start Python with the arguments given; what still runs at the end of the test is killed."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def start_node(start_process):
    """Start a node of the package with parameters."""

    def start(name, **parameters):
        settings = []
        for key, value in parameters.items():
            settings += ['-p', f'{key}:={value}']
        return start_process('-m', 'iterprime_ros.ros.start', name, '--ros-args', *settings)

    return start


@pytest.fixture
def interrupt():
    """Press Ctrl-C on a process; return its exit code, the seconds it took and what it printed."""

    def press(process):
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, time.monotonic() - pressed, output

    return press
