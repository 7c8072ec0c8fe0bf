"""What the tests do with nodes: look, speak, listen, and change their states."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import rclpy
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header, String

from iterprime_ros.action import Segment
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import to_image

PATIENCE = 60  # seconds that no healthy machine needs
ATTEMPTS = 6
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FRAME = 'camera_color_optical_frame'
# The module of a node, argv[2], that is interrupted while it imports another, argv[1].
AT_IMPORT = """
import os, signal, sys
from iterprime_ros.ros.entry_point import start

def audit(event, arguments):
    if event == 'import' and arguments[0] == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(audit)
sys.exit(start(sys.argv[2], ['node']))
"""
HELPERS = Path(__file__).parent
OBEDIENT = HELPERS / 'obedient_segment.py'


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
            rclpy.spin_once(self, timeout_sec=min(0.1, seconds))
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


class Robot(Peer):
    """A camera, a person and a listener, all in the test's hands.

    camera: the name that the node knows the camera by.
    """

    def __init__(self, name='robot', quality=10, camera=''):
        super().__init__(name)
        prefix = f'{camera}/' if camera else ''
        self.images = self.create_publisher(Image, f'{prefix}image', quality)
        self.compressed = self.create_publisher(
            CompressedImage, f'{prefix}image/compressed', quality
        )
        self.depths = self.create_publisher(Image, f'{prefix}depth', quality)
        self.infos = self.create_publisher(CameraInfo, f'{prefix}camera_info', quality)
        self.commands = self.create_publisher(String, f'{prefix}command', 10)
        self.results = self.collect(ReferredObject, f'segment/{prefix}result', LATCHED)
        self.stamp = 100

    def ask(self, command, image, depth=None, info=None):
        """Say a command, and publish frames until it is answered.

        A node that has not discovered the whole publisher yet, on a busy machine, does not hear
        it: the command is said again where no answer comes.
        """
        frame = self.frame(image, depth, info)
        self.wait_for(
            lambda: all(
                each.get_subscription_count() for each in (self.commands, *(p for p, _ in frame))
            ),
            'the node to listen',
        )
        before = len(self.results)
        for _ in range(3):
            self.commands.publish(String(data=command))
            for _ in range(300):
                self.show(frame)
                if self.comes(lambda: len(self.results) > before, 0.1):
                    return self.results[-1]
        return pytest.fail(f'"{command[:40]}" was not answered.')

    def say(self, command, heard):
        """Say a command, and again where it was not heard, as `heard` tells."""
        self.wait_for(self.commands.get_subscription_count, 'the node to listen')
        for _ in range(ATTEMPTS):
            self.commands.publish(String(data=command))
            if self.comes(heard, PATIENCE / ATTEMPTS):
                return
        pytest.fail(f'"{command}" was not heard.')

    def ask_until(self, accepted, *question):
        """Ask until an answer is accepted: best effort may lose any message of a frame."""
        for _ in range(50):
            answer = self.ask(*question)
            if accepted(answer):
                return answer
        return pytest.fail(f'50 answers were not as wanted; the last: {answer.text}')

    def frame(self, image, depth=None, info=None):
        """Return the messages of a frame and their publishers, the image last."""
        images = self.compressed if isinstance(image, CompressedImage) else self.images
        pairs = ((self.depths, depth), (self.infos, info), (images, image))
        return [(publisher, message) for publisher, message in pairs if message is not None]

    def show(self, frame):
        """Publish a frame with a stamp that is one later than the last."""
        self.stamp += 1
        for publisher, message in frame:
            message.header.stamp = Time(sec=self.stamp)
            publisher.publish(message)


@contextmanager
def processes():
    """Start Python with the arguments given; what still runs at the end is killed.

    What it said is printed, for pytest to show beside a failure.
    """
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
        if process.poll() is None:
            process.kill()
            print(*process.args[1:], process.communicate()[0], sep='\n')


def node_arguments(name, package='iterprime_ros.ros', **parameters):
    """Return the arguments with which Python starts a node of a package."""
    settings = [part for key, value in parameters.items() for part in ('-p', f'{key}:={value}')]
    return ['-m', package, name, '--ros-args', *settings]


@contextmanager
def running(start, **parameters):
    """The active node, with patience for lost images; it has to end well."""
    given = {'autostart': 'true', 'offline': 'true', 'frame_timeout': 60.0, **parameters}
    process = start(*node_arguments('segment', **given))
    yield process
    ended_well(process)


def ended_well(process):
    """Press Ctrl-C on a process that still runs; it must end with 0 and leave no traceback."""
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert 'Traceback' not in output


def header():
    return Header(frame_id=FRAME)


def rgb_image(picture):
    return to_image(picture.rgb, 'rgb8', header())


def depth_image(picture):
    return to_image(picture.depth, '32FC1', header())


def set_parameter(robot, name, **value):
    parameter = Parameter(name=name, value=ParameterValue(**value))
    request = SetParameters.Request(parameters=[parameter])
    return robot.call(SetParameters, 'segment/set_parameters', request).results[0]


def state(robot):
    return robot.call(GetState, 'segment/get_state', GetState.Request()).current_state.id


def change(robot, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return robot.call(ChangeState, 'segment/change_state', request).success


def action_client(robot):
    client = ActionClient(robot, Segment, 'segment/segment')
    robot.wait_for(client.server_is_ready, 'the action')
    return client


def accepted_goal(robot, client, goal, on_feedback=None):
    """Send a goal, again where no answer comes (see Peer.call), and return its handle."""
    sent = []
    for _ in range(ATTEMPTS):
        sent.append(client.send_goal_async(goal, feedback_callback=on_feedback))
        # Long, since a goal that is sent again takes the place of the first.
        if robot.comes(lambda: any(each.done() for each in sent), PATIENCE / 2):
            return next(each.result() for each in sent if each.done())
    return pytest.fail(f'{ATTEMPTS} goals were not accepted.')


def outcome_of(robot, handle):
    """Wait for the end of a goal, and return (GoalStatus, ReferredObject)."""
    for _ in range(ATTEMPTS):
        result = handle.get_result_async()
        if robot.comes(result.done, PATIENCE / ATTEMPTS):
            return result.result().status, result.result().result.object
    return pytest.fail('A goal did not end.')


def asked(robot, goal):
    """Send a goal and return what came of it: (GoalStatus, ReferredObject)."""
    return outcome_of(robot, accepted_goal(robot, action_client(robot), goal))
