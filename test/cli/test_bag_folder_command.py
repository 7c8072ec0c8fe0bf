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
    (out / 'a').mkdir(parents=True)
    (folder / 'aa.mcap').write_text('no bag')
    monkeypatch.setattr(sys, 'stderr', Terminal())
    assert bag(folder, 'the mug', '--out', out) == 2
    assert 'b.mcap: "the mug" is found in 2 of 2' in capsys.readouterr().out
    assert f'1 of 3 bags have answers in {out}: left as they are.' in sys.stderr.getvalue()
    assert f'{folder / "aa.mcap"} is no bag' in sys.stderr.getvalue()
    assert '1/1' in sys.stderr.getvalue()
    assert not list((out / 'a').iterdir())
    assert sorted(each.name for each in out.iterdir()) == ['a', 'b']
    (folder / 'aa.mcap').unlink()
    assert main(['bag', str(folder), 'the mug', '--out', str(out), '--profile', 'none']) == 0


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
