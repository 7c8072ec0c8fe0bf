"""`iterprime bag` of a folder: every bag by itself, and the same command goes on."""

import io
import shutil
import sys

import pytest

from helpers.bags import IMAGE, INFO, recorded, write_bag
from iterprime_ros.cli import main
from iterprime_ros.sim.scene import sample_scene


@pytest.fixture
def folder(small_renderer, tmp_path):
    messages = recorded([small_renderer.render(sample_scene(16))] * 2)
    write_bag(tmp_path / 'in' / 'a', [each for each in messages if each[0] in (IMAGE, INFO)])
    shutil.copy(tmp_path / 'in' / 'a' / 'a.mcap', tmp_path / 'in' / 'b.mcap')
    return tmp_path / 'in'


@pytest.fixture
def bag(regions):
    def run(*arguments):
        return main(['bag', *map(str, arguments), '--profile', str(regions), '--offline'])

    return run


def test_the_outputs_are_those_of_the_bags_alone(bag, folder, tmp_path, capsys):
    assert bag(folder, 'the mug', '--out', tmp_path / 'out') == 0
    said = capsys.readouterr()
    assert said.out == (
        f'{folder / "a"}: "the mug" is found in 2 of 2 images.\n'
        f'{folder / "b.mcap"}: "the mug" is found in 2 of 2 images.\n'
    )
    assert bag(folder / 'b.mcap', 'the mug', '--out', tmp_path / 'alone' / 'b') == 0
    for path in (tmp_path / 'alone' / 'b').iterdir():
        assert (tmp_path / 'out' / 'b' / path.name).read_bytes() == path.read_bytes()


def test_what_is_there_is_left_and_a_damaged_bag_is_not_the_end(
    bag, folder, tmp_path, capsys, monkeypatch
):
    out = tmp_path / 'out'
    (folder / 'b.mcap').rename(tmp_path / 'b.mcap')
    assert bag(folder, 'the mug', '--out', out) == 0
    (tmp_path / 'b.mcap').rename(folder / 'b.mcap')
    before = {each: each.stat() for each in (out / 'a').iterdir()}
    (folder / 'aa.mcap').write_text('no bag')
    monkeypatch.setattr(sys, 'stderr', Terminal())
    assert bag(folder, 'the mug', '--out', out) == 2
    assert 'b.mcap: "the mug" is found in 2 of 2' in capsys.readouterr().out
    assert f'1 of 3 bags have answers in {out}: left as they are.' in sys.stderr.getvalue()
    assert f'{folder / "aa.mcap"} is no bag' in sys.stderr.getvalue()
    assert '1/1' in sys.stderr.getvalue()
    assert {each: each.stat() for each in (out / 'a').iterdir()} == before
    assert sorted(each.name for each in out.iterdir()) == ['.asked.json', 'a', 'b']
    (folder / 'aa.mcap').unlink()
    assert bag(folder, 'the mug', '--out', out) == 0


def test_answers_to_another_question_are_refused(bag, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    assert bag(folder, 'the mug', '--out', out) == 0
    assert bag(folder, 'the plate', '--every', 2, '--out', out) == 2
    assert 'another question, which differs in command, every' in capsys.readouterr().err
    (out / '.asked.json').write_text('{}')
    assert bag(folder, 'the mug', '--out', out) == 2
    assert 'is damaged' in capsys.readouterr().err
    (out / '.asked.json').unlink()
    assert bag(folder, 'the mug', '--out', out) == 2
    assert 'that no run on this folder began' in capsys.readouterr().err


def test_what_was_not_found_or_damaged_is_so_again(bag, folder, tmp_path):
    out = tmp_path / 'out'
    whole = (folder / 'b.mcap').read_bytes()
    (folder / 'b.mcap').write_bytes(whole[: len(whole) * 2 // 3])
    first = bag(folder, 'the mug', '--out', out)
    assert first == 2
    assert bag(folder, 'the mug', '--out', out) == first


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_wrong_use_is_refused_before_models_are_loaded(folder, tmp_path, capsys):
    out = ('--out', tmp_path / 'out')
    for words, *arguments in (
        ('is the folder of the bags', folder, 'the mug', '--out', folder),
        ('is no folder of bags', folder / 'a', 'the mug', '--ray', *out),
        ('add --ray', folder, 'the mug', '--workers', '2', *out),
        ('A COMMAND is empty', folder, ' ', *out),
        ('are used together', folder, 'the mug', '--depth', '/depth', *out),
    ):
        code = main(['bag', *map(str, arguments), '--profile=none'])
        said = capsys.readouterr()
        assert (code, said.out) == (2, ''), arguments
        assert words in said.err
        assert len(said.err.splitlines()) == 1
    assert not (tmp_path / 'out').exists()
