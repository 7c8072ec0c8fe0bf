"""Recorded bags: what is in them, and their messages as ROS 2 serialises them."""

import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iterprime_ros.bag_files.definitions import check_rosbags
from iterprime_ros.bag_files.ros1_types import ros1_stream
from iterprime_ros.bag_files.ros2_types import ros2_stream
from iterprime_ros.bag_files.scanning import scanned, storage_files
from iterprime_ros.bag_files.stream import Bag, InvalidBagError, Message, Storage, Stream
from iterprime_ros.errors import MissingDependencyError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

    Record = tuple[Connection, int, bytes]  # with the log time in nanoseconds
    Read = Callable[[], Iterator[Record]]

_SUFFIXES = ('.bag', '.mcap', '.db3')


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """Open a rosbag2 (its folder, or one .mcap or .db3 file) or a bag of ROS 1 (.bag).

    Of a bag that is damaged or whose recorder was killed, what is left is read.

    Raises InvalidBagError for what is no bag or cannot be read at all, and MissingDependencyError
    without rosbags.
    """
    check_rosbags()
    files = _checked_files(path)
    with ExitStack() as stack:
        read: Read | None = None
        reason = _known_damage(path, files)
        if not reason:
            try:
                reader = _reader(path)
                reader.open()
                stack.callback(reader.close)
                connections = {_key(each): each for each in reader.connections}
                counts = Counter[Any]()
                for each in reader.connections:
                    counts[_key(each)] += each.msgcount
                read = partial(reader.messages, tuple(reader.connections))
            except (MemoryError, MissingDependencyError):
                raise
            except Exception as error:  # rosbags reports damage by errors of many types
                reason = _reason(error)
        if read is None:
            connections, counts = _scanned_connections(path)
        if not connections:
            raise InvalidBagError(f'{path} is no bag, or nothing of it can be read ({reason}).')
        problems: list[str] = []
        streams = _streams(connections.values(), counts, path.suffix == '.bag', problems)
        storage: Storage = 'sqlite3' if '.db3' in files[0].suffixes else 'mcap'
        messages = partial(_messages, path, read, streams, reason, problems)
        yield Bag(path, storage, tuple(streams.values()), messages, problems)


def _checked_files(path: Path) -> list[Path]:
    """Return the files of a bag that are there and can be opened, at least one."""
    try:
        mode = path.stat().st_mode
        files = storage_files(path)
        if not stat.S_ISDIR(mode) and not (stat.S_ISREG(mode) and path.suffix in _SUFFIXES):
            files = []
        for file in files:
            file.open('rb').close()
    except FileNotFoundError as error:
        raise InvalidBagError(
            f'There is no bag at {path}: name a folder of rosbag2, or a .mcap, .db3 or .bag file.'
        ) from error
    except OSError as error:
        raise InvalidBagError(f'Cannot read {path}: {error.strerror}.') from error
    if not files:
        raise InvalidBagError(
            f'{path} is no bag: name a folder of rosbag2, or a .mcap, .db3 or .bag file.'
        )
    return files


def _known_damage(path: Path, files: Iterable[Path]) -> str:
    """Return why an index must not be trusted, '' where it may be."""
    if path.is_dir() and not (path / 'metadata.yaml').exists():
        return 'it has no metadata.yaml, as after a recorder was killed'
    logs = (each.with_name(f'{each.name}-wal') for each in files)
    if any(each.exists() and each.stat().st_size for each in logs):
        return 'its recorder was killed'
    return ''


def _reader(path: Path) -> Any:
    if path.suffix == '.bag':
        from rosbags.rosbag1 import Reader as Reader1

        return Reader1(path)
    from rosbags.rosbag2 import Reader

    return Reader(path)


def _key(connection: 'Connection') -> tuple[str, str]:
    return connection.topic, connection.msgtype


def _reason(error: Exception) -> str:
    return ' '.join(str(error).split()).rstrip('.') or type(error).__name__


def _scanned_connections(
    path: Path,
) -> tuple[dict[tuple[str, str], 'Connection'], Counter[tuple[str, str]]]:
    """Return the topics that have messages, and how many."""
    connections: dict[tuple[str, str], Connection] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for connection, _, _ in scanned(path):
        connections.setdefault(_key(connection), connection)
        counts[_key(connection)] += 1
    return connections, counts


def _streams(
    connections: 'Iterable[Connection]',
    counts: Counter[tuple[str, str]],
    is_ros1: bool,
    problems: list[str],
) -> dict[tuple[str, str], Stream]:
    """Return the topics by name and recorded type."""
    streams = {}
    for connection in connections:
        key = _key(connection)
        try:
            make = ros1_stream if is_ros1 else ros2_stream
            streams[key] = make(connection, counts[key])
        except Exception as error:  # rosbags reports what it cannot parse by errors of many types
            problems.append(
                f'{connection.topic} is left out: its type {connection.msgtype} cannot be read '
                f'({_reason(error)}).'
            )
    return streams


def _messages(
    path: Path,
    read: 'Read | None',
    streams: dict[tuple[str, str], Stream],
    reason: str,
    problems: list[str],
) -> Iterator[Message]:
    """Yield the messages of a bag; what is wrong with them is added to the problems at the end."""
    wrong: Counter[str] = Counter()
    total = sum(each.count for each in streams.values())
    for connection, time, data in _records(path, read, total, reason, problems):
        stream = streams.get(_key(connection))
        if stream is None:
            continue
        try:
            converted = stream.converted(data)
        except Exception:  # of any type, from data that are not what their type says
            wrong[stream.topic] += 1
        else:
            yield Message(stream, time, converted)
    for topic, number in wrong.items():
        problems.append(f'{number} messages of {topic} are not what their type says: left out.')


def _records(
    path: Path, read: 'Read | None', total: int, reason: str, problems: list[str]
) -> 'Iterator[Record]':
    """Yield what a bag recorded: by its index up to the first damage, and then without it.

    read: reads by the index; None where there is none, and `reason` says why.
    total: messages that the index says that there are.
    """
    last, at_last, count = -1, 0, 0
    try:
        for record in read() if read is not None else ():
            at_last = at_last + 1 if record[1] == last else 1
            last, count = record[1], count + 1
            yield record
    except MemoryError:
        raise
    except Exception as error:  # rosbags reports damage by errors of many types
        reason = _reason(error)
    if not reason:
        return
    skipped = 0
    for record in scanned(path):
        skipped += record[1] == last
        if record[1] > last or (record[1] == last and skipped > at_last):
            count += 1
            yield record
    of_all = '' if read is None else f' of {total}'
    problems.append(f'{path} is damaged ({reason}): {count}{of_all} messages could be read.')
