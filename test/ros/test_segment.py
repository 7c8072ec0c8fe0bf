"""The node in a process of its own, with cameras and commands that it may get in life."""

import math
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from conftest import Peer
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Log, ParameterType, ParameterValue
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header, String

from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.images import to_camera_info, to_image
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FRAME = 'camera_color_optical_frame'


@pytest.fixture(scope='module')
def picture():
    with Renderer(320, 240) as renderer:
        return renderer.render(sample_scene(16))


class Robot(Peer):
    """A camera, a person and a listener, all in the test's hands."""

    def __init__(self, name='robot', quality=10):
        super().__init__(name)
        self.images = self.create_publisher(Image, 'image', quality)
        self.compressed = self.create_publisher(CompressedImage, 'image/compressed', quality)
        self.depths = self.create_publisher(Image, 'depth', quality)
        self.infos = self.create_publisher(CameraInfo, 'camera_info', quality)
        self.commands = self.create_publisher(String, 'command', 10)
        self.results = self.collect(ReferredObject, 'segment/result', LATCHED)
        self.stamp = 100

    def ask(self, command, image, depth=None, info=None, publisher=None):
        """Say a command, and publish frames until it is answered."""
        publisher = publisher or self.images
        self.wait_for(
            lambda: all(
                each.get_subscription_count()
                for each, message in (
                    (self.commands, command),
                    (publisher, image),
                    (self.depths, depth),
                    (self.infos, info),
                )
                if message is not None
            ),
            'the node to listen',
        )
        before = len(self.results)
        self.commands.publish(String(data=command))
        for _ in range(600):
            self.stamp += 1
            for message, where in ((depth, self.depths), (info, self.infos), (image, publisher)):
                if message is not None:
                    message.header.stamp = Time(sec=self.stamp)
                    where.publish(message)
            if self.comes(lambda: len(self.results) > before, 0.1):
                return self.results[-1]
        return pytest.fail(f'"{command[:40]}" was not answered.')


@contextmanager
def running(start, **parameters):
    """A node that is ended with Ctrl-C, and has to end well."""
    process = start('segment', autostart='true', offline='true', **parameters)
    yield process
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert 'Traceback' not in output


@pytest.fixture
def robot(ros_domain):
    node = Robot()
    yield node
    node.destroy_node()


@pytest.fixture
def node(start_node):
    with running(start_node, frame_timeout=1.0) as process:
        yield process


def header():
    return Header(frame_id=FRAME)


def rgb_image(picture):
    return to_image(picture.rgb, 'rgb8', header())


