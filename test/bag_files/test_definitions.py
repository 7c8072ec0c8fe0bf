"""The package's own messages in bags are those of ROS, to the byte."""

import json
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_share_directory
from rclpy.serialization import deserialize_message

from iterprime_ros import msg
from iterprime_ros.bag_files.definitions import new_message, serialized, typestore

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
