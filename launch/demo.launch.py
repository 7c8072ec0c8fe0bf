"""Start the simulated camera, the segmentation node and rviz."""

from importlib.resources import files
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
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

# Known before anything is launched, so that --show-args lists the arguments of that file too.
_SEGMENT = Path(__file__).with_name('segment.launch.py')
_CAMERA = {
    'width': ('640', int, 'Image width, pixels (16 to 4096).'),
    'height': ('480', int, 'Image height, pixels (16 to 4096).'),
    'rate': ('15.0', float, 'Images a second (0.1 to 120).'),
    'seed': ('0', int, 'Which scene: the same seed is the same scene.'),
}
# Images stay on this machine, in shared memory that is large enough for them.
_ENVIRONMENT = {
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    'FASTDDS_DEFAULT_PROFILES_FILE': str(files('iterprime_ros') / 'ros' / 'fastdds.xml'),
}


def generate_launch_description() -> LaunchDescription:
    """Return camera, node and rviz; `ros2 launch --show-args` lists the arguments."""
    return LaunchDescription(
        [
            *_arguments(),
            *_environment(),
            _camera(),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(_SEGMENT))),
            RegisterEventHandler(OnProcessExit(on_exit=_end_with)),
        ]
    )


def _arguments() -> list[DeclareLaunchArgument]:
    return [
        *(
            DeclareLaunchArgument(name, default_value=default, description=what)
            for name, (default, _, what) in _CAMERA.items()
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of camera, node and rviz.'
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='true',
            choices=['true', 'false'],
            description='Whether to show the answers in rviz.',
        ),
    ]


def _environment() -> list[SetEnvironmentVariable]:
    """Set what is not set yet."""
    return [
        SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=value))
        for name, value in _ENVIRONMENT.items()
    ]


def _camera() -> Node:
    return Node(
        package='iterprime_ros',
        executable='sim_camera',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {
                name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                for name, (_, kind, _) in _CAMERA.items()
            }
        ],
        output='screen',
    )


def _end_with(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Shut everything down with the first process that exits.

    Once only: launch_ros fails on a second shutdown.
    """
    if context.is_shutdown:
        return None
    return Shutdown(reason=f'{event.process_name} ended')
