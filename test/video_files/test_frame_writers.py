"""Pictures of frames become whole files or none, and never replace what was read."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers.videos import moved
from iterprime_ros.errors import InvalidSettingError, UnwritableError
from iterprime_ros.video_files.frames import FrameSequence, open_sequence, read_frames
from iterprime_ros.video_files.writers import check_outputs, frame_writer


@pytest.fixture(scope='module')
def frames(picture):
    return moved(picture, 12)


def sequence_of(frames, rate=25.0, path='video.mp4'):
    return FrameSequence(path, frames[0].shape[:2], rate, len(frames))


def write(path, frames, rate=25.0):
    writer = frame_writer(path, sequence_of(frames, rate))
    for number, frame in enumerate(frames):
        writer.add(number, frame)
    writer.finish()
    assert path.is_dir() or not path.exists()
    writer.publish()


def difference(a, b):
    return np.abs(a.astype(float) - b).mean()


@pytest.mark.parametrize('rate', [25.0, 30.0, 29.97, 23.976, 12.5, 120.0, 1.0])
def test_a_video_keeps_frames_size_and_rate(frames, tmp_path, rate, capfd):
    path = tmp_path / 'new' / 'out.mp4'
    write(path, frames, rate)
    assert capfd.readouterr() == ('', '')
    assert list(path.parent.iterdir()) == [path]
    sequence = open_sequence(path)
    assert sequence.size == frames[0].shape[:2]
    assert sequence.rate == pytest.approx(rate, abs=0.005)
    seen = list(read_frames(sequence, pytest.fail))
    assert len(seen) == 12
    assert all(difference(a.image, b) < 5 for a, b in zip(seen, frames, strict=True))


def test_an_odd_size_loses_a_row_and_a_column(frames, tmp_path):
    odd = [frame[:95, :121] for frame in frames]
    write(tmp_path / 'out.mp4', odd)
    seen = list(read_frames(open_sequence(tmp_path / 'out.mp4'), pytest.fail))
    assert all(difference(a.image, b[:94, :120]) < 5 for a, b in zip(seen, odd, strict=True))


def test_a_video_has_no_name_before_it_is_whole(frames, tmp_path):
    writer = frame_writer(tmp_path / 'out.mp4', sequence_of(frames))
    assert not list(tmp_path.iterdir())
    for number, frame in enumerate(frames):
        writer.add(number, frame)
    assert not list(tmp_path.iterdir())
    writer.finish()
    assert not list(tmp_path.iterdir())


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from iterprime_ros.errors import UnwritableError
from iterprime_ros.video_files.frames import FrameSequence
from iterprime_ros.video_files.writers import frame_writer

resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
rng = np.random.default_rng(0)
for name in sys.argv[1:]:
    try:
        writer = frame_writer(Path(name), FrameSequence(Path('video.mp4'), (96, 128), 25.0, 30))
        for number in range(30):
            writer.add(number, rng.integers(0, 256, (96, 128, 3), np.uint8))
        writer.finish()
        writer.publish()
    except UnwritableError as error:
        print(error)
"""


