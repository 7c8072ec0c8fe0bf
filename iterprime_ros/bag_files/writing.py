"""Bags are written beside their place, and get their name when they are whole."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iterprime_ros.bag_files.definitions import serialized, typestore
from iterprime_ros.bag_files.stream import Message, Storage, Stream
from iterprime_ros.errors import InvalidSettingError, UnwritableError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

_NO_HASH = 'unknown'  # rosbags wants one


def check_output(path: Path) -> None:
    """Raise InvalidSettingError where something has the name of the bag to write."""
    if os.path.lexists(path):
        raise InvalidSettingError(f'{path} is there already: name a new bag, or remove it.')


@contextmanager
def new_bag(path: Path, storage: Storage) -> Iterator['BagWriter']:
    """Yield what writes a rosbag2, which gets its name at the end; an error leaves nothing.

    What a run that was killed left beside it is removed.

    Raises InvalidSettingError where the name is taken, or another run is about to take it, and
    UnwritableError.
    """
    check_output(path)
    part = path.with_name(f'.{path.name}.part')
    with _writing(path):
        part.mkdir(parents=True, exist_ok=True)
        lock = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidSettingError(
                f'Another run is writing {path}: name another bag.'
            ) from error
        try:
            with _writing(path):
                _clear(part)
            unfinished = part / path.name
            writer = BagWriter(unfinished, path, storage)
            try:
                yield writer
                writer.close()
            except BaseException:
                writer.abort()
                raise
            check_output(path)
            with _writing(path):
                unfinished.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    finally:
        os.close(lock)


def _clear(folder: Path) -> None:
    for each in folder.iterdir():
        shutil.rmtree(each)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritableError(f'Cannot write {path}: {error.strerror or error}.') from error
    except sqlite3.Error as error:
        raise UnwritableError(f'Cannot write {path}: {error}.') from error


class BagWriter:
    """Writes messages to a rosbag2. All methods raise UnwritableError.

    place: where to write.
    name: of the bag, for errors.
    storage: how it is stored.
    """

    def __init__(self, place: Path, name: Path, storage: Storage) -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer
        from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

        self._name, self._is_database = name, storage == 'sqlite3'
        plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
        # Version 8 of the metadata is the newest that Humble reads, too.
        self._writer: Writer = Writer(place, version=8, storage_plugin=plugin)
        if storage == 'mcap':
            # Of its chunks, which every reader of MCAP undoes: masks shrink to a hundredth.
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._copied: dict[Stream, Connection] = {}
        self._own: dict[str, Connection] = {}
        self._known: dict[tuple[str, str, tuple[Any, ...]], Connection] = {}
        with _writing(name):
            self._writer.open()

    def copy_streams(self, streams: Sequence[Stream]) -> None:
        """Announce topics to copy, so that those without messages are there, too."""
        with _writing(self._name):
            for stream in streams:
                self._copied[stream] = self._connection_of(stream)

    def copy(self, message: Message) -> None:
        """Write a message as it was."""
        with _writing(self._name):
            self._writer.write(self._copied[message.stream], message.time, message.data)

    def write(self, topic: str, message: Any, time: int, is_latched: bool = False) -> None:
        """Write a message of `definitions.message_classes`.

        time: the log time, in nanoseconds.
        """
        with _writing(self._name):
            if topic not in self._own:
                stream = _own_stream(topic, message.__msgtype__, is_latched)
                self._own[topic] = self._connection_of(stream)
            self._writer.write(self._own[topic], time, serialized(message))

    def close(self) -> None:
        """Write the end of the bag."""
        with _writing(self._name):
            self._writer.close()

    def abort(self) -> None:
        """Close what is open; the bag is not whole."""
        with suppress(OSError, sqlite3.Error):  # what ended the writing is told instead
            self._writer.abort()

    def _connection_of(self, stream: Stream) -> 'Connection':
        key = stream.topic, stream.kind, tuple(stream.qos)
        if key in self._known:  # a split bag, or publishers of ROS 1
            return self._known[key]
        if not stream.definition and self._is_database:
            self._writer.added_types.add(stream.kind)  # nothing to store; MCAP needs an entry
        self._known[key] = self._writer.add_connection(
            stream.topic,
            stream.kind,
            msgdef=stream.definition,
            rihs01=stream.type_hash or _NO_HASH,
            offered_qos_profiles=stream.qos,
        )
        return self._known[key]


def _own_stream(topic: str, kind: str, is_latched: bool) -> Stream:
    from iterprime_ros.bag_files.qos import offered

    store = typestore()
    definition, _ = store.generate_msgdef(kind, ros_version=2)
    return Stream(topic, kind, definition, store.hash_rihs01(kind), offered(is_latched), 0, bytes)
