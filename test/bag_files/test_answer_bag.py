"""A bag with answers: what it copies, what it adds, and that ROS understands it."""

import io
import pickle
import re
import sqlite3
from collections import defaultdict
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
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
    header_at,
    image_message,
    recorded,
    write_bag,
    write_ros1_bag,
)
from iterprime_ros.bag_files.answer_bag import answer_bag
from iterprime_ros.bag_files.bag_job import plan_bag
from iterprime_ros.bag_files.definitions import new_message
from iterprime_ros.bag_files.pairing import stamp_of as nanoseconds_of
from iterprime_ros.geometry.surface import surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.tracking.track import TrackState
from iterprime_ros.tracking.tracker import load_tracker

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


def with_depth(job_arguments):
    return {**job_arguments, 'topic': IMAGE, 'depth': DEPTH, 'camera_info': INFO}


def test_with_depth_there_are_poses(model, pictures, tmp_path):
    source = write_bag(tmp_path / 'in', recorded(pictures))
    job = plan_bag(source, tmp_path / 'out', COMMANDS[:1], **with_depth({}))
    answer_bag(model, job)
    read = contents(job.target)
    results = [result for _, result in read['/segment/result']]
    measured = [each for each in results if each.point_count]
    assert measured
    poses = {
        stamp: pose
        for stamp, (_, pose) in zip(
            stamps(read['/segment/pose']), read['/segment/pose'], strict=True
        )
    }
    for result in measured:
        picture = pictures[(nanoseconds_of(result.header) - START) // STEP]
        answer = model.segment(
            model.embed(picture.rgb, picture.depth, picture.pinhole), COMMANDS[0]
        )
        seen = surface(picture.depth, answer.mask, picture.rgb, picture.pinhole)
        assert result.point_count == seen.point_count
        assert np.allclose([result.centroid.x, result.centroid.z], seen.centroid[[0, 2]])
        pose = poses[nanoseconds_of(result.header)]
        assert pose.header.frame_id == 'camera'
        assert pose.pose == result.box
    assert len(read['/segment/points']) == len(measured)


def test_depth_that_belongs_to_no_image_is_not_used(model, pictures, tmp_path):
    shifted = [
        (topic, time, image_message(pictures[0].depth, '32FC1', START - STEP))
        if topic == DEPTH
        else (topic, time, message)
        for topic, time, message in recorded(pictures)
    ]
    source = write_bag(tmp_path / 'in', shifted)
    job = plan_bag(source, tmp_path / 'out', COMMANDS[:1], **with_depth({}))
    answer_bag(model, job)
    read = contents(job.target)
    for _, result in read['/segment/result']:
        assert 'No depth image has a stamp within 0.02 s of that of the image.' in result.text
        assert result.point_count == 0


def test_a_followed_object_is_told_as_the_tracker_says(model, small_renderer, tmp_path):
    picture = small_renderer.render(sample_scene(16))
    source = write_bag(tmp_path / 'in', recorded([picture] * 4))
    job = plan_bag(source, tmp_path / 'out', COMMANDS[:1], **with_depth({}))
    summary = answer_bag(model, job, lambda: load_tracker(model))
    read = contents(job.target)
    results = [result for _, result in read['/segment/result']]
    tracker, frame = load_tracker(model), model.embed(picture.rgb, picture.depth, picture.pinhole)
    answer = model.segment(frame, COMMANDS[0])
    tracked = [tracker.start(picture.rgb, answer, picture.depth, picture.pinhole)]
    tracked += [tracker.step(picture.rgb, picture.depth, picture.pinhole) for _ in range(3)]
    assert [each.track_age for each in results] == [0, 1, 2, 3]
    for result, mask, expected in zip(results, read['/segment/mask'], tracked, strict=True):
        assert result.track_id == 1
        assert result.track_state == getattr(ReferredObject, expected.state.name)
        assert result.track_confidence == pytest.approx(expected.confidence, abs=1e-6)
        if expected.state is TrackState.TRACKING:
            assert np.array_equal(np.frombuffer(mask[1].data, np.uint8) > 0, expected.mask.ravel())
            assert not np.isnan(result.track_position.x)
    assert sum(summary.states[0].values()) == 4
    assert len(read['/segment/heatmap']) == 1
    assert len(read['/segment/pose_with_covariance']) == sum(
        each.state is TrackState.TRACKING for each in tracked
    )


def test_compressed_images_and_those_that_are_broken(model, pictures, tmp_path):
    encoded = io.BytesIO()
    Image.fromarray(pictures[0].rgb).save(encoded, 'PNG')
    messages = [
        (
            '/camera/image/compressed',
            START + n,
            new_message(
                'sensor_msgs/msg/CompressedImage',
                header=header_at(START + n),
                format='png',
                data=np.frombuffer(data, np.uint8),
            ),
        )
        for n, data in enumerate([encoded.getvalue(), b'no picture', encoded.getvalue()])
    ]
    job = plan_bag(write_bag(tmp_path / 'in', messages), tmp_path / 'out', COMMANDS[:1])
    assert job.image_topic == '/camera/image/compressed'
    summary = answer_bag(model, job)
    assert summary.images == 2
    (problem,) = summary.problems
    assert problem.startswith('1 messages of /camera/image/compressed')
    results = [result for _, result in contents(job.target)['/segment/result']]
    assert results[1].status == ReferredObject.INVALID
    assert 'neither JPEG nor PNG' in results[1].text
    assert results[0].status == results[2].status != ReferredObject.INVALID


def test_the_same_job_writes_the_same_bytes(model, pictures, tmp_path):
    source = write_bag(tmp_path / 'in', recorded(pictures))
    written = []
    for folder in ('a', 'b'):
        job = plan_bag(source, tmp_path / folder / 'out', COMMANDS, IMAGE)
        answer_bag(model, pickle.loads(pickle.dumps(job)))  # noqa: S301
        written.append({each.name: each.read_bytes() for each in job.target.iterdir()})
    assert written[0] == written[1]


def test_types_that_nobody_defines_are_copied(model, pictures, tmp_path):
    """As Humble recorded them: without definitions."""
    source = write_bag(tmp_path / 'in', recorded(pictures), 'sqlite3', version=8)
    base = sqlite3.connect(source / 'in.db3')
    base.execute('DROP TABLE message_definitions')
    base.execute('DROP TABLE schema')
    base.execute('ALTER TABLE topics DROP COLUMN type_description_hash')
    base.execute("UPDATE topics SET type = 'mine/msg/Mine' WHERE name = '/chatter'")
    base.commit()
    base.close()
    metadata = source / 'metadata.yaml'
    text = re.sub('std_msgs/msg/String', 'mine/msg/Mine', metadata.read_text())
    metadata.write_text(re.sub(r' *type_description_hash:\s+\S+\n', '', text))
    job = plan_bag(source, tmp_path / 'out', COMMANDS[:1], IMAGE)
    assert answer_bag(model, job).problems == ()
    with Reader(job.target) as reader:
        kinds = {each.topic: each.msgtype for each in reader.connections}
        assert kinds[CHATTER] == 'mine/msg/Mine'
        copied = [bytes(data) for c, _, data in reader.messages() if c.topic == CHATTER]
    with Reader(source) as reader:
        sent = [bytes(data) for c, _, data in reader.messages() if c.topic == CHATTER]
    assert copied == sent
    assert len(sent) == 3
