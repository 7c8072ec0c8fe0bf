"""Start the segmentation node; `ros2 launch --show-args` lists the arguments."""

import atexit
import copy
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

_RVIZ_CONFIG = Path(__file__).resolve().parents[1] / 'rviz' / 'segment.rviz'
_FAST_DDS_PROFILE = files('iterprime_ros') / 'ros' / 'fastdds.xml'
_FAST_DDS_3, _FAST_DDS_2 = 'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'
_FAST_DDS_2_DISTRIBUTIONS = ('humble', 'iron', 'jazzy')
_GIVEN = 'segment_arguments_given'
_CAMERA = '{camera}'
_TOPICS = ('image', 'depth', 'camera_info', 'command')
_COMPRESSED = {'image': 'compressed', 'depth': 'compressedDepth'}
_SETTINGS = ('profile', 'image_transport', 'mode', 'device')
_SWITCH = ['true', 'false']
_RESPAWN_DELAY = 2.0  # seconds


def generate_launch_description() -> LaunchDescription:
    """Return the node and, with rviz:=true, rviz."""
    return LaunchDescription(
        [
            OpaqueFunction(function=_remember_given),
            *_arguments(),
            OpaqueFunction(function=_fast_dds_profile),
            OpaqueFunction(function=_segment),
            OpaqueFunction(function=_rviz, condition=IfCondition(LaunchConfiguration('rviz'))),
        ]
    )


def _arguments() -> list[DeclareLaunchArgument]:
    return [*_node_arguments(), *_topic_arguments(), *_launch_arguments()]


def _node_arguments() -> list[DeclareLaunchArgument]:
    return [
        _argument(
            'profile',
            'tabletop',
            'Models and settings: a name of `iterprime models list`, or a YAML file. tabletop '
            'knows only pictures of the simulated camera.',
        ),
        _argument(
            'mode',
            'once',
            'once: a command is answered on the next image; continuous: the last command is '
            'answered on every image that the node can keep up with; track: what the last command '
            'refers to is found once and followed from image to image, until an empty command.',
            ['once', 'continuous', 'track'],
        ),
        _argument('device', 'auto', 'auto (CUDA where there is one), cpu, cuda, cuda:1 ...'),
        _argument('namespace', '', 'Namespace of node and rviz; relative topics are in it.'),
        _argument(
            'params_file',
            '',
            "YAML file of the node's parameters, as config/segment.yaml. Precedence: an argument "
            'that you give, params_file, the defaults.',
        ),
    ]


def _topic_arguments() -> list[DeclareLaunchArgument]:
    return [
        _argument(
            'cameras',
            '',
            'Names of cameras, separated by commas; empty for one camera without a name. The '
            'topics of cameras:=left,right are left/image, left/depth, left/camera_info, '
            'left/command, right/image and so on, and the answers are on segment/left/result. To '
            f'change them, write {_CAMERA} for the name. Two RealSense cameras that '
            'rs_multi_camera_launch.py starts with camera_name_1:=left camera_name_2:=right: '
            f'image:=/camera/{_CAMERA}/color/image_raw '
            f'depth:=/camera/{_CAMERA}/aligned_depth_to_color/image_raw '
            f'camera_info:=/camera/{_CAMERA}/color/camera_info. A command:= without {_CAMERA} is '
            'one topic for all cameras.',
        ),
        _argument(
            'image',
            'image',
            'Topic of the colour images, without /compressed. Images above 0.5 MB may be lost '
            "unless the camera's driver too has the Fast DDS profile that this file sets: "
            f'export {_FAST_DDS_3}={_FAST_DDS_PROFILE} before it starts.',
        ),
        _argument(
            'image_transport',
            'raw',
            'Transport of the images: raw (sensor_msgs/Image on IMAGE) or compressed '
            '(sensor_msgs/CompressedImage on IMAGE/compressed).',
            ['raw', 'compressed'],
        ),
        _argument(
            'depth',
            'depth',
            'Topic of the depth images, registered to the colour images; without depth, answers '
            'have a mask and no 3D position.',
        ),
        _argument('camera_info', 'camera_info', 'Topic of the calibration, needed with depth.'),
        _argument('command', 'command', 'Topic of the commands, std_msgs/String.'),
    ]


