"""The package's own messages in bags are those of ROS, to the byte."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_share_directory
from rclpy.serialization import deserialize_message

from iterprime_ros import msg
from iterprime_ros.bag_files.definitions import (
    definition_folder,
    new_message,
    serialized,
    typestore,
)
from iterprime_ros.errors import MissingDependencyError

NAMES = ('Candidate', 'Grasp', 'ReferredObject')


@pytest.mark.parametrize('name', NAMES)
def test_the_hashes_of_types_are_those_of_rosidl(name):
    path = Path(get_package_share_directory('iterprime_ros'), 'msg', f'{name}.json')
    for each in json.loads(path.read_text())['type_hashes']:
        assert typestore().hash_rihs01(each['type_name']) == each['hash_string']


def test_a_message_is_read_by_ros_as_it_was_written():
    result = new_message(
        'iterprime_ros/msg/ReferredObject',
        command='the red mug',
        chance=0.5,
        candidates=[new_message('iterprime_ros/msg/Candidate', predicted_iou=0.25)],
        track_position_covariance=np.arange(9),
    )
    read = deserialize_message(serialized(result), msg.ReferredObject)
    assert (read.command, read.chance) == ('the red mug', 0.5)
    assert [each.predicted_iou for each in read.candidates] == [0.25]
    assert read.track_position_covariance.tolist() == list(range(9))


def test_defaults_are_those_of_ros():
    message = new_message('iterprime_ros/msg/ReferredObject')
    assert deserialize_message(serialized(message), msg.ReferredObject) == msg.ReferredObject()


def test_definitions_are_found_where_ros_and_pip_install_them(tmp_path):
    package = tmp_path / 'lib' / 'python3.11' / 'site-packages' / 'iterprime_ros'
    package.mkdir(parents=True)
    with pytest.raises(MissingDependencyError, match='install it again'):
        definition_folder(package)
    installed = tmp_path / 'share' / 'iterprime_ros' / 'msg'
    installed.mkdir(parents=True)
    (installed / 'ReferredObject.msg').touch()
    assert definition_folder(package) == installed


def test_bags_need_no_ros():
    blocked = """
import sys
for name in ('rclpy', 'sensor_msgs', 'std_msgs', 'geometry_msgs', 'builtin_interfaces'):
    sys.modules[name] = None
import iterprime_ros.bag_files.answer_bag
from iterprime_ros.bag_files.definitions import new_message, serialized
serialized(new_message('iterprime_ros/msg/ReferredObject'))
"""
    subprocess.run([sys.executable, '-c', blocked], check=True, timeout=300)
