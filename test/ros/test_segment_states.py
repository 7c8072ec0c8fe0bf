"""The node's start, states and end."""

import io
import re
import signal
from array import array

import pytest
from lifecycle_msgs.msg import State, Transition
from PIL import Image as Pillow
from rcl_interfaces.msg import Log
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from helpers.robots import (
    AT_IMPORT,
    FRAME,
    PATIENCE,
    Robot,
    change,
    header,
    rgb_image,
    running,
    state,
)
from iterprime_ros.msg import ReferredObject


def test_a_publisher_that_cannot_be_heard_is_logged(start_node, robot):
    process = start_node('segment', autostart='true', offline='true')
    robot.wait_for(robot.commands.get_subscription_count, 'the node to listen')
    deaf = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    seen = []
    logs = robot.collect(Log, '/rosout', 100)
    publisher = robot.create_publisher(String, 'command', deaf)
    robot.wait_for(
        lambda: seen or seen.extend(each.msg for each in logs if 'are not received' in each.msg),
        'a warning',
    )
    assert seen[0].startswith(
        'Messages of a publisher of /command are not received: its RELIABILITY'
    )
    assert 'best_effort' in seen[0]
    assert 'reliable is requested' in seen[0]
    robot.destroy_publisher(publisher)
    assert process.poll() is None


def test_continuous_answers_follow_the_camera(start_process, robot, picture):
    with running(start_process, mode='continuous'):
        first = robot.ask('the blue cube', rgb_image(picture))
        for _ in range(3):
            robot.stamp += 1
            image = rgb_image(picture)
            image.header.stamp.sec = robot.stamp
            for _ in range(100):  # best effort may lose it
                robot.images.publish(image)
                if robot.comes(lambda: robot.results[-1].header.stamp.sec == robot.stamp, 0.5):
                    break
            assert robot.results[-1].header.stamp.sec == robot.stamp
        assert robot.results[-1].text == first.text


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('match_threshold', '1.5', 'match_threshold'),
        ('mode', 'sometimes', 'mode must be once or continuous or track, not "sometimes".'),
        ('profile', 'unknown', 'There is no profile "unknown"'),
        ('cameras', "['left', 'left']", 'a name is given twice'),
        ('cameras', "['9']", '"9" is not a valid name'),
    ],
)
def test_wrong_parameters_at_start_are_one_sentence(start_node, name, value, said):
    process = start_node('segment', **{name: value})
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in output
    assert 'Traceback' not in output


def test_it_goes_through_its_states_and_back(start_node, robot, picture):
    process = start_node('segment', offline='true')
    assert state(robot) == State.PRIMARY_STATE_UNCONFIGURED
    for _ in range(2):
        assert change(robot, Transition.TRANSITION_CONFIGURE)
        assert change(robot, Transition.TRANSITION_ACTIVATE)
        assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND
        assert change(robot, Transition.TRANSITION_DEACTIVATE)
        assert state(robot) == State.PRIMARY_STATE_INACTIVE
        robot.wait_for(lambda: not robot.images.get_subscription_count(), 'the node to be deaf')
        assert change(robot, Transition.TRANSITION_CLEANUP)
    assert process.poll() is None


def test_weights_that_are_not_there_fail_in_configure_and_say_why(start_node, robot, tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(f'base: tabletop\nmatcher: {{weights: {tmp_path}/nowhere}}\n')
    process = start_node('segment', profile=path, offline='true')
    assert not change(robot, Transition.TRANSITION_CONFIGURE)
    assert state(robot) == State.PRIMARY_STATE_UNCONFIGURED
    process.kill()
    output, _ = process.communicate(timeout=30)
    assert f'{tmp_path}/nowhere' in output
    assert 'Traceback' not in output


def compressed(picture, kind):
    file = io.BytesIO()
    Pillow.fromarray(picture.rgb).save(file, kind, quality=95)
    return file.getvalue()


def test_compressed_images_are_read_and_broken_ones_refused(start_process, robot, picture):
    def sent(data, said):
        return CompressedImage(header=header(), format=said, data=array('B', data))

    with running(start_process, image_transport='compressed'):
        for kind in ('png', 'jpeg'):
            whole = compressed(picture, kind)
            found = robot.ask('the blue cube', sent(whole, kind))
            assert found.status == ReferredObject.FOUND
            assert (found.image_width, found.image_height) == (320, 240)
            for broken in (whole[:200], whole[:10], b'', b'?' * 500):
                refused = robot.ask('the blue cube', sent(broken, kind))
                assert refused.status == ReferredObject.INVALID
                assert refused.text.endswith('.')
                assert refused.header.frame_id == FRAME
            assert robot.ask('the blue cube', sent(whole, kind)).status == ReferredObject.FOUND


def test_several_cameras_each_have_their_answers(start_process, ros_domain, picture):
    with running(start_process, cameras="['left', 'right']"):
        for name in ('left', 'right'):
            robot = Robot(f'at_{name}', camera=name)
            image = rgb_image(picture)
            image.header.frame_id = name
            assert robot.ask('the blue cube', image).header.frame_id == name
            assert len(robot.results) == 1
            robot.destroy_node()


@pytest.mark.parametrize('module', ['rclpy', 'torch', 'iterprime_ros.ros.runtime.worker'])
def test_ctrl_c_ends_it_while_it_imports(start_process, module):
    process = start_process('-c', AT_IMPORT, module, 'iterprime_ros.ros.segment_node')
    output, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (0, '')


COUNTING = """
import gc, sys, weakref
import torch
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.segment_node import SegmentNode

def tensors():
    return {id(each): each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)}

def resident():
    return next(int(line.split()[1]) // 1024 for line in open('/proc/self/status')
                if line.startswith('VmRSS'))

class Counting(SegmentNode):
    def on_configure(self, state):
        before = tensors()
        result = super().on_configure(state)
        self.loaded = [weakref.ref(t) for key, t in tensors().items() if key not in before]
        return result

    def on_cleanup(self, state):
        before = resident()
        result = super().on_cleanup(state)
        alive = sum(each() is not None for each in self.loaded)
        print(f'CLEANED {len(self.loaded)} {alive} {before} {resident()}', flush=True)
        return result

sys.exit(run(Counting, ['segment', '--ros-args', '-p', 'offline:=true']))
"""


def test_cleanup_leaves_no_tensor_of_the_models(start_process, robot, picture, record_property):
    process = start_process('-c', COUNTING)
    for _ in range(2):
        assert change(robot, Transition.TRANSITION_CONFIGURE)
        assert change(robot, Transition.TRANSITION_ACTIVATE)
        assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND
        assert change(robot, Transition.TRANSITION_DEACTIVATE)
        assert change(robot, Transition.TRANSITION_CLEANUP)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    cleanups = re.findall(r'CLEANED (\d+) (\d+) (\d+) (\d+)', output)
    record_property('tensors loaded, alive after, MiB before, MiB after', cleanups)
    assert len(cleanups) == 2
    assert all(int(loaded) > 50 and alive == '0' for loaded, alive, _, _ in cleanups)
