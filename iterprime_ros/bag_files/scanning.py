"""Reads bags from their beginning, without an index: what is left of those that are damaged."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

    Scan = Iterator[tuple[Connection, int, bytes]]

_MCAP_MAGIC = b'\x89MCAP0\r\n'
# Of https://mcap.dev/spec
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 0x03, 0x04, 0x05, 0x06, 0x0F
_FORMATS = {'ros2msg': 1, 'ros2idl': 2, 'omgidl': 2}  # of rosbags' MessageDefinitionFormat


def scanned(path: Path) -> 'Scan':
    """Yield (connection, log time in nanoseconds, data) of a bag as far as it can be read.

    path: of a .mcap, .db3 or .bag file, or a folder of the first two.

    A message has the connection of its topic and type, which another of them may equal. What is
    damaged is skipped; nothing is raised but for what the system refuses.
    """
    for file in storage_files(path):
        if file.suffix == '.mcap':
            yield from _scanned_mcap(file)
        elif file.suffix == '.db3':
            yield from _scanned_sqlite3(file)
        elif file.suffix == '.bag':
            yield from _scanned_ros1(file)


def storage_files(path: Path) -> list[Path]:
    """Return the files that hold the messages of a bag, in their order."""
    if not path.is_dir():
        return [path]
    files = [each for each in path.iterdir() if {'.mcap', '.db3'} & set(each.suffixes)]
    return sorted(files, key=lambda each: (len(each.name), each.name))  # in_2 before in_10


def _connection(topic: str, kind: str, definition: str, encoding: str, qos: Any) -> 'Connection':
    from rosbags.interfaces import (
        Connection,
        ConnectionExtRosbag2,
        MessageDefinition,
        MessageDefinitionFormat,
    )
    from rosbags.rosbag2.metadata import parse_qos

    known = MessageDefinitionFormat(_FORMATS.get(encoding, 0))
    profiles = []
    with suppress(Exception):  # of any type, from damaged text; playing it back needs none
        profiles = parse_qos(qos)
    ext = ConnectionExtRosbag2('cdr', profiles)
    return Connection(0, topic, kind, MessageDefinition(known, definition), '', 0, ext, None)


def _scanned_mcap(path: Path) -> 'Scan':
    schemas: dict[int, tuple[str, str, str]] = {}
    channels: dict[int, Connection] = {}
    with path.open('rb') as file:
        if file.read(8) == _MCAP_MAGIC:
            yield from _mcap_messages(file, schemas, channels)


def _mcap_messages(
    file: BinaryIO, schemas: dict[int, tuple[str, str, str]], channels: dict[int, 'Connection']
) -> 'Scan':
    while True:
        start = file.read(9)
        if len(start) < 9 or start[0] == _DATA_END:
            return
        op, size = struct.unpack('<BQ', start)
        if op not in (_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK):
            file.seek(size, 1)
            continue
        record = file.read(size)
        is_whole = len(record) == size
        with suppress(struct.error, UnicodeDecodeError, KeyError):
            if op == _CHUNK:
                inside = BytesIO(_mcap_chunk(record, is_whole))
                yield from _mcap_messages(inside, schemas, channels)
            elif is_whole and op == _SCHEMA:
                number, (name, encoding, text) = _uint16(record), _strings(record, 2, 3)
                schemas[number] = name, encoding, text
            elif is_whole and op == _CHANNEL:
                number, schema = struct.unpack_from('<HH', record)
                topic, _ = _strings(record, 4, 2)
                kind, encoding, text = schemas[schema]
                offset = 4 + sum(4 + len(each.encode()) for each in _strings(record, 4, 2))
                channels[number] = _connection(topic, kind, text, encoding, _qos(record, offset))
            elif is_whole and op == _MESSAGE:
                number, _, time, _ = struct.unpack_from('<HIQQ', record)
                yield channels[number], time, record[22:]


def _uint16(record: bytes) -> int:
    return int(struct.unpack_from('<H', record)[0])


def _strings(record: bytes, offset: int, count: int) -> list[str]:
    """Return texts with their lengths in front of them."""
    texts = []
    for _ in range(count):
        (size,) = struct.unpack_from('<I', record, offset)
        texts.append(record[offset + 4 : offset + 4 + size].decode())
        offset += 4 + size
    return texts


def _qos(record: bytes, offset: int) -> str:
    """Return the QoS profiles in the metadata of a channel, a map of texts."""
    (size,) = struct.unpack_from('<I', record, offset)
    offset, end = offset + 4, offset + 4 + size
    while offset < end:
        key, value = _strings(record, offset, 2)
        if key == 'offered_qos_profiles':
            return value
        offset += 8 + len(key.encode()) + len(value.encode())
    return ''


def _mcap_chunk(record: bytes, is_whole: bool) -> bytes:
    """Return the records of a chunk, b'' where it is damaged; those in front of a cut."""
    (compression,) = _strings(record, 28, 1)
    data = record[28 + 4 + len(compression) + 8 :]
    size, crc = struct.unpack_from('<QI', record, 16)
    if not compression:
        return data
    from rosbags.rosbag2.storage_mcap import decompress

    if is_whole:
        with suppress(Exception):  # of any type, from the libraries that decompress
            return decompress(data, compression, size, crc)
    return b''


def _scanned_sqlite3(path: Path) -> 'Scan':
    # What was not yet moved from the log beside the file is read, too.
    address = f'{path.resolve().as_uri()}?mode=ro'
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as base:
        base.text_factory = lambda text: text.decode(errors='replace')
        columns = {row[1] for row in base.execute('PRAGMA table_info(topics)')}
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        definitions: dict[str, tuple[str, str]] = {}
        with suppress(sqlite3.Error):  # before Iron there are none
            for kind, encoding, text in base.execute(
                'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
            ):
                definitions[kind] = text, encoding
        topics = {
            number: _connection(topic, kind, *definitions.get(kind, ('', '')), profiles)
            for number, topic, kind, profiles in base.execute(
                f'SELECT id, name, type, {qos} FROM topics'  # noqa: S608
            )
        }
        for number, time, data in base.execute('SELECT topic_id, timestamp, data FROM messages'):
            if number in topics:
                yield topics[number], time, data


def _scanned_ros1(path: Path) -> 'Scan':
    with path.open('rb') as file:
        if file.readline() == b'#ROSBAG V2.0\n':
            yield from _ros1_messages(file, {})


def _ros1_messages(file: BinaryIO, connections: dict[int, 'Connection']) -> 'Scan':
    """Yield the messages of a file, or of a chunk in it (http://wiki.ros.org/Bags/Format/2.0)."""
    from rosbags.rosbag1.reader import Header, ReaderError, RecordType, decompressors

    while True:
        try:
            header = Header.read(file)
            size = struct.unpack('<I', file.read(4))[0]
            op = header.get_uint8('op')
        except (ReaderError, struct.error, UnicodeDecodeError):
            return
        data = file.read(size)
        is_whole = len(data) == size
        with suppress(ReaderError, KeyError, UnicodeDecodeError):
            if op == RecordType.CHUNK:
                records = data
                compression = header.get_string('compression')
                if compression != 'none':
                    records = b''
                    with suppress(Exception):  # of any type, from the libraries that decompress
                        records = decompressors[compression](data)
                yield from _ros1_messages(BytesIO(records), connections)
            elif is_whole and op == RecordType.CONNECTION:
                number = header.get_uint32('conn')
                connections[number] = _ros1_connection(header.get_string('topic'), data)
            elif is_whole and op == RecordType.MSGDATA:
                time = header.get_time('time')
                yield connections[header.get_uint32('conn')], time, data


def _ros1_connection(topic: str, data: bytes) -> 'Connection':
    from rosbags.interfaces import (
        Connection,
        ConnectionExtRosbag1,
        MessageDefinition,
        MessageDefinitionFormat,
    )
    from rosbags.rosbag1.reader import Header, normalize
    from rosbags.typesys.msg import normalize_msgtype

    fields = Header.read(BytesIO(struct.pack('<I', len(data)) + data))
    text = MessageDefinition(MessageDefinitionFormat.MSG, fields.get_string('message_definition'))
    latching = fields.get('latching', b'0') == b'1'
    kind = normalize_msgtype(fields.get_string('type'))
    ext = ConnectionExtRosbag1(None, int(latching))
    return Connection(0, normalize(topic), kind, text, '', 0, ext, None)
