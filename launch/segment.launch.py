"""Start the segmentation node; `ros2 launch --show-args` lists the arguments."""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

_RVIZ_CONFIG = Path(__file__).resolve().parents[1] / 'rviz' / 'segment.rviz'
_GIVEN = 'segment_settings_given'
_TOPICS = ('image', 'depth', 'camera_info', 'command')
_SETTINGS = ('profile', 'image_transport', 'mode', 'device')
_SWITCH = ['true', 'false']


def generate_launch_description() -> LaunchDescription:
    """Return the node and, with rviz:=true, rviz."""
    return LaunchDescription(
        [
            OpaqueFunction(function=_remember_given),
            *_arguments(),
            OpaqueFunction(function=_segment),
            OpaqueFunction(function=_rviz, condition=IfCondition(LaunchConfiguration('rviz'))),
        ]
    )


def _arguments() -> list[DeclareLaunchArgument]:
    return [
        _argument(
            'profile',
            'tabletop',
            'Models and settings: a name of `iterprime models list`, or a YAML file. tabletop '
            'knows only pictures of the simulated camera.',
        ),
        _argument('image', 'image', 'Topic of the colour images, without /compressed.'),
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
        _argument(
            'mode',
            'once',
            'once: a command is answered on the next image; continuous: the last command is '
            'answered on every image that the node can keep up with.',
            ['once', 'continuous'],
        ),
        _argument('device', 'auto', 'auto (CUDA where there is one), cpu, cuda, cuda:1 ...'),
        _argument('namespace', '', 'Namespace of node and rviz; relative topics are in it.'),
        _argument(
            'params_file',
            '',
            "YAML file of the node's parameters, as config/segment.yaml. Precedence: an argument "
            'that you give, params_file, the defaults.',
        ),
        _argument('rviz', 'false', 'Whether to show the answers in rviz.', _SWITCH),
        _argument(
            'autostart',
            'true',
            'Whether the node configures and activates itself; otherwise use `ros2 lifecycle set '
            '/segment configure`, then activate.',
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
    """Note which settings are given, before their defaults are filled in.

    Only a given setting overrides params_file; a default does not.
    """
    given = [name for name in _SETTINGS if name in context.launch_configurations]
    return [SetLaunchConfiguration(_GIVEN, ' '.join(given))]


def _segment(context: LaunchContext) -> list[LifecycleNode]:
    given = context.launch_configurations[_GIVEN].split()
    return [
        LifecycleNode(
            package='iterprime_ros',
            executable='segment',
            name='segment',
            namespace=LaunchConfiguration('namespace'),
            parameters=[
                *_parameter_files(context.launch_configurations['params_file']),
                {
                    'autostart': _parameter('autostart', bool),
                    **{name: _parameter(name, str) for name in given},
                },
            ],
            remappings=[
                *((name, LaunchConfiguration(name)) for name in _TOPICS),
                ('image/compressed', [LaunchConfiguration('image'), '/compressed']),
            ],
            output='screen',
        )
    ]


def _parameter(name: str, kind: type) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def _parameter_files(name: str) -> list[Path]:
    """Return the file, if one is named; ROS would start the node without a missing one."""
    if not name:
        return []
    if not Path(name).is_file():
        raise RuntimeError(f'params_file: there is no file {name}.')
    return [Path(name)]


def _rviz(_context: LaunchContext) -> list[Node | LogInfo]:
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
            arguments=['-d', str(_RVIZ_CONFIG)],
            output='screen',
        )
    ]
