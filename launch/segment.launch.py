"""Start the node that finds what commands refer to; `--show-args` lists what it takes."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare

_TOPICS = {
    'image': 'Topic of the colour images.',
    'depth': 'Topic of the depth images, registered to the colour images.',
    'camera_info': 'Topic of the calibration of the colour images.',
    'command': 'Topic of the commands, std_msgs/String.',
}
_SETTINGS = {
    'profile': ('tabletop', 'Models and settings: a name of `iterprime models list`, or a file.',
                None),
    'mode': ('once', 'once: a command is answered on the next frame; continuous: on every frame.',
             ['once', 'continuous']),
    'device': ('auto', 'auto (CUDA where there is one), cpu, cuda, cuda:1 ...', None),
    'image_transport': ('raw', 'How images come.', ['raw', 'compressed']),
}  # fmt: skip


def generate_launch_description() -> LaunchDescription:
    """Return the node, configured and activated unless told otherwise, and rviz where asked for."""
    share = FindPackageShare('iterprime_ros')
    arguments = [
        DeclareLaunchArgument(name, default_value=name, description=what)
        for name, what in _TOPICS.items()
    ]
    arguments += [
        DeclareLaunchArgument(name, default_value=default, description=what, choices=choices)
        for name, (default, what, choices) in _SETTINGS.items()
    ]
    arguments += [
        DeclareLaunchArgument('namespace', default_value='', description='Of the node.'),
        DeclareLaunchArgument(
            'params_file',
            default_value=PathJoinSubstitution([share, 'config', 'tabletop.yaml']),
            description='YAML file of parameters; the arguments here come before it.',
        ),
        DeclareLaunchArgument(
            'autostart',
            default_value='true',
            choices=['true', 'false'],
            description='Whether the node configures and activates itself.',
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=['true', 'false'], description='Show rviz.'
        ),
    ]
    node = LifecycleNode(
        package='iterprime_ros',
        executable='segment',
        name='segment',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            ParameterFile(LaunchConfiguration('params_file')),
            {name: ParameterValue(LaunchConfiguration(name), value_type=str) for name in _SETTINGS},
            {'autostart': ParameterValue(LaunchConfiguration('autostart'), value_type=bool)},
        ],
        remappings=[
            *((name, LaunchConfiguration(name)) for name in _TOPICS),
            ('image/compressed', [LaunchConfiguration('image'), '/compressed']),
        ],
        output='screen',
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', PathJoinSubstitution([share, 'rviz', 'segment.rviz'])],
        condition=IfCondition(LaunchConfiguration('rviz')),
        output='screen',
    )
    return LaunchDescription([*arguments, node, rviz])