def test_a_full_disk_is_one_sentence_and_no_file(tmp_path):
    paths = [tmp_path / 'out.mp4', tmp_path / 'out.webp', tmp_path / 'out']
    done = subprocess.run(
        [sys.executable, '-c', FULL, *paths],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    said = done.stdout.splitlines()
    assert len(said) == 3
    for line, path in zip(said, paths, strict=True):
        assert line.startswith(f'Cannot write {path}')
    assert [each.name for each in tmp_path.iterdir()] == ['out']
    assert not list((tmp_path / 'out').iterdir())


def test_a_place_that_the_system_refuses_is_one_sentence(frames, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UnwritableError, match=r'Cannot write .*: (Not a directory|File exists)'):
        frame_writer(tmp_path / 'file' / 'out.mp4', sequence_of(frames))
    with pytest.raises(UnwritableError, match='OpenCV encodes no video of 1 x 1 pixels'):
        frame_writer(tmp_path / 'out.mp4', sequence_of([np.zeros((1, 1, 3), np.uint8)]))
    assert [each.name for each in tmp_path.iterdir()] == ['file']


@pytest.mark.parametrize('suffix', ['gif', 'webp'])
def test_an_animated_picture_is_small_and_lasts_as_long(picture, tmp_path, suffix):
    large = cv2.resize(picture, (960, 720), interpolation=cv2.INTER_NEAREST)
    frames = moved(large, 30, step=8)
    path = tmp_path / f'out.{suffix}'
    write(path, frames, rate=30.0)
    with Image.open(path) as animated:
        assert (animated.format, animated.n_frames) == (suffix.upper(), 15)
        assert animated.info['loop'] == 0
        height, width = frames[0].shape[:2]
        assert animated.size == (480, round(480 / width * height))
        durations = []
        for n in range(15):
            animated.seek(n)
            animated.load()
            durations.append(animated.info['duration'])
            expected = cv2.resize(frames[2 * n], animated.size, interpolation=cv2.INTER_AREA)
            assert difference(np.asarray(animated.convert('RGB')), expected) < 8
    assert sum(durations) == 1000
    assert set(durations) <= {60, 70}


def test_an_animated_picture_that_would_be_too_long_is_refused_at_once(frames, tmp_path):
    long = FrameSequence('video.mp4', (96, 128), 30.0, 1202)
    with pytest.raises(InvalidSettingError, match='at most 600 pictures, 40 s of this video'):
        frame_writer(tmp_path / 'out.gif', long)
    unknown = frame_writer(tmp_path / 'out.gif', FrameSequence('video.mp4', (4, 4), 15.0, 0))
    small = np.zeros((4, 4, 3), np.uint8)
    for number in range(600):
        unknown.add(number, small)
    with pytest.raises(InvalidSettingError, match='at most 600 pictures'):
        unknown.add(600, small)


def test_a_folder_gets_numbered_pictures(frames, tmp_path):
    write(tmp_path / 'out', frames)
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == [f'{n:06}.png' for n in range(12)]
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'out' / '000007.png')), frames[7])


@pytest.fixture
def folder(frames, tmp_path):
    path = tmp_path / 'frames'
    write(path, frames)
    return open_sequence(path)


@pytest.fixture
def video(frames, tmp_path):
    write(tmp_path / 'video.mp4', frames)
    return open_sequence(tmp_path / 'video.mp4')


def test_outputs_that_would_replace_what_is_read_are_refused(folder, video, tmp_path):
    (tmp_path / 'link.mp4').symlink_to(video.path)
    os.link(video.path, tmp_path / 'hard.mp4')
    for out in ('video.mp4', 'link.mp4', 'hard.mp4', 'frames/../video.mp4'):
        with pytest.raises(InvalidSettingError, match='would replace a file that is there'):
            check_outputs(tmp_path / out, None, video)
    for out, mask in (('frames', None), (None, 'frames'), ('frames/a.webp', None)):
        with pytest.raises(InvalidSettingError, match=r'would replace|would lie among the frames'):
            check_outputs(out and tmp_path / out, mask and tmp_path / mask, folder)
    check_outputs(tmp_path / 'frames.webp', tmp_path / 'masks', folder)


def test_outputs_of_the_wrong_kind_are_refused(video, tmp_path):
    (tmp_path / 'file').touch()
    (tmp_path / 'used' / '0').mkdir(parents=True)
    (tmp_path / 'used' / '0' / '000000.png').touch()
    (tmp_path / 'empty.avi').mkdir()
    for out, words in {
        'out.avi': r'--out is a file named \.mp4, \.gif, \.webp or a folder, and .*out\.avi is nei',
        'out.png': 'is neither',
        'file': 'would replace a file that is there',
        'used': 'holds pictures already',
        'x' * 300: 'File name too long',
    }.items():
        error = UnwritableError if 'long' in words else InvalidSettingError
        with pytest.raises(error, match=words):
            check_outputs(tmp_path / out, None, video)
    for mask in ('masks.mp4', 'masks.png'):
        with pytest.raises(InvalidSettingError, match='--mask is a folder, and'):
            check_outputs(None, tmp_path / mask, video)
    with pytest.raises(InvalidSettingError, match='Two outputs would be written to'):
        check_outputs(tmp_path / 'a', tmp_path / 'b' / '..' / 'a', video)
    check_outputs(tmp_path / 'empty.avi', tmp_path / 'new', video)
    check_outputs(video.path.with_name('old.mp4'), None, video)
