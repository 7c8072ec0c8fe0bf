"""A run that is killed goes on, and shards are merged, to the same files as of one run."""

import os
import signal
import subprocess
import sys
import time

import pytest

from iterprime_ros.cli import main
from iterprime_ros.evaluation.outcome_log import OUTCOMES

LOG_NAME = OUTCOMES.name
QUESTIONS = ['--split', 'calibration', '--limit', '4', '--baseline', 'grad-cam']
FILES = {
    LOG_NAME,
    'report.md',
    'results.json',
    'best.png',
    'disagreements-grad-cam.png',
    'sample.png',
    'worst.png',
}
PATIENCE_S = 300


@pytest.fixture(scope='module')
def one_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('one')
    assert main(['evaluate', *QUESTIONS, '--out', str(folder)]) == 0
    return contents(folder)


def contents(folder):
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found.keys() == FILES
    return found


def lines_of(path):
    return path.read_bytes().count(b'\n') if path.exists() else 0


@pytest.mark.parametrize('end', [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_to_the_same_files(tmp_path, one_run, end):
    command = [sys.executable, '-c', 'from iterprime_ros.cli import main; exit(main())']
    running = subprocess.Popen(
        [*command, 'evaluate', *QUESTIONS, '--out', str(tmp_path)],
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE_S
    while lines_of(tmp_path / LOG_NAME) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(end)
    _, messages = running.communicate(timeout=PATIENCE_S)
    answered = lines_of(tmp_path / LOG_NAME) - 1
    assert 1 <= answered < 4, messages
    if end is signal.SIGINT:
        assert running.returncode == 130
        assert messages.endswith('Stopped: the same command with --resume goes on.\n')
    assert main(['evaluate', *QUESTIONS, '--out', str(tmp_path), '--resume']) == 0
    assert contents(tmp_path) == one_run


def test_it_does_not_go_on_unasked(tmp_path, one_run, capsys):
    whole = one_run[LOG_NAME].splitlines(keepends=True)
    (tmp_path / LOG_NAME).write_bytes(b''.join(whole[:2]))
    assert main(['evaluate', *QUESTIONS, '--out', str(tmp_path)]) == 2
    assert 'not finished (1 of 4 images): go on with --resume' in capsys.readouterr().err


def test_shards_merged_are_one_run(tmp_path, one_run, capsys):
    folders = [str(tmp_path / each) for each in ('first', 'second')]
    for number, folder in enumerate(folders, 1):
        shard = ['--shard', f'{number}/2', '--resume', '--out', folder]
        assert main(['evaluate', *QUESTIONS, *shard]) == 0
        assert f'- shard: {number} of 2\n- limit: 4\n- images: 2\n' in capsys.readouterr().out
    assert main(['merge', *folders, '--out', str(tmp_path / 'both')]) == 0
    assert contents(tmp_path / 'both') == one_run
    assert main(['merge', folders[0], '--out', str(tmp_path / 'half')]) == 2
    assert '2 of 4 images are in none of the folders' in capsys.readouterr().err


@pytest.mark.parametrize('shard', ['0/2', '3/2', '2', '1/2/3', 'a/b', '-1/2'])
def test_a_shard_that_there_is_not_is_rejected(shard, capsys):
    with pytest.raises(SystemExit):
        main(['evaluate', '--shard', shard])
    assert '--shard' in capsys.readouterr().err
