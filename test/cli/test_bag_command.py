"""`iterprime bag`: what it prints and writes, its exit codes, and how it is ended."""

import io
import signal
import subprocess
import sys

import pytest

from helpers.bags import CHATTER, IMAGE, INFO, recorded, write_bag
from iterprime_ros.cli import main
from iterprime_ros.sim.scene import sample_scene


@pytest.fixture(scope='module')
def messages(small_renderer):
    return recorded([small_renderer.render(sample_scene(16))] * 4)


@pytest.fixture(scope='module')
def source(messages, tmp_path_factory):
    """A bag with one topic of images."""
    of_one = [each for each in messages if each[0] in (IMAGE, INFO, CHATTER)]
    return write_bag(tmp_path_factory.mktemp('bags') / 'in', of_one)


@pytest.fixture
def bag(regions):
    def run(*arguments):
        return main(['bag', *map(str, arguments), '--profile', str(regions), '--offline'])

    return run


def test_it_says_what_was_found_and_what_was_written(bag, source, tmp_path, capsys):
    assert bag(source, 'the mug', '--out', tmp_path / 'out') == 0
    said = capsys.readouterr()
    assert said.out == f'{source}: "the mug" is found in 4 of 4 images.\n'
    assert f'Written: {tmp_path / "out"}' in said.err
    assert [each.name for each in tmp_path.iterdir()] == ['out']


def test_wrong_use_is_refused_before_models_are_loaded(source, messages, tmp_path, capsys):
    several = write_bag(tmp_path / 'several', messages)
    silent = write_bag(tmp_path / 'silent', [each for each in messages if each[0] == CHATTER])
    (tmp_path / 'taken').mkdir()
    before = sorted(tmp_path.iterdir())
    out = ('--out', tmp_path / 'new' / 'out')
    for words, *arguments in (
        ('There is no bag at', tmp_path / 'none', 'the mug', *out),
        ('is there already', source, 'the mug', '--out', tmp_path / 'taken'),
        ('has 2 topics of images: name one of /camera/depth, ', several, 'the mug', *out),
        ('has no topic of images', silent, 'the mug', *out),
        ('--topic /other is no topic of', source, 'the mug', '--topic', '/other', *out),
        ('are used together', source, 'the mug', '--depth', '/camera/depth', *out),
        ('A COMMAND is empty', source, 'the mug', ' ', *out),
    ):
        # A profile that is not there would be the next complaint.
        code = main(['bag', *map(str, arguments), '--profile=none'])
        said = capsys.readouterr()
        assert (code, said.out) == (2, ''), arguments
        assert words in said.err
        assert len(said.err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_command_that_cannot_be_used_is_two(bag, source, tmp_path, capsys):
    assert bag(source, 'the mug', '...', '--out', tmp_path / 'out') == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_what_is_left_of_a_damaged_bag_is_answered(bag, messages, tmp_path, capsys):
    damaged = write_bag(tmp_path / 'in', messages)
    (damaged / 'metadata.yaml').unlink()
    assert bag(damaged, 'the mug', '--topic', IMAGE, '--out', tmp_path / 'out') == 2
    said = capsys.readouterr()
    assert 'is found in 4 of 4 images' in said.out
    assert 'is damaged (it has no metadata.yaml, as after a recorder was killed): ' in said.err
    assert (tmp_path / 'out' / 'metadata.yaml').exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(bag, source, tmp_path, capsys):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then it is an error of write()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        assert bag(source, 'the mug', '--out', tmp_path / 'out') == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert f'Cannot write {tmp_path / "out"}: ' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_progress_says_what_is_left(bag, source, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, 'stderr', Terminal())
    assert bag(source, 'the mug', '--out', tmp_path / 'out', '--every', '2') == 0
    assert '2/2' in sys.stderr.getvalue()


ENDED = """
import os, signal, sys
from iterprime_ros.bag_files import answer_bag
from iterprime_ros.cli import main

ending = getattr(signal, sys.argv.pop(1))
answer = answer_bag.EveryImage.answer
seen = []

def ended(*arguments):
    seen.append(True)
    if len(seen) == 2:
        os.kill(os.getpid(), ending)
    return answer(*arguments)

answer_bag.EveryImage.answer = ended
sys.exit(main())
"""


@pytest.mark.parametrize('ending', ['SIGINT', 'SIGKILL'])
def test_whatever_ends_it_leaves_no_half_bag(bag, source, regions, tmp_path, ending):
    out = tmp_path / 'out'
    done = subprocess.run(
        [
            *(sys.executable, '-c', ENDED, ending, 'bag', source, 'the mug', '--out', out),
            *('--profile', regions, '--offline'),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == (130 if ending == 'SIGINT' else -signal.SIGKILL)
    assert (done.stdout, done.stderr) == ('', '')
    left = [each.name for each in tmp_path.iterdir()]
    assert left == ([] if ending == 'SIGINT' else ['.out.part'])
    assert bag(source, 'the mug', '--out', out) == 0
    assert [each.name for each in tmp_path.iterdir()] == ['out']
