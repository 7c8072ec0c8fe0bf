"""`iterprime segment --track`: what it prints and writes, its exit codes, and how it is ended."""

import io
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from helpers.tiny_profile import write_profile
from helpers.videos import moved, write_video
from iterprime_ros.cli import main
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.tracker import load_tracker
from iterprime_ros.video_files.frames import open_sequence, read_frames
from iterprime_ros.video_files.track_report import coco_rle


@pytest.fixture(scope='module')
def frames(picture):
    return moved(picture, 10)


@pytest.fixture(scope='module')
def video(frames, tmp_path_factory):
    """A video that is read as it was written."""
    return write_video(tmp_path_factory.mktemp('videos') / 'video.mkv', frames, 'FFV1')


@pytest.fixture
def track(regions):
    def run(*arguments):
        common = ('--track', '--profile', regions, '--offline')
        return main(['segment', *map(str, (*arguments, *common))])

    return run


def pixels(path):
    return np.asarray(Image.open(path))


def test_the_object_is_followed_as_the_tracker_does(track, video, regions, tmp_path, capsys):
    masks = tmp_path / 'masks'
    assert track(video, 'the mug', '--json', '--mask', masks, '--out', tmp_path / 'out') == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    model = IteRPrimE.from_profile(regions)
    tracker = load_tracker(model)
    assert [each['frame'] for each in said] == list(range(10))
    for line, frame in zip(said, read_frames(open_sequence(video), pytest.fail), strict=True):
        if frame.number == 0:
            answer = model.segment(frame.image, 'the mug')
            tracked = tracker.start(frame.image, answer)
        else:
            tracked = tracker.step(frame.image)
        assert (line['status'], line['text']) == ('found', answer.text)
        assert line['track_state'] == tracked.state.value
        assert line['confidence'] == pytest.approx(tracked.confidence, abs=1e-6)
        assert line['mask'] == coco_rle(tracked.mask)
        assert line['seconds'] == pytest.approx(frame.number / 25, abs=0.002)
        name = f'{frame.number:06}.png'
        assert np.array_equal(pixels(masks / name), tracked.mask * np.uint8(255))
        shown = pixels(tmp_path / 'out' / name)
        assert shown.shape == frame.image.shape
        if tracked.mask[20:].any():
            assert not np.array_equal(shown[20:], frame.image[20:])


def test_a_video_of_what_was_followed(track, video, frames, tmp_path, capsys):
    out = tmp_path / 'new' / 'tracked.mp4'
    assert track(video, 'the mug', '--out', out) == 0
    said = capsys.readouterr()
    assert f'Written: {out}' in said.err
    first, *_, last = said.out.splitlines()
    assert first.startswith(f'{video} frame 0 (0.00 s): Found "the mug"')
    assert last.startswith(f'{video}: "the mug" is ')
    assert last.endswith(' of 10 frames.')
    sequence = open_sequence(out)
    assert (sequence.count, sequence.rate, sequence.size) == (10, 25, frames[0].shape[:2])
    assert [path.name for path in out.parent.iterdir()] == ['tracked.mp4']


def test_a_folder_becomes_an_animated_picture(track, frames, tmp_path):
    folder = tmp_path / 'frames'
    folder.mkdir()
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f'{n}.png')
    for name in ('out.gif', 'out.webp'):
        assert track(folder, 'the mug', '--out', tmp_path / name) == 0
        with Image.open(tmp_path / name) as animated:
            assert animated.size == frames[0].shape[1::-1]
            assert animated.n_frames > 1


def test_each_command_has_a_track_of_its_own(track, video, regions, tmp_path, capsys):
    commands = ('the mug', 'the ball')
    alone = []
    for command in commands:
        assert track(video, command, '--json') == 0
        alone.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert track(video, *commands, '--json', '--mask', tmp_path / 'masks') == 0
    both = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert both[::2] == alone[0]
    assert both[1::2] == alone[1]
    for n, lines in enumerate(alone):
        folder = tmp_path / 'masks' / str(n)
        assert len(list(folder.iterdir())) == 10
        assert [(pixels(folder / f'{k:06}.png') > 0).sum() for k in range(10)] == [
            line['pixels'] for line in lines
        ]


def test_it_is_looked_for_every_few_frames_until_it_is_found(
    picture, weights, regions, tmp_path, capsys
):
    model = IteRPrimE.from_profile(regions)
    images = [picture, picture[::-1, ::-1], np.zeros_like(picture)]
    matches = [model.segment(each, 'the mug').match_probability for each in images]
    worst, best = images[np.argmin(matches)], images[np.argmax(matches)]
    threshold = {'match_threshold': float(np.mean([min(matches), max(matches)]))}
    profile = write_profile(tmp_path / 'strict.yaml', weights, answer=threshold)
    video = write_video(tmp_path / 'late.mkv', [*[worst] * 7, *[best] * 10], 'FFV1')
    command = ['segment', str(video), 'the mug', '--track', '--profile', str(profile)]
    assert main([*command, '--json', '--mask', str(tmp_path / 'masks')]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each['status'] for each in said] == ['not found'] * 10 + ['found'] * 7
    assert [each['track_state'] is None for each in said] == [True] * 10 + [False] * 7
    assert [each['age'] for each in said[10:]] == list(range(7))
    assert not pixels(tmp_path / 'masks' / '000009.png').any()
    assert pixels(tmp_path / 'masks' / '000010.png').any()
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == '  It is looked for again after every 5 frames.'
    assert lines[2].startswith(f'{video} frame 10 (0.40 s): Found "the mug"')
    assert 'NOT FOUND in 10' in lines[-1]


