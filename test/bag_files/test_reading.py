"""What is read of whole and of damaged bags, beside what was recorded."""

import shutil
import sqlite3
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from helpers.bags import CHATTER, IMAGE, START, recorded, write_bag, write_ros1_bag
from iterprime_ros.bag_files.definitions import new_message, typestore
from iterprime_ros.bag_files.reading import open_bag
from iterprime_ros.bag_files.stream import InvalidBagError
from iterprime_ros.geometry.pinhole import Pinhole

KINDS = ['mcap', 'sqlite3', 'ros1']


@pytest.fixture(scope='module')
def messages():
    """Enough for several chunks of a MCAP."""
    rng = np.random.default_rng(0)
    pictures = [
        SimpleNamespace(
            pinhole=Pinhole(100.0, 100.0, 79.5, 59.5, 160, 120),
            rgb=rng.integers(0, 255, (120, 160, 3), np.uint8),
            depth=rng.random((120, 160), np.float32),
        )
        for _ in range(30)
    ]
    return recorded(pictures)


@pytest.fixture(scope='module')
def bags(messages, tmp_path_factory):
    folder = tmp_path_factory.mktemp('bags')
    return {
        'mcap': write_bag(folder / 'mcap', messages, 'mcap'),
        'sqlite3': write_bag(folder / 'sqlite3', messages, 'sqlite3'),
        'ros1': write_ros1_bag(folder / 'in.bag', messages),
    }


def storage_file(path):
    files = [path] if path.is_file() else path.glob('*[!l]')  # not the metadata.yaml
    return next(iter(files))


@pytest.fixture
def copied(bags, tmp_path):
    """Return a copy of a bag, and its file of messages."""

    def copy(kind):
        path = tmp_path / bags[kind].name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True) if path.is_file() else None
        (shutil.copytree if bags[kind].is_dir() else shutil.copyfile)(bags[kind], path)
        return path, storage_file(path)

    return copy


def read_of(path):
    """Return (topic, log time, CDR) of all messages that are read, and the problems."""
    with open_bag(path) as bag:
        read = [(m.stream.topic, m.time, bytes(m.data)) for m in bag.messages()]
        return read, bag.problems


def sent_of(messages):
    store = typestore()
    return [
        (topic, time, bytes(store.serialize_cdr(message, message.__msgtype__)))
        for topic, time, message in messages
    ]


@pytest.mark.parametrize('kind', KINDS)
def test_whole_bags_are_read_as_they_were_recorded(bags, messages, kind):
    read, problems = read_of(bags[kind])
    assert read == sent_of(messages)
    assert problems == []
    with open_bag(bags[kind]) as bag:
        assert {each.topic: each.count for each in bag.streams}[IMAGE] == 30
        hashes = {each.kind: each.type_hash for each in bag.streams}
    assert hashes == {each: typestore().hash_rihs01(each) for each in hashes}


@pytest.mark.parametrize('kind', ['mcap', 'sqlite3'])
def test_a_file_of_a_bag_is_a_bag(bags, messages, kind):
    assert read_of(storage_file(bags[kind])) == (sent_of(messages), [])


@pytest.mark.parametrize('mode', [CompressionMode.MESSAGE, CompressionMode.FILE])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_compressed_bags(messages, storage, mode, tmp_path):
    plugin = StoragePlugin[storage.upper()]
    writer = Writer(tmp_path / 'in', version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection(CHATTER, 'std_msgs/msg/String', typestore=typestore())
        sent = [each for each in sent_of(messages) if each[0] == CHATTER]
        for _, time, data in sent:
            writer.write(connection, time, data)
    assert read_of(tmp_path / 'in') == (sent, [])
    with open_bag(tmp_path / 'in') as bag:
        assert bag.storage == storage


@pytest.mark.parametrize('kind', ['mcap', 'sqlite3'])
def test_without_metadata_the_files_are_read(copied, messages, kind):
    path, _ = copied(kind)
    (path / 'metadata.yaml').unlink()
    read, (problem,) = read_of(path)
    assert read == sent_of(messages)
    assert 'it has no metadata.yaml' in problem
    assert problem.endswith(f': {len(messages)} messages could be read.')


@pytest.mark.parametrize('kind', KINDS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0.3, 0.999))
def test_of_what_was_cut_off_the_beginning_is_read(copied, messages, kind, share):
    path, file = copied(kind)
    size = int(share * file.stat().st_size)
    with file.open('r+b') as opened:
        opened.truncate(size)
    # The pages of a database may have any order, and those of its topics be missing.
    with suppress(InvalidBagError) if kind == 'sqlite3' else nullcontext():
        check_beginning(path, messages, 0 if kind == 'sqlite3' else share - 0.3)


def check_beginning(path, messages, least):
    read, (problem,) = read_of(path)
    sent = sent_of(messages)
    assert read == sent[: len(read)]
    assert 'is damaged' in problem
    assert f'{len(read)}' in problem
    assert len(read) >= least * len(sent)


@pytest.mark.parametrize('kind', KINDS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0.1, 0.9), damage=st.binary(min_size=40, max_size=40))
def test_what_is_read_around_damage_was_recorded(copied, messages, kind, share, damage):
    path, file = copied(kind)
    with file.open('r+b') as opened:
        opened.seek(int(share * file.stat().st_size))
        opened.write(damage)
    with suppress(InvalidBagError):
        check_rest(path, messages)


def check_rest(path, messages):
    read, _ = read_of(path)
    sent, times = sent_of(messages), [time for _, time, _ in read]
    assert len(read) <= len(sent)
    assert len({*read} & {*sent}) >= len(read) - 2  # the damage may lie in the data of a message
    assert len(times) == len({*zip((topic for topic, _, _ in read), times, strict=True)})


def test_what_lies_in_the_log_of_a_database_is_read(tmp_path):
    path = write_bag(tmp_path / 'in', [], 'sqlite3')
    file = path / 'in.db3'
    text = new_message('std_msgs/msg/String', data='late')
    data = bytes(typestore().serialize_cdr(text, 'std_msgs/msg/String'))
    recorder = sqlite3.connect(file, isolation_level=None)
    recorder.execute('PRAGMA journal_mode=WAL')
    recorder.execute(
        "INSERT INTO topics VALUES (1, '/chatter', 'std_msgs/msg/String', 'cdr', '', '')"
    )
    recorder.execute('INSERT INTO messages VALUES (1, 1, ?, ?)', (START, data))
    read, (problem,) = read_of(path)
    recorder.close()
    assert read == [(CHATTER, START, data)]
    assert 'its recorder was killed' in problem


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('none', None, 'There is no bag at'),
        ('a.txt', b'text', 'is no bag: name a folder'),
        ('a.mcap', b'', 'is no bag, or nothing of it can be read'),
        ('a.mcap', b'text', 'is no bag, or nothing of it can be read'),
        ('a.db3', b'text', 'is no bag, or nothing of it can be read'),
        ('a.bag', b'text', 'is no bag, or nothing of it can be read'),
    ],
)
def test_what_is_no_bag_is_one_sentence(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidBagError, match=words) as caught, open_bag(path):
        pass
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_without_a_bag_is_one_sentence(tmp_path):
    with pytest.raises(InvalidBagError, match='is no bag: name a folder'), open_bag(tmp_path):
        pass
