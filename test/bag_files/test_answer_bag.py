"""A bag with answers: what it copies, what it adds, and that ROS understands it."""

from collections import defaultdict
from importlib import import_module

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader

from helpers.bags import (
    CHATTER,
    DEPTH,
    IMAGE,
    INFO,
    LATE,
    START,
    STEP,
    recorded,
    write_bag,
    write_ros1_bag,
)
from iterprime_ros.bag_files.answer_bag import answer_bag
from iterprime_ros.bag_files.bag_job import plan_bag
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.scene import sample_scene

COMMANDS = ('the mug', 'the plate')


@pytest.fixture(scope='module')
def model(regions):
    return IteRPrimE.from_profile(regions)


@pytest.fixture(scope='module')
def pictures(small_renderer):
    return [small_renderer.render(sample_scene(seed)) for seed in (16, 17, 18)]


def contents(path):
    """Return what rclpy reads in a bag: by topic a list of log times and messages."""
    read = defaultdict(list)
    with Reader(path) as reader:
        for connection, time, data in reader.messages():
            package, _, name = connection.msgtype.split('/')
            kind = getattr(import_module(f'{package}.msg'), name)
            message = deserialize_message(bytes(data), kind)
            read[connection.topic].append((time, message))
    return read


def stamps(messages):
    return [1_000_000_000 * m.header.stamp.sec + m.header.stamp.nanosec for _, m in messages]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_a_copy_with_answers(model, pictures, storage, tmp_path):
    messages = recorded(pictures)
    if storage == 'ros1':
        source = write_ros1_bag(tmp_path / 'in.bag', messages)
    else:
        source = write_bag(tmp_path / 'in', messages, storage)
    job = plan_bag(source, tmp_path / 'new' / 'out', COMMANDS, IMAGE)
    assert job.image_count == 3
    summary = answer_bag(model, job)
    assert (summary.images, summary.problems) == (3, ())
    suffix = 'db3' if storage == 'sqlite3' else 'mcap'
    assert {each.name for each in job.target.iterdir()} == {'metadata.yaml', f'out.{suffix}'}
    assert [each.name for each in job.target.parent.iterdir()] == ['out']

    read = contents(job.target)
    for topic in (IMAGE, DEPTH, INFO, CHATTER):
        sent = [(time, message) for name, time, message in messages if name == topic]
        assert [time for time, _ in read[topic]] == [time for time, _ in sent]
    assert [message.data for _, message in read[CHATTER]] == [f'message {n}' for n in range(3)]
    assert bytes(read[IMAGE][2][1].data) == pictures[2].rgb.tobytes()
    assert read[INFO][0][1].k[0] == pictures[0].pinhole.fx

    results = read['/segment/result']
    times = [START + n * STEP for n in range(3) for _ in COMMANDS]
    assert [time for time, _ in results] == [time + LATE for time in times]
    for name in ('result', 'mask', 'heatmap'):
        assert stamps(read[f'/segment/{name}']) == times
    for k, (_, result) in enumerate(results):
        n, c = divmod(k, len(COMMANDS))
        expected = model.segment_many(pictures[n].rgb, COMMANDS)[c]
        assert (result.command, result.header.frame_id) == (COMMANDS[c], 'camera')
        assert result.status == getattr(ReferredObject, expected.status.name)
        assert result.text.startswith(expected.text)
        mask, heatmap = (read[f'/segment/{name}'][k][1] for name in ('mask', 'heatmap'))
        assert mask.encoding == 'mono8'
        assert np.array_equal(np.frombuffer(mask.data, np.uint8) > 0, expected.mask.ravel())
        assert np.array_equal(np.frombuffer(heatmap.data, np.float32), expected.heatmap.ravel())


def test_every_second_image(model, pictures, tmp_path):
    source = write_bag(tmp_path / 'in', recorded(pictures))
    job = plan_bag(source, tmp_path / 'out', COMMANDS[:1], IMAGE, every=2)
    assert job.image_count == 2
    assert answer_bag(model, job).images == 2
    read = contents(job.target)
    assert stamps(read['/segment/result']) == [START, START + 2 * STEP]
    assert len(read[IMAGE]) == 3
