"""Start the simulated camera, or a robot with a camera, the segmentation node and rviz."""

from pathlib import Path

from launch import Condition, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

# Known before anything is launched, so that --show-args lists the arguments of that file too.
_SEGMENT = Path(__file__).with_name('segment.launch.py')
_CAMERA = {
    'width': ('640', int, 'Image width, pixels (16 to 4096).'),
    'height': ('480', int, 'Image height, pixels (16 to 4096).'),
    'rate': ('15.0', float, 'Images a second (0.1 to 120).'),
    'seed': ('0', int, 'Which scene: the same seed is the same scene.'),
}
_MOTION = 'What moves, without a gripper: none, orbit, shake, push, swap, occlude or leave.'
_GRIPPER = LaunchConfiguration('gripper')
_DISCOVERY_RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'


def generate_launch_description() -> LaunchDescription:
    """Return camera or robot, node and rviz; `ros2 launch --show-args` lists the arguments."""
    return LaunchDescription(
        [
            *_arguments(),
            # Images stay on this machine, unless the user chose otherwise.
            SetEnvironmentVariable(
                _DISCOVERY_RANGE, EnvironmentVariable(_DISCOVERY_RANGE, default_value='LOCALHOST')
            ),
            # First, because it also sets the environment that the camera needs.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(_SEGMENT))),
            _node('sim_camera', {'motion': str}, condition=UnlessCondition(_GRIPPER)),
            _node('sim_robot', {}, condition=IfCondition(_GRIPPER)),
            RegisterEventHandler(OnProcessExit(on_exit=_end_with)),
        ]
    )


def _arguments() -> list[DeclareLaunchArgument]:
    return [
        *(
            DeclareLaunchArgument(name, default_value=default, description=what)
            for name, (default, _, what) in _CAMERA.items()
        ),
        DeclareLaunchArgument('motion', default_value='none', description=_MOTION),
        DeclareLaunchArgument(
            'gripper',
            default_value='false',
            choices=['true', 'false'],
            description='Whether the camera is that of a robot with a gripper: see pick.launch.py.',
        ),
        DeclareLaunchArgument(
            'namespace',
            default_value='',
            description='Namespace of camera or robot, node and rviz.',
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='true',
            choices=['true', 'false'],
            description='Whether to show the answers, and the grasps, in rviz.',
        ),
    ]


def _node(executable: str, more: dict[str, type], condition: Condition) -> Node:
    kinds = {name: kind for name, (_, kind, _) in _CAMERA.items()} | more
    return Node(
        package='iterprime_ros',
        executable=executable,
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {
                name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                for name, kind in kinds.items()
            }
        ],
        output='screen',
        condition=condition,
    )


def _end_with(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """Shut everything down with the first process that exits.

    Once only, because launch_ros fails on a second shutdown; segment.launch.py decides what happens
    when its node fails.
    """
    if context.is_shutdown or (isinstance(event.action, LifecycleNode) and event.returncode):
        return None
    return Shutdown(reason=f'{event.process_name} ended')
