"""`iterprime demo`, as a newcomer runs it."""

import subprocess
import sys

import matplotlib.image
import pytest


def iterprime(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'iterprime_ros.cli', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_demo_draws_one_picture(tmp_path):
    out = tmp_path / 'new folder' / '[a] table.png'
    answer = iterprime('demo', '--seed', 3, '--out', out)
    assert answer.returncode == 0, answer.stderr
    *lines, last = answer.stdout.splitlines()
    assert last == f'The picture is at {out}'
    assert len(lines) == 3
    assert all('match 0.' in line and line.endswith(' ms') for line in lines)
    assert ['IoU' in line for line in lines] == [True, True, False]
    picture = matplotlib.image.imread(out)
    height, width, _ = picture.shape
    assert width > 1200
    assert height > 300
    # Three panels side by side, each with something in it.
    assert all(
        panel.std() > 0.1 for panel in (picture[:, k * width // 3 :][:, :400] for k in range(3))
    )


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


def test_help_shows_an_example():
    assert 'example: iterprime demo' in iterprime('demo', '--help').stdout
