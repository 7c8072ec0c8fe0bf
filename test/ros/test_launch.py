"""What `ros2 launch` starts, where it is installed; the files under config/ and rviz/ anywhere."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
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
from iterprime_ros.action import Pick
from iterprime_ros.msg import ReferredObject
from iterprime_ros.profiles import PROFILE_NAMES
from iterprime_ros.ros.runtime.parameters import LIVE_PARAMETERS, MODEL_PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PATIENCE = 60  # seconds
QUESTIONS = 5  # best effort may lose the images of one
PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
FAST_DDS_PROFILE = ROOT / 'iterprime_ros' / 'ros' / 'fastdds.xml'
SHOWN = {  # what a display of rviz takes
    'Image': 'sensor_msgs/msg/Image',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'Pose': 'geometry_msgs/msg/PoseStamped',
    'PoseWithCovariance': 'geometry_msgs/msg/PoseWithCovarianceStamped',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
}


def written_in(file):
    return yaml.safe_load(file.read_text())['/**']['ros__parameters']


def values_of(peer, node, names):
    request = GetParameters.Request(names=list(names))
    values = peer.call(GetParameters, f'/{node}/get_parameters', request).values
    return dict(zip(names, map(parameter_value_to_python, values), strict=True))


def manager_in(text):
    return yaml.safe_load(text)['Visualization Manager']


def displays():
    return manager_in((ROOT / 'rviz' / 'segment.rviz').read_text())['Displays']


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

    def start(file, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, shutil.which('ros2'), 'launch', ROOT / 'launch' / file, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'ROS_LOG_DIR': str(tmp_path), **environment},
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


@pytest.mark.parametrize('file', ['segment.launch.py', 'demo.launch.py', 'pick.launch.py'])
def test_every_argument_is_described_and_optional(launch, file):
    for argument in arguments_of(file).values():
        assert argument.description.endswith('.') or argument.choices
        assert argument.default_value is not None


def test_settings_have_the_choices_and_defaults_of_the_node(launch):
    arguments = arguments_of('segment.launch.py')
    for name, parameter in {**MODEL_PARAMETERS, **LIVE_PARAMETERS}.items():
        if name in arguments:
            given = parameter.default
            default = ','.join(given) if isinstance(given, list) else given
            assert default_of(launch, arguments[name]) == default
            assert tuple(arguments[name].choices or ()) == parameter.choices
    assert {'profile', 'image_transport', 'mode', 'device', 'cameras'} <= arguments.keys()


def test_the_demo_takes_what_its_parts_take(launch):
    demo, node = arguments_of('demo.launch.py'), arguments_of('segment.launch.py')
    assert demo.keys() == node.keys() | {'width', 'height', 'rate', 'seed', 'motion', 'gripper'}
    pick = arguments_of('pick.launch.py')
    assert pick.keys() == demo.keys()
    assert default_of(launch, pick['gripper']) == 'true' != default_of(launch, demo['gripper'])
    assert default_of(launch, demo['rviz']) == default_of(launch, pick['rviz']) == 'true'
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
        'depth:=/eye/depth',
        'command:=said',
    )
    wait_for_displays(peer, '/arm')
    wait_for_subscriptions(
        peer,
        '/eye/color/compressed',
        '/eye/depth/compressedDepth',
        '/arm/camera_info',
        '/arm/said',
    )
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


def test_what_is_said_to_the_launched_robot_is_picked(peer, ros2_launch, interrupt):
    process = ros2_launch('pick.launch.py', 'rviz:=false', 'rate:=5', 'namespace:=arm')
    feedback = peer.collect(Pick.Impl.FeedbackMessage, 'arm/pick/_action/feedback', 10)
    commands = peer.create_publisher(String, 'arm/command', 10)
    peer.wait_for(
        lambda: commands.get_subscription_count() and peer.count_subscribers('arm/segment/result'),
        'the node to listen',
    )
    for _ in range(QUESTIONS):
        commands.publish(String(data='pick up the leftmost white mug'))
        if peer.comes(lambda: feedback, 20):
            break
    peer.wait_for(lambda: feedback[-1].feedback.stage == Pick.Feedback.HOLDING, 'the lifted mug')
    code, _, output = interrupt(process)
    assert code == 0, output
    assert output.count('finished cleanly') == 3, output


def test_the_demo_shows_what_moves(peer, ros2_launch, interrupt):
    process = ros2_launch(
        'demo.launch.py',
        *('rviz:=false', 'autostart:=false', 'width:=64', 'height:=48', 'seed:=4', 'motion:=orbit'),
    )
    truths = peer.collect(String, 'sim_camera/truth/objects', LATCHED)
    peer.wait_for(lambda: truths and json.loads(truths[-1].data)['frame'] > 0, 'a frame in motion')
    truth = json.loads(truths[-1].data)
    assert (truth['seed'], truth['motion']) == (4, 'orbit')
    code, _, output = interrupt(process)
    assert code == 0, output


def test_a_wrong_profile_ends_the_demo_with_a_sentence(ros2_launch):
    process = ros2_launch('demo.launch.py', 'rviz:=false', 'rate:=5', 'profile:=bliip')
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
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


def environment_of(peer, process, executable):
    """Wait until a launch has started an executable of the package, and return its environment."""
    found = []

    def started():
        for child in psutil.Process(process.pid).children(recursive=True):
            if any(word.endswith(f'/iterprime_ros/{executable}') for word in child.cmdline()):
                found.append(child.environ())
        return found

    peer.wait_for(started, f'the process {executable}')
    return found[0]


def profiles_in(environment):
    return {name: environment[name] for name in PROFILE_VARIABLES if name in environment}


@pytest.mark.parametrize(
    ('file', 'executable', 'distribution', 'variable'),
    [
        ('segment.launch.py', 'segment', 'kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
        ('segment.launch.py', 'segment', 'jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
        ('demo.launch.py', 'segment', 'kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
        ('demo.launch.py', 'sim_camera', 'kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    ],
)
def test_shared_memory_is_large_enough_for_images(
    peer, ros2_launch, interrupt, file, executable, distribution, variable
):
    process = ros2_launch(file, 'rviz:=false', 'autostart:=false', ROS_DISTRO=distribution)
    found = profiles_in(environment_of(peer, process, executable))
    assert found == {variable: str(FAST_DDS_PROFILE)}
    peer.call(GetState, '/segment/get_state', GetState.Request())
    interrupt(process)


@pytest.mark.parametrize('variable', PROFILE_VARIABLES)
def test_a_fast_dds_profile_of_the_user_stays(peer, ros2_launch, interrupt, tmp_path, variable):
    chosen = tmp_path / 'mine.xml'
    chosen.write_bytes(FAST_DDS_PROFILE.read_bytes())
    process = ros2_launch('segment.launch.py', 'autostart:=false', **{variable: str(chosen)})
    assert profiles_in(environment_of(peer, process, 'segment')) == {variable: str(chosen)}
    peer.call(GetState, '/segment/get_state', GetState.Request())
    interrupt(process)


@pytest.mark.parametrize('file', ['segment.launch.py', 'demo.launch.py'])
def test_a_failed_autostart_ends_the_launch_with_an_error(ros2_launch, file):
    process = ros2_launch(file, 'rviz:=false', 'device:=cuda:7')
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert 'There is no device "cuda:7" here' in output
    assert 'The segment node failed with exit code 1, and the launch ends' in output
    assert 'Traceback' not in output
    assert 'exception' not in output


def test_a_failed_node_is_started_again_where_that_is_asked_for(peer, ros2_launch, interrupt):
    process = ros2_launch('segment.launch.py', 'device:=cuda:7', 'respawn:=true')
    nodes = set()

    def started_again():
        nodes.update(each.pid for each in psutil.Process(process.pid).children())
        return len(nodes) > 1

    peer.wait_for(started_again, 'a second process')
    code, _, output = interrupt(process)
    assert code == 0, output
    assert 'the launch ends' not in output


def wait_for_subscriptions(peer, *topics):
    for topic in topics:
        peer.wait_for(lambda topic=topic: peer.count_subscribers(topic), f'who listens to {topic}')


def test_several_cameras_have_their_topics(peer, ros2_launch, interrupt):
    process = ros2_launch(
        'segment.launch.py',
        'cameras:=left,right',
        'namespace:=arm',
        'image:=/camera/{camera}/color/image_raw',
        'depth:=/camera/{camera}/depth',
        'command:=/voice/command',
    )
    wait_for_subscriptions(
        peer,
        *(
            f'/{prefix}'
            for camera in ('left', 'right')
            for prefix in (
                f'camera/{camera}/color/image_raw',
                f'camera/{camera}/depth',
                f'arm/{camera}/camera_info',
            )
        ),
    )
    peer.wait_for(lambda: peer.count_subscribers('/voice/command') == 2, 'two cameras that listen')
    assert not peer.count_subscribers('/arm/left/image')
    code, _, output = interrupt(process)
    assert code == 0, output


def test_cameras_in_the_file_of_parameters_have_their_topics_too(
    peer, ros2_launch, interrupt, tmp_path
):
    file = tmp_path / 'parameters.yaml'
    of_another = {'/leg/segment': {'ros__parameters': {'cameras': ['front']}}}
    ours = {'arm': {'segment': {'ros__parameters': {'cameras': ['left', 'right']}}}}
    file.write_text(yaml.dump({**of_another, **ours}))
    process = ros2_launch(
        'segment.launch.py',
        f'params_file:={file}',
        'namespace:=/arm',
        'image_transport:=compressed',
        'image:=/{camera}/color',
    )
    wait_for_subscriptions(peer, '/left/color/compressed', '/right/color/compressed')
    code, _, output = interrupt(process)
    assert code == 0, output


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('cameras:=left,right', 'image:=/color'), 'image:=/color is one topic for 2 cameras'),
        (('depth:=/{camera}/depth',), 'depth:=/{camera}/depth names a camera: give cameras:='),
        (('cameras:=left,9',), '"9" is not a valid name'),
    ],
)
def test_wrong_cameras_end_the_launch_with_a_sentence(ros2_launch, arguments, said):
    process = ros2_launch('segment.launch.py', *arguments)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert said in output
    assert 'Traceback' not in output


@pytest.fixture
def shown(tmp_path):
    """Stand in for rviz2: AMENT_PREFIX_PATH with it, and the file where it leaves its settings."""
    prefix, copied = tmp_path / 'prefix', tmp_path / 'shown'
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'rviz2'
    program = prefix / 'lib' / 'rviz2' / 'rviz2'
    for file in (marker, program):
        file.parent.mkdir(parents=True)
    marker.touch()
    program.write_text(
        f'#!/bin/sh\necho "$2" > {copied}.part; cat "$2" >> {copied}.part\n'
        f'mv {copied}.part {copied}; exec sleep {PATIENCE}\n'
    )
    program.chmod(0o755)
    return f'{prefix}{os.pathsep}{os.environ["AMENT_PREFIX_PATH"]}', copied


def settings_shown(peer, copied):
    """Wait for the settings that rviz2 was started with; return their file and its text."""
    peer.wait_for(copied.exists, 'rviz2')
    name, _, text = copied.read_text().partition('\n')
    return Path(name), text


def test_rviz_shows_every_camera_in_a_group(peer, ros2_launch, interrupt, shown):
    path, copied = shown
    process = ros2_launch(
        'segment.launch.py',
        'rviz:=true',
        'cameras:=left,right',
        'fixed_frame:=base_link',
        AMENT_PREFIX_PATH=path,
    )
    file, text = settings_shown(peer, copied)
    manager = manager_in(text)
    assert manager['Global Options']['Fixed Frame'] == 'base_link'
    groups = manager['Displays']
    assert [(group['Class'], group['Name']) for group in groups] == [
        ('rviz_common/Group', 'left'),
        ('rviz_common/Group', 'right'),
    ]
    names = {display['Name'] for group in groups for display in group['Displays']}
    assert len(names) == 2 * len(displays())
    wanted = {f'/{each["Topic"]["Value"]}' for group in groups for each in group['Displays']}
    assert len(wanted) == 2 * len(displays())
    peer.wait_for(
        lambda: wanted <= {name for name, _ in peer.get_topic_names_and_types()},
        f'topics among {", ".join(sorted(wanted))}',
    )
    code, _, output = interrupt(process)
    assert code == 0, output
    assert not file.exists()


def test_rviz_shows_one_camera_as_the_file_says(peer, ros2_launch, interrupt, shown):
    path, copied = shown
    process = ros2_launch(
        'segment.launch.py', 'rviz:=true', 'autostart:=false', AMENT_PREFIX_PATH=path
    )
    _, text = settings_shown(peer, copied)
    assert yaml.safe_load(text) == yaml.safe_load((ROOT / 'rviz' / 'segment.rviz').read_text())
    peer.call(GetState, '/segment/get_state', GetState.Request())
    interrupt(process)
