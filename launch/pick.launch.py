"""Start the simulated robot, the segmentation node, the glue between them, and rviz."""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

# Known before anything is launched, so that --show-args lists the arguments of that file too.
_SEGMENT = Path(__file__).with_name('segment.launch.py')
_ROBOT = {
    'width': ('640', int, 'Image width, pixels (16 to 4096).'),
    'height': ('480', int, 'Image height, pixels (16 to 4096).'),
    'rate': ('15.0', float, 'Most images a second (0.1 to 120).'),
    'seed': ('143', int, 'Which scene: the same seed is the same scene.'),
}
_DISCOVERY_RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'


def generate_launch_description() -> LaunchDescription:
    """Return robot, node, glue and rviz; `ros2 launch --show-args` lists the arguments."""
    return LaunchDescription(
        [
            *_arguments(),
            # Images stay on this machine, unless the user chose otherwise.
            SetEnvironmentVariable(
                _DISCOVERY_RANGE, EnvironmentVariable(_DISCOVERY_RANGE, default_value='LOCALHOST')
            ),
            # First, because it also sets the environment that the camera needs.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(_SEGMENT))),
            _robot(),
            _glue(),
            RegisterEventHandler(OnProcessExit(on_exit=_end_with)),
        ]
    )


def _arguments() -> list[DeclareLaunchArgument]:
    return [
        *(
            DeclareLaunchArgument(name, default_value=default, description=what)
            for name, (default, _, what) in _ROBOT.items()
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of robot, node, glue and rviz.'
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='true',
            choices=['true', 'false'],
            description='Whether to show the answers and the grasps in rviz.',
        ),
    ]


def _robot() -> Node:
    return Node(
        package='iterprime_ros',
        executable='sim_robot',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {
                name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                for name, (_, kind, _) in _ROBOT.items()
            }
        ],
        output='screen',
    )


def _glue() -> Node:
    return Node(
        package='iterprime_ros',
        executable='voice_pick.py',
        namespace=LaunchConfiguration('namespace'),
        remappings=[('result', 'segment/result')],
        output='screen',
    )


def _end_with(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Shut everything down with the first process that exits.

    Once only, because launch_ros fails on a second shutdown; segment.launch.py decides what happens
    when its node fails.
    """
    if context.is_shutdown or (isinstance(event.action, LifecycleNode) and event.returncode):
        return None
    return Shutdown(reason=f'{event.process_name} ended')
