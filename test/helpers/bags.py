"""Bags as recorders write them, made of pictures of the simulated table."""

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from iterprime_ros.bag_files.definitions import new_message, typestore

IMAGE, DEPTH, INFO, CHATTER = '/camera/image', '/camera/depth', '/camera/info', '/chatter'
START, STEP = 1_700_000_000_000_000_000, 33_000_000  # nanoseconds
LATE = 1_000_000  # nanoseconds from a stamp to the log time of the image


def header_at(stamp):
    sec, nanosec = divmod(stamp, 10**9)
    time = new_message('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
    return new_message('std_msgs/msg/Header', stamp=time, frame_id='camera')


def image_message(pixels, encoding, stamp):
    height, width = pixels.shape[:2]
    return new_message(
        'sensor_msgs/msg/Image',
        header=header_at(stamp),
        height=height,
        width=width,
        encoding=encoding,
        step=pixels.nbytes // height,
        data=np.frombuffer(pixels.tobytes(), np.uint8),
    )


def info_message(pinhole, stamp):
    return new_message(
        'sensor_msgs/msg/CameraInfo',
        header=header_at(stamp),
        height=pinhole.height,
        width=pinhole.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=pinhole.matrix.ravel(),
        r=np.eye(3).ravel(),
        p=np.column_stack([pinhole.matrix, np.zeros(3)]).ravel(),
    )


def recorded(pictures):
    """Return (topic, log time, message) of a camera, in the order of their log times."""
    messages = []
    for n, picture in enumerate(pictures):
        stamp = START + n * STEP
        text = new_message('std_msgs/msg/String', data=f'message {n}')
        messages += [
            (INFO, stamp + 1, info_message(picture.pinhole, stamp)),
            (CHATTER, stamp + 2, text),
            (IMAGE, stamp + LATE, image_message(picture.rgb, 'rgb8', stamp)),
            (DEPTH, stamp + 2 * LATE, image_message(picture.depth, '32FC1', stamp)),
        ]
    return messages


def write_bag(path, messages, storage='mcap', version=9):
    """Write a rosbag2 of (topic, log time, message)."""
    store, connections = typestore(), {}
    with Writer(path, version=version, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        for topic, time, message in messages:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            writer.write(connections[topic], time, store.serialize_cdr(message, kind))
    return path


def write_ros1_bag(path, messages):
    """Write a bag of ROS 1 of (topic, log time, message)."""
    source, store, connections = typestore(), get_typestore(Stores.ROS1_NOETIC), {}
    with Writer1(path) as writer:
        for topic, time, message in messages:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            cdr = source.serialize_cdr(message, kind, little_endian=True)
            writer.write(connections[topic], time, source.cdr_to_ros1(cdr, kind))
    return path