def test_what_is_found_is_where_it_is(node, robot, picture):
    info = to_camera_info(picture.intrinsics, header())
    depth = to_image(picture.depth, '32FC1', header())
    target = picture.scene.objects[5]
    assert (target.colour, target.kind) == ('blue', 'cube')
    for _ in range(20):  # until depth, which best effort may lose, comes too
        found = robot.ask('please hand me the blue cube', rgb_image(picture), depth, info)
        if found.point_count:
            break
    assert found.status == ReferredObject.FOUND, found.text
    assert found.header.frame_id == FRAME
    assert 100 < found.header.stamp.sec <= robot.stamp
    assert (found.action_verb, found.expression) == ('hand', 'the blue cube')
    assert found.primary_word == 'cube'
    mask = np.frombuffer(found.mask.data, np.uint8).reshape(240, 320) > 0
    truth = picture.ids == target.id
    assert (mask & truth).sum() / (mask | truth).sum() > 0.5
    rows, columns = np.nonzero(mask)
    assert (found.roi.x_offset, found.roi.y_offset) == (columns.min(), rows.min())
    assert (found.roi.width, found.roi.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    seen = np.median(picture.depth[truth])
    assert found.point_count > 50
    assert found.centroid.z == pytest.approx(seen, abs=0.01)
    assert 0 < found.size.z <= found.size.y <= found.size.x < 0.2


@pytest.mark.parametrize(
    ('command', 'status'),
    [
        ('', ReferredObject.INVALID),
        ('   \t\n', ReferredObject.INVALID),
        ('\x00\x01\x1b[31m', ReferredObject.INVALID),
        ('the mug ' * 1250, None),
        ('🙂🙂🙂', ReferredObject.INVALID),
        ('die rote Tasse 红色的杯子 красная кружка', None),
        ('the \x07red\x00 mug', None),
    ],
    ids=['empty', 'blank', 'control', 'long', 'emoji', 'scripts', 'mixed'],
)
def test_odd_commands_are_answered(node, robot, picture, command, status):
    answer = robot.ask(command, rgb_image(picture))
    assert answer.text
    assert answer.status != ReferredObject.UNKNOWN
    if status is not None:
        assert answer.status == status
        assert math.isnan(answer.centroid.x)
        assert answer.mask.width == 0


def test_bad_images_are_answered_with_a_sentence(node, robot, picture):
    good = rgb_image(picture)
    unknown = Image(header=header(), height=2, width=2, encoding='fancy', step=2, data=b'abcd')
    empty = Image(header=header(), encoding='rgb8')
    short = Image(header=header(), height=9, width=9, encoding='rgb8', step=27, data=b'abc')
    for bad in (unknown, empty, short):
        answer = robot.ask('the mug', bad)
        assert answer.status == ReferredObject.INVALID
        assert answer.text.endswith('.')
    assert robot.ask('the blue cube', good).status == ReferredObject.FOUND


def test_depth_that_is_of_no_use_is_said_and_the_object_found(node, robot, picture):
    image, info = rgb_image(picture), to_camera_info(picture.intrinsics, header())
    depth = to_image(picture.depth, '32FC1', header())
    nothing = to_image(np.full_like(picture.depth, np.nan), '32FC1', header())
    for given, calibration, word in (
        (depth, CameraInfo(header=header(), width=320, height=240), 'camera_info'),
        (nothing, info, 'depth'),
    ):
        for _ in range(20):
            answer = robot.ask('the blue cube', image, given, calibration)
            if word in answer.text and 'came within' not in answer.text:
                break
        assert answer.status == ReferredObject.FOUND
        assert answer.point_count == 0
        assert math.isnan(answer.centroid.x)
        assert word in answer.text


def test_without_a_frame_an_error_says_so(node, robot):
    robot.wait_for(robot.commands.get_subscription_count, 'the node to listen')
    robot.commands.publish(String(data='the mug'))
    robot.wait_for(lambda: robot.results, 'the error')
    assert robot.results[0].status == ReferredObject.ERROR
    assert 'No image came on /image within 1 s' in robot.results[0].text


def test_best_effort_cameras_are_heard(node, ros_domain, picture):
    robot = Robot('best_effort', QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND
    robot.destroy_node()


def test_a_publisher_that_cannot_be_heard_is_logged(start_node, robot):
    process = start_node('segment', autostart='true', offline='true')
    robot.wait_for(robot.commands.get_subscription_count, 'the node to listen')
    deaf = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    seen = []
    publisher = robot.create_publisher(String, 'command', deaf)
    logs = robot.collect(Log, '/rosout', 100)
    robot.wait_for(
        lambda: seen or seen.extend(each.msg for each in logs if 'cannot be heard' in each.msg),
        'a warning',
    )
    assert seen[0].startswith('A publisher of /command cannot be heard: its RELIABILITY')
    assert 'best_effort' in seen[0]
    assert 'reliable is asked for' in seen[0]
    robot.destroy_publisher(publisher)
    assert process.poll() is None


def test_continuous_answers_follow_the_camera(start_node, robot, picture):
    with running(start_node, mode='continuous'):
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


def set_parameter(robot, name, **value):
    parameter = ParameterMessage(name=name, value=ParameterValue(**value))
    request = SetParameters.Request(parameters=[parameter])
    return robot.call(SetParameters, 'segment/set_parameters', request).results[0]


def test_thresholds_change_while_it_runs_and_wrong_values_are_refused(node, robot, picture):
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND
    double = {'type': ParameterType.PARAMETER_DOUBLE}
    assert set_parameter(robot, 'match_threshold', double_value=1.0, **double).successful
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.NOT_FOUND
    for name, value in (('match_threshold', 1.5), ('frame_timeout', 0.0)):
        refused = set_parameter(robot, name, double_value=value, **double)
        assert not refused.successful
        assert refused.reason
    words = {'type': ParameterType.PARAMETER_STRING, 'string_value': 'sometimes'}
    refused = set_parameter(robot, 'mode', **words)
    assert not refused.successful
    assert refused.reason == 'mode must be once or continuous, not "sometimes".'
    assert not set_parameter(robot, 'profile', **words).successful


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('match_threshold', '1.5', 'match_threshold'),
        ('mode', 'sometimes', 'mode must be once or continuous, not "sometimes".'),
        ('profile', 'unknown', 'There is no profile "unknown"'),
        ('cameras', "['left', 'left']", 'a name is given twice'),
        ('cameras', "['9']", '"9" is no name'),
    ],
)
def test_wrong_parameters_at_start_are_one_sentence(start_node, name, value, said):
    process = start_node('segment', **{name: value})
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in output
    assert 'Traceback' not in output


def change(robot, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return robot.call(ChangeState, 'segment/change_state', request).success


def state(robot):
    return robot.call(GetState, 'segment/get_state', GetState.Request()).current_state.id


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


def test_compressed_images_are_read_and_broken_ones_refused(start_node, robot, picture):
    import io

    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(picture.rgb).save(file, 'png')
    good = CompressedImage(header=header(), format='png', data=file.getvalue())
    broken = CompressedImage(header=header(), format='png', data=file.getvalue()[:200])
    with running(start_node, image_transport='compressed'):
        found = robot.ask('the blue cube', good, publisher=robot.compressed)
        assert found.status == ReferredObject.FOUND
        refused = robot.ask('the blue cube', broken, publisher=robot.compressed)
        assert refused.status == ReferredObject.INVALID


def test_several_cameras_each_have_their_answers(start_node, ros_domain, picture):
    robots = [Peer(f'at_{name}') for name in ('left', 'right')]
    with running(start_node, cameras="['left', 'right']"):
        answers = []
        for peer, name in zip(robots, ('left', 'right'), strict=True):
            results = peer.collect(ReferredObject, f'segment/{name}/result', LATCHED)
            commands = peer.create_publisher(String, f'{name}/command', 10)
            images = peer.create_publisher(Image, f'{name}/image', 10)
            peer.wait_for(
                lambda c=commands, i=images: (
                    c.get_subscription_count() and i.get_subscription_count()
                ),
                'the node to listen',
            )
            commands.publish(String(data='the blue cube'))
            message = rgb_image(picture)
            message.header.frame_id = name
            for _ in range(100):
                images.publish(message)
                if peer.comes(lambda r=results: r, 0.2):
                    break
            answers.append(results)
    assert [[each.header.frame_id for each in some[:1]] for some in answers] == [
        ['left'],
        ['right'],
    ]
    for peer in robots:
        peer.destroy_node()
