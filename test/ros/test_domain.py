"""Domains are private while held and free afterwards."""

import subprocess
import sys

import rclpy

from iterprime_ros.ros.domain import private_domain


def test_two_holders_get_two_domains():
    with private_domain() as first, private_domain() as second:
        assert first['ROS_DOMAIN_ID'] != second['ROS_DOMAIN_ID']
        assert first['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'


def test_another_process_gets_another_domain():
    ask = (
        'from iterprime_ros.ros.domain import private_domain\n'
        'with private_domain() as environment: print(environment["ROS_DOMAIN_ID"])'
    )
    with private_domain() as mine:
        other = subprocess.run(
            [sys.executable, '-c', ask], capture_output=True, text=True, check=True
        )
    assert other.stdout.strip() != mine['ROS_DOMAIN_ID']


def test_a_domain_with_any_node_in_it_is_not_free(ros_domain):
    context = rclpy.Context()
    with private_domain() as free:
        number = free['ROS_DOMAIN_ID']
    rclpy.init(context=context, domain_id=int(number))
    node = rclpy.create_node('somebody_else', context=context)
    try:
        with private_domain() as other:
            assert other['ROS_DOMAIN_ID'] != number
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
