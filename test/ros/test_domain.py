"""Domains are private while held and free afterwards."""

import subprocess
import sys

from iterprime_ros.ros.domain import private_domain


def test_two_holders_get_two_domains():
    with private_domain() as first, private_domain() as second:
        assert first['ROS_DOMAIN_ID'] != second['ROS_DOMAIN_ID']
        assert first['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    with private_domain() as third:
        assert third['ROS_DOMAIN_ID'] == first['ROS_DOMAIN_ID']


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
