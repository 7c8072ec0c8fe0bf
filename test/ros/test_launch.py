"""What `ros2 launch` starts, where it is installed; the files under config/ and rviz/ anywhere."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from std_msgs.msg import String

from helpers.robots import HELPERS
from iterprime_ros.msg import ReferredObject
from iterprime_ros.profiles import PROFILE_NAMES
from iterprime_ros.ros.runtime.parameters import LIVE_PARAMETERS, MODEL_PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PATIENCE = 60  # seconds
QUESTIONS = 5  # best effort may lose the images of one
SHOWN = {  # what a display of rviz takes
    'Image': 'sensor_msgs/msg/Image',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'Pose': 'geometry_msgs/msg/PoseStamped',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
}


def written_in(file):
    return yaml.safe_load(file.read_text())['/**']['ros__parameters']


def values_of(peer, node, names):
    request = GetParameters.Request(names=list(names))
    values = peer.call(GetParameters, f'/{node}/get_parameters', request).values
    return dict(zip(names, map(parameter_value_to_python, values), strict=True))


def displays():
    config = yaml.safe_load((ROOT / 'rviz' / 'segment.rviz').read_text())
    return config['Visualization Manager']['Displays']


def wait_for_displays(peer, namespace=''):
    """Wait until all that rviz shows is published, and return its types by topic."""
    wanted = {namespace + '/' + each['Topic']['Value'] for each in displays()}
    published = {}

    def all_there():
        published.update(peer.get_topic_names_and_types())
        return wanted <= published.keys()

    peer.wait_for(all_there, f'topics among {", ".join(sorted(wanted))}')
    return published


def test_the_file_of_parameters_gives_the_defaults_and_names_every_profile():
    file = ROOT / 'config' / 'segment.yaml'
    specs = {**MODEL_PARAMETERS, **LIVE_PARAMETERS}
    assert written_in(file) == {name: specs[name].default for name in written_in(file)}
    assert all(name in file.read_text() for name in PROFILE_NAMES)


def test_the_node_takes_the_file_of_parameters_with_every_profile(start_process, tmp_path):
    written = written_in(ROOT / 'config' / 'segment.yaml')
    files = [tmp_path / f'{name}.yaml' for name in PROFILE_NAMES]
    for file in files:
        values = {'/**': {'ros__parameters': {**written, 'profile': file.stem}}}
        file.write_text(yaml.safe_dump(values))
    process = start_process(HELPERS / 'declared_parameters.py', *files)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    [line] = [line for line in output.splitlines() if line.startswith('declared ')]
    for file, declared in zip(files, json.loads(line.removeprefix('declared ')), strict=True):
        expected = {**written, 'profile': file.stem}
        assert expected == {name: declared.get(name) for name in expected}, file.name


def test_rviz_shows_what_the_node_publishes(peer, start_node, interrupt):
    process = start_node('segment', autostart='true', offline='true')
    published = wait_for_displays(peer)
    for display in displays():
        topic = display['Topic']
        name = '/' + topic['Value']
        assert published[name] == [SHOWN[display['Class'].rpartition('/')[2]]]
        asked = QoSProfile(
            depth=topic['Depth'],
            reliability=ReliabilityPolicy[topic['Reliability Policy'].upper().replace(' ', '_')],
            durability=DurabilityPolicy[topic['Durability Policy'].upper().replace(' ', '_')],
        )
        [publisher] = peer.get_publishers_info_by_topic(name)
        compatible, why = qos_check_compatible(publisher.qos_profile, asked)
        assert compatible is not QoSCompatibility.ERROR, why
    code, _, output = interrupt(process)
    assert code == 0, output


@pytest.fixture
def launch():
    """The library, where it is installed."""
    pytest.importorskip(
        'launch_ros.actions',
        reason='launch_ros is not installed: there is no wheel of it',
        exc_type=ImportError,
    )
    return pytest.importorskip('launch')


@pytest.fixture
def ros2_launch(launch, ros_domain, tmp_path):
    """Start a launch file with arguments; what still runs at the end of the test is killed."""
    started = []

    def start(file, *arguments):
        process = subprocess.Popen(
            [sys.executable, shutil.which('ros2'), 'launch', ROOT / 'launch' / file, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'ROS_LOG_DIR': str(tmp_path)},
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def arguments_of(file):
    spec = importlib.util.spec_from_file_location('file_to_launch', ROOT / 'launch' / file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {each.name: each for each in module.generate_launch_description().get_launch_arguments()}


def default_of(launch, argument):
    return launch.utilities.perform_substitutions(launch.LaunchContext(), argument.default_value)


@pytest.mark.parametrize('file', ['segment.launch.py', 'demo.launch.py'])
def test_every_argument_is_described_and_optional(launch, file):
    for argument in arguments_of(file).values():
        assert argument.description.endswith('.') or argument.choices
        assert argument.default_value is not None


def test_settings_have_the_choices_and_defaults_of_the_node(launch):
    arguments = arguments_of('segment.launch.py')
    for name, parameter in {**MODEL_PARAMETERS, **LIVE_PARAMETERS}.items():
        if name in arguments:
            assert default_of(launch, arguments[name]) == parameter.default
            assert tuple(arguments[name].choices or ()) == parameter.choices
    assert {'profile', 'image_transport', 'mode', 'device'} <= arguments.keys()


def test_the_demo_takes_what_its_parts_take(launch):
    demo, node = arguments_of('demo.launch.py'), arguments_of('segment.launch.py')
    assert demo.keys() == node.keys() | {'width', 'height', 'rate', 'seed'}
    assert default_of(launch, demo['rviz']) == 'true'
    assert default_of(launch, node['rviz']) == 'false'


def test_a_given_argument_comes_before_the_file_and_the_file_before_defaults(
    peer, ros2_launch, interrupt, tmp_path
):
    file = tmp_path / 'parameters.yaml'
    written = {'mode': 'continuous', 'device': 'cuda:7', 'frame_timeout': 7.0}
    file.write_text(yaml.dump({'/**': {'ros__parameters': written}}))
    process = ros2_launch(
        'segment.launch.py',
        f'params_file:={file}',
        'device:=cpu',
        'namespace:=arm',
        'autostart:=false',
    )
    expected = {**written, 'device': 'cpu', 'profile': 'tabletop', 'autostart': False}
    assert values_of(peer, 'arm/segment', expected) == expected
    state = peer.call(GetState, '/arm/segment/get_state', GetState.Request()).current_state
    assert state.id == State.PRIMARY_STATE_UNCONFIGURED
    code, _, output = interrupt(process)
    assert code == 0, output


def test_topics_are_where_they_are_asked_for(peer, ros2_launch, interrupt):
    process = ros2_launch(
        'segment.launch.py',
        'namespace:=arm',
        'image:=/eye/color',
        'image_transport:=compressed',
        'command:=said',
    )
    wait_for_displays(peer, '/arm')
    for topic in ('/eye/color/compressed', '/arm/depth', '/arm/camera_info', '/arm/said'):
        peer.wait_for(lambda topic=topic: peer.count_subscribers(topic), f'who listens to {topic}')
    code, _, output = interrupt(process)
    assert code == 0, output


def test_the_demo_answers_and_ends_with_ctrl_c(peer, ros2_launch, interrupt):
    process = ros2_launch('demo.launch.py', 'rviz:=false', 'seed:=16', 'rate:=5', 'namespace:=arm')
    answers = peer.collect(ReferredObject, 'arm/segment/result', LATCHED)
    commands = peer.create_publisher(String, 'arm/command', 10)
    peer.wait_for(commands.get_subscription_count, 'the node to listen')
    for _ in range(QUESTIONS):
        before = len(answers)
        commands.publish(String(data='please hand me the blue cube'))
        peer.wait_for(lambda before=before: len(answers) > before, 'an answer')
        if answers[-1].status != ReferredObject.ERROR:
            break
    assert answers[-1].action_verb == 'hand', answers[-1].text
    code, _, output = interrupt(process)
    assert code == 0, output
    assert 'Traceback' not in output
    assert output.count('finished cleanly') == 2, output


def test_a_wrong_profile_ends_the_demo_with_a_sentence(ros2_launch):
    process = ros2_launch('demo.launch.py', 'rviz:=false', 'rate:=5', 'profile:=bliip')
    output, _ = process.communicate(timeout=PATIENCE)
    assert 'There is no profile "bliip"' in output
    assert 'Traceback' not in output
    assert 'exception' not in output


def test_a_missing_file_of_parameters_is_named(ros2_launch):
    process = ros2_launch('segment.launch.py', 'params_file:=none.yaml')
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert 'there is no file none.yaml' in output


@pytest.mark.skipif(shutil.which('rviz2') is not None, reason='rviz2 is installed')
def test_without_rviz_a_sentence_says_so(peer, ros2_launch, interrupt):
    process = ros2_launch('segment.launch.py', 'rviz:=true', 'autostart:=false')
    peer.call(GetState, '/segment/get_state', GetState.Request())
    code, _, output = interrupt(process)
    assert code == 0, output
    assert 'rviz2 is not installed' in output