def test_what_is_in_no_frame_is_one(video, weights, tmp_path, capsys):
    strict = write_profile(tmp_path / 'strict.yaml', weights, answer={'match_threshold': 1.0})
    out = tmp_path / 'out.mp4'
    common = ['--track', '--profile', str(strict), '--offline', '--out', str(out)]
    assert main(['segment', str(video), 'the mug', *common]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith('is NOT FOUND in 10 of 10 frames.')
    assert open_sequence(out).count == 10


def test_of_a_video_that_was_cut_off_the_rest_is_followed(track, picture, tmp_path, capsys):
    video = write_video(tmp_path / 'cut.avi', moved(picture, 25), 'MJPG')
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    out = tmp_path / 'out.mp4'
    assert track(video, 'the mug', '--json', '--out', out) == 2
    said = capsys.readouterr()
    count = len(said.out.splitlines())
    assert 5 < count < 20
    assert f'only {count} of about 25 frames could be read' in said.err
    assert open_sequence(out).count == count


def test_wrong_use_is_refused_before_models_are_loaded(video, tmp_path, capsys):
    image = tmp_path / 'image.png'
    Image.new('RGB', (32, 32)).save(image)
    (tmp_path / 'empty').mkdir()
    for words, *arguments in (
        ('is a video: add --track', video),
        ('is neither a video', image, '--track'),
        ('There is nothing at', tmp_path / 'none.mp4', '--track'),
        ('There is no image in the folder', tmp_path / 'empty', '--track'),
        ('--explain is of one image', video, '--track', '--explain', tmp_path / 'why.png'),
        ('--depth is of one image', video, '--track', '--depth', 'd.png'),
        ('--intrinsics is of one image', video, '--track', '--intrinsics', '1,1,1,1'),
        ('--out is a file named .mp4', video, '--track', '--out', tmp_path / 'out.avi'),
        ('--mask is a folder', video, '--track', '--mask', tmp_path / 'mask.png'),
        ('would replace a file', video, '--track', '--out', video.parent / 'link.mp4'),
    ):
        (video.parent / 'link.mp4').unlink(missing_ok=True)
        (video.parent / 'link.mp4').symlink_to(video)
        # A profile that is not there would be the next complaint.
        code = main(['segment', *map(str, arguments), '--profile=none', 'the mug'])
        said = capsys.readouterr()
        assert (code, said.out) == (2, ''), arguments
        assert words in said.err
        assert len(said.err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {'image.png', 'empty'}


def test_a_command_that_cannot_be_used_is_two(track, video, tmp_path, capsys):
    assert track(video, '...', '--out', tmp_path / 'out.mp4') == 2
    said = capsys.readouterr()
    assert said.out == ''
    assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_progress_says_what_is_left(track, video, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, 'stderr', terminal)
    assert track(video, 'the mug') == 0
    assert '10/10' in terminal.getvalue()


ENDED = """
import os, signal, sys
from iterprime_ros.cli import main
from iterprime_ros.video_files import following, writers

ending = getattr(signal, sys.argv.pop(1))
moment = sys.argv.pop(1)

def end(function):
    def ended(*arguments):
        if moment == 'publish' or arguments[0]._frames == 5:
            os.kill(os.getpid(), ending)
        return function(*arguments)
    return ended

if moment == 'publish':
    writers.shutil.copyfileobj = end(writers.shutil.copyfileobj)
else:
    following.Following.step = end(following.Following.step)
sys.exit(main())
"""


@pytest.mark.parametrize(
    ('ending', 'moment'), [('SIGINT', 'step'), ('SIGINT', 'publish'), ('SIGKILL', 'step')]
)
def test_whatever_ends_it_leaves_whole_files_or_none(video, regions, tmp_path, ending, moment):
    out = tmp_path / 'out'
    arguments = ['--mask', out / 'masks', '--out', out / 'tracked.mp4', '--profile', regions]
    done = subprocess.run(
        [
            *(sys.executable, '-c', ENDED, ending, moment),
            *('segment', video, 'the mug', '--track', '--offline', '--json', *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == (130 if ending == 'SIGINT' else -signal.SIGKILL)
    assert done.stderr == ''
    said = [json.loads(line) for line in done.stdout.splitlines()]
    masks = sorted(path.name for path in (out / 'masks').iterdir())
    if moment == 'publish':
        assert len(said) == len(masks) == 10
        assert open_sequence(out / 'tracked.mp4').count == 10
        (out / 'tracked.mp4').unlink()
    else:
        assert len(said) == 5
    assert masks == [f'{n:06}.png' for n in range(len(said))]
    for name in masks:
        Image.open(out / 'masks' / name).load()
    assert [path.name for path in out.iterdir()] == ['masks']
