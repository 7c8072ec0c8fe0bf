"""Videos and folders are read frame by frame, as far as they can be, and damage is one sentence."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from helpers.videos import moved, turn, write_video
from iterprime_ros.errors import InvalidImageError
from iterprime_ros.limits import MAX_PIXELS
from iterprime_ros.video_files.frames import FOLDER_RATE, open_sequence, read_frames


@pytest.fixture(scope='module')
def frames(picture):
    return moved(picture, 12)


def read(path):
    """Return the sequence, its frames and what was reported."""
    problems = []
    sequence = open_sequence(path)
    return sequence, list(read_frames(sequence, problems.append)), [str(each) for each in problems]


def difference(a, b):
    return np.abs(a.astype(float) - b).mean()


@pytest.mark.parametrize(
    ('suffix', 'codec'),
    [
        ('mp4', 'mp4v'),
        ('m4v', 'mp4v'),
        ('MOV', 'mp4v'),
        ('avi', 'MJPG'),
        ('avi', 'XVID'),
        ('mkv', 'FFV1'),
        ('webm', 'VP80'),
    ],
)
def test_the_frames_of_every_kind_of_video_are_read(frames, tmp_path, suffix, codec, capfd):
    path = tmp_path / f'video.{suffix}'
    shutil.move(write_video(tmp_path / f'written.{suffix.lower()}', frames, codec), path)
    capfd.readouterr()
    sequence, seen, problems = read(path)
    assert not problems
    assert (sequence.size, sequence.rate, sequence.count) == (frames[0].shape[:2], 25.0, 12)
    assert [each.number for each in seen] == list(range(12))
    np.testing.assert_allclose([each.seconds for each in seen], np.arange(12) / 25, atol=0.002)
    for each, frame in zip(seen, frames, strict=True):
        assert each.image.dtype == np.uint8
        assert each.path == path
        # Each frame is nearer to itself than to its neighbour, and in the right colours.
        assert difference(each.image, frame) < 5
        assert difference(each.image, frame) < difference(each.image, frame[..., ::-1])
    assert capfd.readouterr() == ('', '')


@pytest.mark.parametrize(('degrees', 'quarters'), [(90, -1), (180, 2), (270, 1)])
def test_a_video_is_turned_as_it_says(frames, tmp_path, degrees, quarters):
    path = write_video(tmp_path / 'phone.mp4', frames)
    turn(path, degrees)
    sequence, seen, problems = read(path)
    assert not problems
    assert sequence.size == np.rot90(frames[0], quarters).shape[:2]
    for each, frame in zip(seen, frames, strict=True):
        assert difference(each.image, np.rot90(frame, quarters)) < 5


def test_a_video_with_a_name_that_means_something_to_ffmpeg(frames, tmp_path, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', frames)
    monkeypatch.chdir(tmp_path)
    for name in ('concat:%03d.mp4', '-i.mp4', os.fsdecode(b'\xff\xe9.mp4')):
        shutil.copy(path, name)
        assert len(read(tmp_path / name)[1]) == 12


@pytest.mark.parametrize(('suffix', 'codec'), [('avi', 'MJPG'), ('mkv', 'FFV1'), ('webm', 'VP80')])
def test_of_a_video_that_was_cut_off_what_is_there_is_read(picture, tmp_path, suffix, codec):
    frames = moved(picture, 25)
    path = write_video(tmp_path / f'video.{suffix}', frames, codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _, seen, problems = read(path)
    assert 5 < len(seen) < 20
    assert difference(seen[4].image, frames[4]) < 5
    assert len(problems) == 1
    assert f'only {len(seen)} of about 25 frames could be read' in problems[0]


def test_damage_is_no_crash_and_each_problem_one_sentence(frames, tmp_path):
    whole = write_video(tmp_path / 'whole.mp4', frames).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / 'damaged.mp4'
    sentences = []
    for n in range(60):
        damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)] if n % 2 else whole)
        for place in rng.integers(0, len(damaged), 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            sentences += read(path)[2]
        except InvalidImageError as error:
            sentences.append(str(error))
    assert sentences
    assert not any('\n' in each for each in sentences)


def test_what_is_no_video_is_one_sentence(frames, tmp_path):
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'empty.mp4').touch()
    os.mkfifo(tmp_path / 'pipe.mp4')
    (tmp_path / 'gone.mp4').symlink_to('nowhere')
    (tmp_path / 'folder').mkdir()
    Image.fromarray(frames[0]).save(tmp_path / 'image.png')
    header = write_video(tmp_path / 'whole.mp4', frames).read_bytes()
    (tmp_path / 'cut.mp4').write_bytes(header[:2000])  # what says where the frames are is missing
    sentences = {
        'text.mp4': 'is no video, is damaged, or has a codec',
        'empty.mp4': 'is no video, is damaged, or has a codec',
        'cut.mp4': 'is no video, is damaged, or has a codec',
        'pipe.mp4': 'is no regular file',
        'gone.mp4': 'There is nothing at',
        'none.mp4': 'There is nothing at',
        'image.png': 'is neither a video',
        'folder': 'There is no image in the folder',
        'x' * 300: 'There is nothing at',
    }
    for name, words in sentences.items():
        with pytest.raises(InvalidImageError, match=words):
            open_sequence(tmp_path / name)


def test_a_video_without_frames_is_refused(frames, tmp_path):
    path = write_video(tmp_path / 'none.avi', frames, 'MJPG')
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'movi') + 4])
    with pytest.raises(InvalidImageError, match=r'no frame that can be read|is no video'):
        open_sequence(path)


def test_huge_frames_are_refused(tmp_path):
    side = 4074
    assert side**2 > MAX_PIXELS > (side - 2) ** 2
    path = write_video(tmp_path / 'huge.mp4', [np.zeros((side, side, 3), np.uint8)])
    with pytest.raises(InvalidImageError, match='more than 16,588,800 pixels a frame: scale it'):
        open_sequence(path)


def write_folder(folder, frames, name='frame{}.png'):
    folder.mkdir()
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(n))
    return folder


def test_a_folder_is_read_in_the_order_of_its_numbers(frames, tmp_path):
    folder = write_folder(tmp_path / 'frames', frames)
    os.mkfifo(folder / 'pipe.png')
    (folder / 'notes.txt').touch()
    sequence, seen, problems = read(folder)
    assert not problems
    assert sequence.skipped == (folder / 'pipe.png',)
    assert (sequence.rate, sequence.count) == (FOLDER_RATE, 12)
    assert [each.path.name for each in seen] == [f'frame{n}.png' for n in range(12)]
    for n, each in enumerate(seen):
        assert (each.number, each.seconds) == (n, n / FOLDER_RATE)
        assert np.array_equal(each.image, frames[n])


def test_a_frame_of_a_folder_that_cannot_be_read_is_left_out(frames, tmp_path):
    folder = write_folder(tmp_path / 'frames', frames)
    for n in (0, 5):
        (folder / f'frame{n}.png').write_text('no image')
    _, seen, problems = read(folder)
    assert [each.number for each in seen] == [1, 2, 3, 4, *range(6, 12)]
    assert [f'frame{n}.png is no JPEG' in each for n, each in zip((0, 5), problems, strict=True)]
    for n in range(12):
        (folder / f'frame{n}.png').write_text('no image')
    with pytest.raises(InvalidImageError, match='is no JPEG'):
        open_sequence(folder)


def test_a_sequence_ends_where_the_size_changes(frames, tmp_path):
    folder = write_folder(tmp_path / 'frames', [*frames[:5], frames[5][:-10], *frames[6:]])
    _, seen, problems = read(folder)
    assert len(seen) == 5
    height, width = frames[0].shape[:2]
    assert len(problems) == 1
    assert f'is {width} x {height - 10}, not {width} x {height} as those before' in problems[0]
