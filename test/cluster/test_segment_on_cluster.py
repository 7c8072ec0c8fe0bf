"""`iterprime segment --ray`: what one process answers, whatever dies meanwhile."""

import json
import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from iterprime_ros.sim.scene import sample_scene

PATIENCE_S = 600
COUNT = 24
COMMANDS = ['the mug', 'the red cube']


@pytest.fixture(scope='module')
def folder(small_renderer, tmp_path_factory):
    """A folder with `photos`: 24 pictures of four scenes, and one that is damaged."""
    folder = tmp_path_factory.mktemp('work')
    photos = folder / 'photos'
    photos.mkdir()
    pictures = [Image.fromarray(small_renderer.render(sample_scene(n)).rgb) for n in range(4)]
    for number in range(COUNT):
        pictures[number % 4].save(photos / f'{number:02}.png')
    whole = (photos / '00.png').read_bytes()
    (photos / '07-damaged.png').write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope='module')
def one_process(folder, run, contents_of):
    code, out, err = run('segment', 'photos', *COMMANDS, '--json', '--mask', 'one', cwd=folder)
    masks = contents_of(folder / 'one')
    assert len(masks) == COUNT * len(COMMANDS)
    return code, reports(out), sentences(err), masks


def reports(out):
    """Return the lines of JSON without the times, which no two runs share."""
    lines = [json.loads(line) for line in out.splitlines()]
    return [{name: each[name] for name in each if name != 'milliseconds'} for each in lines]


def sentences(err):
    return [line for line in err.splitlines() if 'images/s' not in line and line.strip()]


def arguments(name, *ray):
    return [
        *('segment', 'photos', *COMMANDS, '--json', '--mask', name),
        *('--log', f'{name}.log', '--workers', '2', '--ray', *ray),
    ]


def answered(log, running):
    """Wait until a log has some answers; return their number."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and running.poll() is None:
        lines = log.read_bytes().count(b'\n') if log.exists() else 0
        if lines > 2:
            return lines - 1
        time.sleep(0.01)
    raise AssertionError(running.communicate()[1])


def test_a_worker_that_is_killed_costs_nothing(
    folder, one_process, address, cluster_workers, start, contents_of
):
    running = start(*arguments('killed', address), cwd=folder)
    assert answered(folder / 'killed.log', running) < COUNT
    workers = cluster_workers()
    assert len(workers) == 2
    workers[0].kill()
    out, err = running.communicate(timeout=PATIENCE_S)
    found = running.returncode, reports(out), sentences(err), contents_of(folder / 'killed')
    assert found == one_process
    assert len((folder / 'killed.log').read_bytes().splitlines()) == 1 + COUNT


def test_the_same_command_goes_on_after_the_driver_died(
    folder, one_process, address, start, run, contents_of
):
    running = start(*arguments('died', address), cwd=folder)
    before = answered(folder / 'died.log', running)
    running.kill()
    running.communicate(timeout=PATIENCE_S)
    log = (folder / 'died.log').read_bytes()
    assert before <= log.count(b'\n') - 1 < COUNT
    code, out, err = run(*arguments('died', address), cwd=folder)
    assert (code, reports(out), sentences(err), contents_of(folder / 'died')) == one_process
    after = (folder / 'died.log').read_bytes()
    whole = log[: log.rfind(b'\n') + 1]
    assert after.startswith(whole)  # none of what was answered is answered again
    assert len(after.splitlines()) == 1 + COUNT


def test_ctrl_c_leaves_nothing_behind(folder, start):
    running = start(*arguments('interrupted', '--threads', '1'), cwd=folder)
    assert answered(folder / 'interrupted.log', running) < COUNT
    everything = psutil.Process(running.pid).children(recursive=True)
    assert everything
    words = ' '.join(word for each in everything for word in each.cmdline())
    folder_of_ray = re.search(r'(/\S*?/iterprime-ray-\w+)', words)[1]
    assert Path(folder_of_ray).is_dir()
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert 'Traceback' not in err
    assert err.splitlines()[-1] == 'Interrupted: run the same command to go on.'
    _, alive = psutil.wait_procs(everything, timeout=PATIENCE_S)
    assert not alive
    assert not Path(folder_of_ray).exists()