def _launch_arguments() -> list[DeclareLaunchArgument]:
    return [
        _argument('rviz', 'false', 'Whether to show the answers in rviz.', _SWITCH),
        _argument(
            'fixed_frame',
            'camera_color_optical_frame',
            'Fixed frame of rviz: the frame of the images, or one that tf connects with it. '
            'Several cameras need one that is connected with all of them, such as base_link.',
        ),
        _argument(
            'autostart',
            'true',
            'Whether the node configures and activates itself; otherwise use `ros2 lifecycle set '
            '/segment configure`, then activate.',
            _SWITCH,
        ),
        _argument(
            'respawn',
            'false',
            'Whether a node that ends is started again after two seconds. Otherwise a node that '
            'fails, for example without its weights, shuts the launch down with result 1.',
            _SWITCH,
        ),
    ]


def _argument(
    name: str, default: str, description: str, choices: list[str] | None = None
) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        name, default_value=default, description=description, choices=choices
    )


def _remember_given(context: LaunchContext) -> list[SetLaunchConfiguration]:
    """Note which arguments are given, before their defaults are filled in.

    Only a given setting overrides params_file, and only a given topic that of a named camera.
    """
    names = (*_SETTINGS, *_TOPICS)
    given = [name for name in names if name in context.launch_configurations]
    return [SetLaunchConfiguration(_GIVEN, ' '.join(given))]


def _is_given(context: LaunchContext, name: str) -> bool:
    return name in context.launch_configurations[_GIVEN].split()


