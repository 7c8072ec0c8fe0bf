"""Messages of ROS 1 become those of ROS 2, whatever their types."""

import pytest
from rclpy.serialization import deserialize_message
from rosbags.interfaces import QosDurability
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from visualization_msgs.msg import Marker

from helpers.bags import START
from iterprime_ros.bag_files.definitions import typestore
from iterprime_ros.bag_files.reading import open_bag


@pytest.fixture(scope='module')
def store():
    """Types of ROS 1, and one that nobody else has."""
    made = get_typestore(Stores.ROS1_NOETIC)
    text = 'Header header\nsensor_msgs/RegionOfInterest[] parts\nstring name\ntime when\n'
    made.register(get_types_from_msg(text, 'mine/msg/Mine'))
    return made


def written(path, store, message, latching=0):
    kind = message.__msgtype__
    with Writer(path) as writer:
        connection = writer.add_connection('/topic', kind, typestore=store, latching=latching)
        writer.write(connection, START, store.serialize_ros1(message, kind))
    return path


def header_of(store, seconds):
    stamp = store.types['builtin_interfaces/msg/Time'](seconds, 5)
    return store.types['std_msgs/msg/Header'](7, stamp, 'map')


def read_of(path):
    with open_bag(path) as bag:
        (message,), (stream,) = list(bag.messages()), bag.streams
    assert (bag.problems, message.time, message.stream) == ([], START, stream)
    return stream, bytes(message.data)


def test_a_type_that_only_the_bag_knows(store, tmp_path):
    roi = store.types['sensor_msgs/msg/RegionOfInterest'](1, 2, 3, 4, True)
    when = store.types['builtin_interfaces/msg/Time'](8, 9)
    sent = store.types['mine/msg/Mine'](header_of(store, 6), [roi], 'a name', when)
    stream, data = read_of(written(tmp_path / 'in.bag', store, sent))
    reader = get_typestore(Stores.ROS2_KILTED)
    reader.register(
        {
            name: each
            for name, each in get_types_from_msg(stream.definition, stream.kind).items()
            if name not in reader.fielddefs
        }
    )
    assert stream.type_hash == reader.hash_rihs01('mine/msg/Mine')
    read = reader.deserialize_cdr(data, 'mine/msg/Mine')
    assert (read.name, read.when.nanosec, read.header.stamp.sec) == ('a name', 9, 6)
    assert read.parts[0].width == 4


def test_a_type_that_has_more_fields_in_ros_2(store, tmp_path):
    kinds = store.types
    point = kinds['geometry_msgs/msg/Point'](1.0, 2.0, 3.0)
    turn = kinds['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0)
    sent = kinds['visualization_msgs/msg/Marker'](
        header=header_of(store, 6),
        ns='boxes',
        id=3,
        type=1,
        action=0,
        pose=kinds['geometry_msgs/msg/Pose'](point, turn),
        scale=kinds['geometry_msgs/msg/Vector3'](1.0, 1.0, 1.0),
        color=kinds['std_msgs/msg/ColorRGBA'](1.0, 0.0, 0.0, 1.0),
        lifetime=kinds['builtin_interfaces/msg/Duration'](0, 0),
        frame_locked=False,
        points=[point],
        colors=[],
        text='text',
        mesh_resource='',
        mesh_use_embedded_materials=False,
    )
    stream, data = read_of(written(tmp_path / 'in.bag', store, sent))
    assert stream.type_hash == typestore().hash_rihs01(stream.kind)
    read = deserialize_message(data, Marker)
    assert (read.ns, read.text, read.pose.position.z) == ('boxes', 'text', 3.0)
    assert read.points[0].y == 2.0


def test_what_was_latched_is_offered_to_those_who_come_later(store, tmp_path):
    sent = store.types['std_msgs/msg/String']('a map')
    stream, _ = read_of(written(tmp_path / 'in.bag', store, sent, latching=1))
    assert stream.qos[0].durability is QosDurability.TRANSIENT_LOCAL
