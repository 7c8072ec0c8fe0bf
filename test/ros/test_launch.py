"""The launch files under real launch_ros, which ROS installations have and the wheels do not."""

import asyncio
import importlib.util
from pathlib import Path

import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

launch = pytest.importorskip('launch', reason='launch is not installed: there is no wheel of it')
pytest.importorskip('launch_ros', reason='launch_ros is not installed: there is no wheel of it')

DEMO = Path(__file__).resolve().parents[2] / 'launch' / 'demo.launch.py'


def description():
    spec = importlib.util.spec_from_file_location('demo_launch', DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


def test_every_argument_is_described():
    arguments = description().get_launch_arguments()
    assert [each.name for each in arguments] == ['width', 'height', 'rate', 'seed', 'namespace']
    assert all(each.description for each in arguments)


def test_the_camera_runs_in_its_namespace(peer):
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    images = peer.collect(Image, 'arm/image', qos_profile_sensor_data)
    service = launch.LaunchService(noninteractive=True)
    service.include_launch_description(
        launch.LaunchDescription(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(str(DEMO)),
                    launch_arguments={'namespace': 'arm', 'width': '160', 'height': '120'}.items(),
                )
            ]
        )
    )

    async def until_an_image():
        running = asyncio.ensure_future(service.run_async())
        await asyncio.to_thread(peer.wait_for, lambda: images, 'an image')
        await service.shutdown()
        return await running

    assert asyncio.run(until_an_image()) == 0
    assert images[0].width == 160
