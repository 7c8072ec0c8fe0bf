"""`iterprime bag --ray`: what one process answers, whatever dies meanwhile."""

import shutil
import time
from pathlib import Path

import pytest

from helpers.bags import IMAGE, INFO, recorded, write_bag, write_ros1_bag
from iterprime_ros.sim.scene import sample_scene

PATIENCE_S = 600


@pytest.fixture(scope='module')
def folder(small_renderer, tmp_path_factory):
    """A folder with `bags`: three that are whole, one without its metadata, one that is none."""
    folder = tmp_path_factory.mktemp('work')
    bags = folder / 'bags'
    bags.mkdir()
    seen = [small_renderer.render(sample_scene(seed)) for seed in (16, 17)]
    messages = [each for each in recorded(seen * 4) if each[0] in (IMAGE, INFO)]
    write_bag(bags / 'a', messages)
    shutil.copy(bags / 'a' / 'a.mcap', bags / 'b.mcap')
    write_ros1_bag(bags / 'c.bag', messages)
    (write_bag(bags / 'd', messages, 'sqlite3') / 'metadata.yaml').unlink()
    (bags / 'e.mcap').write_text('no bag')
    return folder


def arguments(out, profile, *more):
    return ['bag', 'bags', 'the mug', '--out', out, '--profile', str(profile), '--offline', *more]


def tree(folder):
    files = [path for path in Path(folder).rglob('[!.]*') if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def sentences(err, out):
    lines = [line for line in err.splitlines() if 'bag/s' not in line and line.strip()]
    return [line.replace(f' {out}/', ' OUT/') for line in lines]


@pytest.fixture(scope='module')
def one_process(folder, regions, run):
    code, said, err = run(*arguments('one', regions), cwd=folder)
    assert code == 2, err
    assert said.count('of 8 images.') == 4
    written = tree(folder / 'one')
    assert {name.partition('/')[0] for name in written} == {'a', 'b', 'c', 'd'}
    return code, said, sentences(err, 'one'), written


def awaited(running, pattern, folder):
    """Wait until a folder has what a pattern names."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and running.poll() is None:
        if any(folder.glob(pattern)):
            return
        time.sleep(0.01)
    raise AssertionError(running.communicate()[1])


def test_workers_that_are_killed_cost_nothing(
    folder, one_process, regions, address, cluster_workers, start
):
    running = start(*arguments('killed', regions, '--ray', address), cwd=folder)
    awaited(running, '.[a-d]*.part', folder / 'killed')
    for each in cluster_workers():
        each.kill()
    said, err = running.communicate(timeout=PATIENCE_S)
    found = running.returncode, said, sentences(err, 'killed'), tree(folder / 'killed')
    assert found == one_process


def test_the_same_command_goes_on_after_the_driver_died(
    folder, one_process, regions, address, start, run
):
    running = start(*arguments('died', regions, '--ray', address), cwd=folder)
    awaited(running, '[a-d]', folder / 'died')
    running.kill()
    running.communicate(timeout=PATIENCE_S)
    before = {each.name: each.stat().st_mtime_ns for each in (folder / 'died').glob('[a-d]')}
    code, _, err = run(*arguments('died', regions, '--ray', address), cwd=folder)
    assert code == 2
    assert ' of 5 bags have answers in died: left as they are.' in err
    assert tree(folder / 'died') == one_process[-1]
    for name, written in before.items():
        assert (folder / 'died' / name).stat().st_mtime_ns == written
