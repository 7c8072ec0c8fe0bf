"""Start the simulated robot, the segmentation node, the glue between them, and rviz."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

# Known before anything is launched, so that --show-args lists the arguments of that file too.
_DEMO = Path(__file__).with_name('demo.launch.py')


def generate_launch_description() -> LaunchDescription:
    """Return robot, node, glue and rviz; `ros2 launch --show-args` lists the arguments."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'seed', default_value='143', description='Which scene: two white mugs by default.'
            ),
            DeclareLaunchArgument(
                'gripper',
                default_value='true',
                description='Whether there is a robot with a gripper; without, nothing is picked.',
            ),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(_DEMO))),
            Node(
                package='iterprime_ros',
                executable='voice_pick.py',
                namespace=LaunchConfiguration('namespace'),
                remappings=[('result', 'segment/result')],
                output='screen',
            ),
        ]
    )
