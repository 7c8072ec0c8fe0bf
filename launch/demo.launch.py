"""Start the camera over the simulated tabletop."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue


def generate_launch_description() -> LaunchDescription:
    """Return the camera node with its arguments; `ros2 launch --show-args` lists them."""
    settings = {
        'width': ('640', int, 'Image width, pixels (16 to 4096).'),
        'height': ('480', int, 'Image height, pixels (16 to 4096).'),
        'rate': ('15.0', float, 'Images a second (0.1 to 120).'),
        'seed': ('0', int, 'Which scene: the same seed is the same scene.'),
    }
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, _, description) in settings.items()
    ]
    namespace = DeclareLaunchArgument(
        'namespace', default_value='', description='Namespace of the camera and its topics.'
    )
    camera = Node(
        package='iterprime_ros',
        executable='sim_camera',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {
                name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                for name, (_, kind, _) in settings.items()
            }
        ],
        output='screen',
    )
    return LaunchDescription([*arguments, namespace, camera])
