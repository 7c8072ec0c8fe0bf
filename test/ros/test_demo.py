"""`iterprime demo`, run as a new user runs it."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import matplotlib.image
import PIL.Image
import pytest
import rclpy
from std_msgs.msg import String

from helpers.recordings import Recording
from iterprime_ros.demo.command_client import CommandClient, DemoTimeoutError
from iterprime_ros.msg import ReferredObject
from iterprime_ros.sim.motion import Motion, sample_clip

TIMEOUT = 240  # seconds


def iterprime(*arguments, stdin=None):
    return subprocess.run(
        [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture
def start_iterprime():
    """Start the command; what still runs at the end of the test is terminated, with its nodes."""
    started = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)], **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(TIMEOUT)


def test_the_demo_draws_one_picture(tmp_path):
    out = tmp_path / 'new folder' / '[a] table.png'
    answer = iterprime('demo', '--seed', 3, '--out', out)
    assert answer.returncode == 0, answer.stderr
    *lines, last = answer.stdout.splitlines()
    assert last == f'Picture saved to {out}'
    assert len(lines) == 3
    assert all(re.search(r'chance [01]\.', line) and line.endswith(' ms') for line in lines)
    names_an_object = [
        bool(re.search('IoU [01]|But the .* is in the scene', line)) for line in lines
    ]
    assert names_an_object == [True, True, False]
    picture = matplotlib.image.imread(out)
    height, width, _ = picture.shape
    assert width > 1200
    assert height > 300
    # Three panels side by side, each with something in it.
    assert all(
        panel.std() > 0.1 for panel in (picture[:, k * width // 3 :][:, :400] for k in range(3))
    )


def test_what_the_demo_shows_is_saved(tmp_path):
    file = tmp_path / 'demo.rrd'
    answer = iterprime('demo', '--seed', 3, '--out', tmp_path / 'table.png', '--look', file)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.rstrip().endswith(f'Written: {file}')
    entities = Recording(file, 'stamp').entities
    assert {'world/camera/image', 'world/camera/answer/mask', 'plots/chance/best'} <= entities


def test_a_gripper_lifts_what_is_meant_and_a_film_shows_it(tmp_path):
    out = tmp_path / 'new folder' / 'pick.gif'
    answer = iterprime('demo', '--pick', '--out', out)
    assert answer.returncode == 0, answer.stderr
    _, command, question, reply, found, lifted, last = answer.stdout.splitlines()
    assert command == '> pick up the white mug'
    assert question == 'Which white mug: the one on the left, or the one on the right?'
    assert reply == '> the left one'
    assert found.startswith('Found "the leftmost white mug"')
    assert re.match(r'Lifted \d\d cm and held for 2 s\.', lifted)
    assert last == f'Picture saved to {out}'
    with PIL.Image.open(out) as film:
        assert film.n_frames > 5


def test_what_is_said_aloud_is_understood_and_lifted(tmp_path):
    for name in ('espeakng_loader', 'pocketsphinx'):
        pytest.importorskip(name)
    out = tmp_path / 'pick.gif'
    answer = iterprime('demo', '--pick', '--voice', '--out', out)
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert sum(line.startswith('Heard "') for line in lines) == 2
    assert lines[-1] == f'Picture saved to {out}'


def test_nothing_is_lifted_where_a_question_has_no_reply(tmp_path):
    out = tmp_path / 'pick.gif'
    answer = iterprime('demo', '--pick', 'the white mug', '--seed', 143, '--out', out)
    assert answer.returncode == 1
    assert 'A question is open, and there is no reply to it.' in answer.stderr
    assert 'Traceback' not in answer.stderr
    assert out.exists()


def test_commands_from_a_pipe_are_answered_line_by_line(tmp_path):
    out = tmp_path / 'new folder' / 'table.png'
    stdin = 'the purple plate\nsomething else entirely\nnext\nthe purple plate\n'
    answer = iterprime('demo', '--interactive', '--seed', 2, '--out', out, stdin=stdin)
    assert answer.returncode == 0, answer.stderr
    first, *_ = answer.stdout.splitlines()
    assert 'next' in first
    scene, plate, other, another, absent, last = answer.stdout.splitlines()[2:]
    assert scene.startswith('Scene 2,')
    assert 'small purple plate' in scene
    assert scene.endswith('; too small or too hidden to refer to: small red ball.')
    assert re.match(
        r'"the purple plate": .*IoU [01]\.\d\d with the small purple plate.* ms$', plate
    )
    assert other.startswith('"something else entirely": ')
    # If the first response of the service was lost, it was called twice.
    assert re.match(r'Scene ([3-9]|\d\d)', another)
    assert absent.startswith('"the purple plate": ')
    assert last == f'Picture saved to {out}'
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
        """Read until a pattern is shown; what was read up to its end is forgotten."""
        while not (found := re.search(pattern, self.shown)):
            try:
                self.shown += os.read(self.end, 4096).decode()
            except OSError:  # the process has exited
                pytest.fail(f'{pattern} was never shown, but {self.shown}')
        self.shown = self.shown[found.end() :]


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    os.close(made.end)


def on(terminal):
    """Return the options of a process whose controlling terminal this is."""

    def take_control():
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first one opened is the controlling one

    ends = dict.fromkeys(('stdin', 'stdout', 'stderr'), terminal.other_end)
    return {**ends, 'preexec_fn': take_control, 'env': {**os.environ, 'TERM': 'dumb'}}


@pytest.mark.parametrize('ending', ['\n', '\x04', '\x03'], ids=['empty', 'ctrl-d', 'ctrl-c'])
def test_an_interactive_session_ends_in_each_of_three_ways(
    start_iterprime, terminal, tmp_path, ending
):
    out = tmp_path / 'table.png'
    process = start_iterprime('demo', '--interactive', '--out', out, **on(terminal))
    os.close(terminal.other_end)
    terminal.read_until('> ')
    assert out.exists()
    terminal.type('the purple plate\n')
    terminal.read_until(r'"the purple plate": [^\n]* ms')
    terminal.read_until('> ')
    terminal.type(ending)
    terminal.read_until('Picture saved to')
    assert process.wait(TIMEOUT) == 0
    assert 'Traceback' not in terminal.shown


def test_watching_keeps_the_picture_up_to_date(start_iterprime, tmp_path):
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
        rest, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert rest.splitlines()[-1] == f'Picture saved to {out}'
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_watching_without_a_command_picks_one_for_the_scene(start_iterprime, tmp_path):
    arguments = ('demo', '--watch', '--seed', 2, '--out', tmp_path / 'live.png')
    with start_iterprime(*arguments, stdout=subprocess.PIPE, text=True) as process:
        assert 'Watching for "' in process.stdout.readline()
        assert 'IoU' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0


def test_watching_a_moving_scene_compares_each_answer_with_its_own_image(start_iterprime, tmp_path):
    out = tmp_path / 'live.png'
    arguments = ('demo', '--watch', '--motion', 'swap', '--seed', 4, '--out', out)
    command = sample_clip(4, Motion.SWAP).command
    with start_iterprime(*arguments, stdout=subprocess.PIPE, text=True) as process:
        assert f'"{command}"' in process.stdout.readline()
        for _ in range(3):
            line = process.stdout.readline()
            assert re.match(r'(first answer|\d+\.\d answers a second); ', line)
        assert out.exists()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0


def test_motion_is_for_watching_only():
    answer = iterprime('demo', '--motion', 'orbit')
    assert answer.returncode == 2
    assert '--watch' in answer.stderr
    assert 'Traceback' not in answer.stderr
    choices = ','.join(motion.value for motion in Motion if motion is not Motion.NONE)
    assert f'--motion {{{choices}}}' in re.sub(r'\s+', ' ', iterprime('demo', '--help').stdout)


def test_the_time_for_an_answer_starts_when_the_segment_node_is_ready(peer):
    timeout = 0.2

    def spin_for(seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            rclpy.spin_once(peer, timeout_sec=0.05)

    client = CommandClient(peer, SimpleNamespace(is_ready=True), pytest.fail, timeout)
    client.send('the red cube')
    spin_for(2 * timeout)
    received = []
    peer.create_subscription(String, 'command', received.append, 1)
    peer.create_publisher(ReferredObject, 'segment/result', 1)
    with pytest.raises(DemoTimeoutError, match='"the red cube" was not answered within'):
        spin_for(TIMEOUT)
    assert received == [String(data='the red cube')]


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


def test_help_shows_an_example_of_each_mode():
    shown = iterprime('demo', '--help').stdout
    for example in ('--seed 7', '--interactive', '--watch "the red cube"'):
        assert f'  iterprime demo {example}' in shown