def _fast_dds_profile(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Give Fast DDS shared memory that is large enough for images, unless a profile is set.

    It is the publisher of images that needs it: here the node and, in the demo, the camera.
    """
    environment = context.environment
    if _FAST_DDS_3 in environment or _FAST_DDS_2 in environment:
        return []
    is_old = environment.get('ROS_DISTRO') in _FAST_DDS_2_DISTRIBUTIONS
    return [SetEnvironmentVariable(_FAST_DDS_2 if is_old else _FAST_DDS_3, str(_FAST_DDS_PROFILE))]


def _segment(context: LaunchContext) -> list[LifecycleNode]:
    is_respawned = context.launch_configurations['respawn'] == 'true'
    return [
        LifecycleNode(
            package='iterprime_ros',
            executable='segment',
            name='segment',
            namespace=LaunchConfiguration('namespace'),
            parameters=[*_parameter_files(context), _given_parameters(context)],
            remappings=list(_remappings(context)),
            output='screen',
            respawn=is_respawned,
            respawn_delay=_RESPAWN_DELAY,
            on_exit=None if is_respawned else _end_if_failed,
        )
    ]


def _given_parameters(context: LaunchContext) -> dict[str, Any]:
    values: dict[str, Any] = {'autostart': _parameter('autostart', bool)}
    values |= {name: _parameter(name, str) for name in _SETTINGS if _is_given(context, name)}
    if context.launch_configurations['cameras']:
        values['cameras'] = _cameras(context)
    return values


def _parameter(name: str, kind: type) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def _parameter_files(context: LaunchContext) -> list[Path]:
    """Return the file, if one is named; ROS would start the node without a missing one."""
    name = context.launch_configurations['params_file']
    if not name:
        return []
    if not Path(name).is_file():
        raise RuntimeError(f'params_file: there is no file {name}.')
    return [Path(name)]


def _cameras(context: LaunchContext) -> list[str]:
    """Return the names of the cameras, '' for one without a name."""
    given = context.launch_configurations['cameras']
    if given:
        return [name.strip() for name in given.split(',')]
    node = '/'.join(('', context.launch_configurations['namespace'], 'segment')).replace('//', '/')
    for file in _parameter_files(context):
        sections = yaml.safe_load(file.read_text(encoding='utf-8'))
        for pattern, parameters in _parameters_in(sections):
            if fnmatchcase(node, pattern) and parameters.get('cameras'):
                return list(parameters['cameras'])
    return ['']


def _parameters_in(sections: Any, pattern: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names of nodes in a parameter file, with wildcards, and their parameters."""
    for name, section in sections.items() if isinstance(sections, dict) else ():
        if name == 'ros__parameters':
            yield pattern, section or {}
        else:
            yield from _parameters_in(section, f'{pattern}/{name.lstrip("/")}')


def _remappings(context: LaunchContext) -> Iterator[tuple[str, str]]:
    cameras = _cameras(context)
    for camera in cameras:
        for name in _TOPICS:
            source = f'{camera}/{name}' if camera else name
            if camera and not _is_given(context, name):
                continue
            topic = _topic_of(camera, name, context.launch_configurations[name], len(cameras))
            yield source, topic
            if name in _COMPRESSED:
                yield f'{source}/{_COMPRESSED[name]}', f'{topic}/{_COMPRESSED[name]}'


def _topic_of(camera: str, name: str, pattern: str, cameras: int) -> str:
    """Return the topic of a camera; cameras: how many there are."""
    if not camera and _CAMERA in pattern:
        raise RuntimeError(f'{name}:={pattern} names a camera: give cameras:=NAME,NAME too.')
    if cameras > 1 and name != 'command' and _CAMERA not in pattern:
        raise RuntimeError(
            f'{name}:={pattern} is one topic for {cameras} cameras: write {_CAMERA} where their '
            'names differ.'
        )
    return pattern.replace(_CAMERA, camera)


def _end_if_failed(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Shut down with result 1 when the node fails."""
    if context.is_shutdown or event.returncode == 0:
        return None
    sentence = (
        f'The segment node failed with exit code {event.returncode}, and the launch ends; the '
        'messages above say why.'
    )
    # The result of a launch is 1 after an error in its loop; there is no other way to set it.
    context.asyncio_loop.call_exception_handler({'message': sentence})
    return Shutdown(reason=sentence)


def _rviz(context: LaunchContext) -> list[Node | LogInfo]:
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        sentence = (
            'rviz2 is not installed, so no window opens: run apt-get install '
            'ros-$ROS_DISTRO-rviz2, or give rviz:=false. Everything else runs without it.'
        )
        return [LogInfo(msg=sentence)]
    # In the node's namespace, because the topics in its file are relative.
    return [
        Node(
            package='rviz2',
            executable='rviz2',
            namespace=LaunchConfiguration('namespace'),
            arguments=['-d', _written_rviz_config(context)],
            output='screen',
        )
    ]


def _written_rviz_config(context: LaunchContext) -> str:
    """Write rviz/segment.rviz for these cameras and this frame; return the temporary file."""
    config = yaml.safe_load(_RVIZ_CONFIG.read_text(encoding='utf-8'))
    manager, cameras = config['Visualization Manager'], _cameras(context)
    manager['Global Options']['Fixed Frame'] = context.launch_configurations['fixed_frame']
    if cameras != ['']:
        manager['Displays'] = [_group(camera, manager['Displays']) for camera in cameras]
    with tempfile.NamedTemporaryFile('w', suffix='.rviz', delete=False) as file:
        yaml.safe_dump(config, file, sort_keys=False)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name


def _group(camera: str, displays: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a group of rviz displays that shows the topics of one camera."""
    displays = copy.deepcopy(displays)
    for display in displays:
        display['Name'] += f' ({camera})'  # the title of a window too
        node, topic = display['Topic']['Value'].split('/')
        display['Topic']['Value'] = f'{node}/{camera}/{topic}'
    return {
        'Class': 'rviz_common/Group',
        'Name': camera,
        'Enabled': True,
        'Displays': displays,
    }
