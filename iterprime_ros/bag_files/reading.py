"""Recorded bags: what is in them, and their messages as ROS 2 serialises them."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.bag_files.definitions import check_rosbags
from iterprime_ros.bag_files.stream import Bag, InvalidBagError, Message, Storage, Stream
from iterprime_ros.errors import IterprimeError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection


def open_bag(path: Path) -> AbstractContextManager[Bag]:
    """Open a rosbag2 (its folder, or one .mcap or .db3 file) or a bag of ROS 1 (.bag).

    Raises InvalidBagError, and MissingDependencyError without rosbags.
    """
    check_rosbags()
    if not os.access(path, os.F_OK):
        raise InvalidBagError(f'There is no bag at {path}: name a folder of rosbag2 or a file.')
    return _ros1(path) if path.suffix == '.bag' and path.is_file() else _ros2(path)


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn what rosbags raises into one sentence."""
    try:
        yield
    except (IterprimeError, MemoryError, KeyboardInterrupt, GeneratorExit):
        raise
    except PermissionError as error:
        raise InvalidBagError(f'Cannot read {path}: {error.strerror}.') from error
    except Exception as error:  # rosbags reports damage by errors of many types
        reason = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
        raise InvalidBagError(f'{path} cannot be read as a bag ({reason}).') from error


@contextmanager
def _ros2(path: Path) -> Iterator[Bag]:
    from rosbags.rosbag2 import Reader

    with _reporting(path):
        reader = Reader(path)
        reader.open()
    try:
        with _reporting(path):
            streams = [_ros2_stream(each) for each in reader.connections]
            connections = list(reader.connections)
        by_id = {each.id: stream for each, stream in zip(connections, streams, strict=True)}

        def messages() -> Iterator[Message]:
            with _reporting(path):
                for connection, time, data in reader.messages(connections):
                    yield Message(by_id[connection.id], time, data)

        yield Bag(path, _storage_of(path), tuple(streams), messages)
    finally:
        reader.close()


def _storage_of(path: Path) -> Storage:
    files = path.iterdir() if path.is_dir() else [path]
    return 'mcap' if any('.mcap' in each.suffixes for each in files) else 'sqlite3'


def _ros2_stream(connection: 'Connection') -> Stream:
    """Return a topic of a rosbag2; before Iron, bags had no definitions of their messages."""
    from rosbags.interfaces import MessageDefinitionFormat
    from rosbags.typesys import Stores, get_typestore

    definition, type_hash = connection.msgdef.data, connection.digest
    if connection.msgdef.format == MessageDefinitionFormat.NONE:
        store = get_typestore(Stores.ROS2_HUMBLE)
        definition = ''
        if connection.msgtype in store.fielddefs:
            definition, _ = store.generate_msgdef(connection.msgtype, ros_version=2)
            type_hash = store.hash_rihs01(connection.msgtype)
    return Stream(
        connection.topic,
        connection.msgtype,
        definition,
        type_hash or _hash_of(connection.msgtype, definition),
        getattr(connection.ext, 'offered_qos_profiles', ()),
        connection.msgcount,
        bytes,
    )


def _hash_of(kind: str, definition: str) -> str:
    """Return the hash of a definition, '' for one that rosbags cannot parse."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    try:
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(definition, kind))
        return store.hash_rihs01(kind)
    except Exception:  # of any type; the message is copied all the same
        return ''


@contextmanager
def _ros1(path: Path) -> Iterator[Bag]:
    from rosbags.rosbag1 import Reader

    from iterprime_ros.bag_files.ros1_types import ros1_stream

    with _reporting(path):
        reader = Reader(path)
        reader.open()
    try:
        with _reporting(path):
            connections = list(reader.connections)
            streams = [ros1_stream(each) for each in connections]
        by_id = {each.id: stream for each, stream in zip(connections, streams, strict=True)}

        def messages() -> Iterator[Message]:
            with _reporting(path):
                for connection, time, data in reader.messages(connections):
                    stream = by_id[connection.id]
                    yield Message(stream, time, stream.converted(data))

        yield Bag(path, 'mcap', tuple(streams), messages)
    finally:
        reader.close()
