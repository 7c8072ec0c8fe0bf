"""`iterprime demo`, as a newcomer runs it."""

import os
import pty
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest
from geometry_msgs.msg import Point
from std_msgs.msg import Header

from iterprime_ros.demo.command_client import Answer, judged
from iterprime_ros.demo.scene_subscriber import Frame
from iterprime_ros.geometry.surface import surface
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.images import pinhole_of, to_camera_info, to_image
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of

PATIENCE = 120  # seconds that no healthy machine needs


def iterprime(*arguments, said=None):
    return subprocess.run(
        [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)],
        input=said,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def start_iterprime():
    """Start the command; what still runs at the end of the test is asked to end, with its nodes."""
    started = []

    def start(*arguments, **how):
        process = subprocess.Popen(
            [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)], **how
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


def test_the_demo_draws_one_picture(tmp_path):
    out = tmp_path / 'new folder' / '[a] table.png'
    answer = iterprime('demo', '--seed', 3, '--out', out)
    assert answer.returncode == 0, answer.stderr
    *lines, last = answer.stdout.splitlines()
    assert last == f'The picture is at {out}'
    assert len(lines) == 3
    assert all(re.search(r'match [01]\.', line) and line.endswith(' ms') for line in lines)
    is_of_an_object = [bool(re.search('IoU [01]|, but the .* is there', line)) for line in lines]
    assert is_of_an_object == [True, True, False]
    picture = matplotlib.image.imread(out)
    height, width, _ = picture.shape
    assert width > 1200
    assert height > 300
    # Three panels side by side, each with something in it.
    assert all(
        panel.std() > 0.1 for panel in (picture[:, k * width // 3 :][:, :400] for k in range(3))
    )


def test_what_comes_through_a_pipe_is_answered_line_by_line(tmp_path):
    out = tmp_path / 'new folder' / 'table.png'
    said = 'the purple plate\nsomething else entirely\nnext\nthe purple plate\n'
    answer = iterprime('demo', '--interactive', '--seed', 2, '--out', out, said=said)
    assert answer.returncode == 0, answer.stderr
    first, *_ = answer.stdout.splitlines()
    assert 'next' in first
    scene, plate, other, another, absent, last = answer.stdout.splitlines()[2:]
    assert scene.startswith('Scene 2,')
    assert 'small purple plate' in scene
    assert scene.endswith('; too small or hidden to ask for: small red ball.')
    assert re.match(
        r'"the purple plate": .*IoU [01]\.\d\d with the small purple plate.* ms$', plate
    )
    assert other.startswith('"something else entirely": ')
    # A camera whose answer was lost may have been asked twice.
    assert re.match(r'Scene ([3-9]|\d\d)', another)
    assert absent.startswith('"the purple plate": ')
    assert last == f'The picture is at {out}'
    assert matplotlib.image.imread(out).std() > 0.1
    assert [path.name for path in out.parent.iterdir()] == [out.name]


class Terminal:
    """A terminal that a process reads from and writes to."""

    def __init__(self):
        self.end, self.other_end = pty.openpty()
        self.shown = ''

    def type(self, text):
        os.write(self.end, text.encode())

    def read_until(self, pattern):
        """Read until a pattern is shown after all that was waited for before."""
        while not (found := re.search(pattern, self.shown)):
            try:
                self.shown += os.read(self.end, 4096).decode()
            except OSError:  # nobody is there any more
                pytest.fail(f'{pattern} was never shown, but {self.shown}')
        self.shown = self.shown[found.end() :]


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    os.close(made.end)


def on(terminal):
    """Return how to start a process that has a terminal as its own."""

    def take_it():
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first one opened is the controlling one

    ends = dict.fromkeys(('stdin', 'stdout', 'stderr'), terminal.other_end)
    return {**ends, 'preexec_fn': take_it, 'env': {**os.environ, 'TERM': 'dumb'}}


@pytest.mark.parametrize('last_words', ['\n', '\x04', '\x03'], ids=['empty', 'ctrl-d', 'ctrl-c'])
def test_a_person_at_a_terminal_ends_it_as_they_like(
    start_iterprime, terminal, tmp_path, last_words
):
    out = tmp_path / 'table.png'
    process = start_iterprime('demo', '--interactive', '--out', out, **on(terminal))
    os.close(terminal.other_end)
    terminal.read_until('> ')
    assert out.exists()
    terminal.type('the purple plate\n')
    terminal.read_until(r'"the purple plate": [^\n]* ms')
    terminal.read_until('> ')
    terminal.type(last_words)
    terminal.read_until('The picture is at')
    assert process.wait(PATIENCE) == 0
    assert 'Traceback' not in terminal.shown


def test_a_standing_command_keeps_the_picture_up_to_date(start_iterprime, tmp_path):
    out = tmp_path / 'live.png'
    arguments = ('demo', '--watch', 'the purple plate', '--out', out)
    with start_iterprime(*arguments, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        assert '"the purple plate"' in first
        assert str(out) in first
        rate = r'(first answer|\d+\.\d answers a second); '
        for _ in range(2):
            assert re.match(f'{rate}.*small purple', process.stdout.readline())
            out.unlink()
            while not out.exists():
                assert process.stdout.readline()
        assert matplotlib.image.imread(out).std() > 0.1
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert rest.splitlines()[-1] == f'The picture is at {out}'
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_without_words_it_watches_something_on_the_table(start_iterprime, tmp_path):
    arguments = ('demo', '--watch', '--seed', 2, '--out', tmp_path / 'live.png')
    with start_iterprime(*arguments, stdout=subprocess.PIPE, text=True) as process:
        assert 'Watching for "' in process.stdout.readline()
        assert 'IoU' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_picture_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / 'file').touch()
    answer = iterprime('demo', '--out', tmp_path / 'file' / 'table.png')
    assert answer.returncode == 1
    assert 'Traceback' not in answer.stderr
    assert str(tmp_path / 'file') in answer.stderr


@pytest.mark.parametrize('seed', ['-1', '4294967296', 'first'])
def test_a_wrong_seed_is_refused(seed):
    answer = iterprime('demo', '--seed', seed)
    assert answer.returncode == 2
    assert 'seed' in answer.stderr
    assert 'Traceback' not in answer.stderr


def test_help_shows_an_example_of_each_way():
    shown = iterprime('demo', '--help').stdout
    for way in ('--seed 7', '--interactive', '--watch "the red cube"'):
        assert f'  iterprime demo {way}' in shown


@pytest.fixture
def judge(small_renderer):
    """Return the line about an answer to a command on a scene; marked: an object's id, or None."""

    def line(seed, command, status, marked=None, **said):
        picture = small_renderer.render(sample_scene(seed))
        camera = pinhole_of(to_camera_info(picture.intrinsics, Header()))
        result = ReferredObject(command=command, status=status, match_probability=0.5, **said)
        if marked:
            mask = picture.ids == marked
            place = surface(picture.depth, mask, picture.rgb, camera).centroid
            result.mask = to_image(mask.astype(np.uint8) * 255, 'mono8', Header())
            result.point_count = 9
            result.centroid = Point(**dict(zip('xyz', map(float, place), strict=True)))
        frame = Frame(picture.rgb, picture.depth, picture.ids, camera)
        return judged(Answer(result, None), SimpleNamespace(frame=frame, view=view_of(picture)))[0]

    return line


def test_two_objects_of_one_name_are_told_apart(judge):
    meant, other, mug = 3, 4, 5
    command = 'the orange bottle to the right of the blue thing'
    line = judge(7, command, ReferredObject.FOUND, other)
    assert 'IoU 0.00 with the large orange bottle, marked is the other large orange bottle' in line
    line = judge(7, command, ReferredObject.FOUND, mug)
    assert 'IoU 0.00 with the large orange bottle, marked is the small orange mug' in line
    line = judge(7, command, ReferredObject.FOUND, meant)
    assert 'IoU 1.00 with the large orange bottle, centroid off by 0 mm' in line
    assert 'marked' not in line


def test_what_is_refused_though_it_is_there_is_named(judge):
    line = judge(2, 'the red ball', ReferredObject.NOT_FOUND)
    assert line.startswith('not found, match 0.50, but the small red ball is there, ')
    assert 'IoU' not in line
    line = judge(2, 'the red mug', ReferredObject.NOT_FOUND)
    assert line.startswith('not found, match 0.50, nothing of that kind is there, ')


def test_what_is_wrong_with_a_command_goes_on_the_line(judge):
    line = judge(2, '!!!', ReferredObject.INVALID, text='The command has no letters.')
    assert re.search(', the command has no letters, [^,]* ms$', line)
