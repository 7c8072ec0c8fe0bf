"""The command `iterprime parse`: what it prints, as text and as JSON."""

import json
import textwrap

import pytest

from iterprime_ros.cli import main


def test_a_command_is_parsed(capsys):
    order = 'pick up the small mug left of the second plate from the right'
    assert main(['parse', order, 'the dog not on the left']) == 0
    lines = capsys.readouterr().out.splitlines()
    with pytest.raises(SystemExit):
        main(['parse', '--help'])
    first = '\n'.join(lines[: lines.index('', 5)])
    assert textwrap.indent(first, ' ' * 6) in capsys.readouterr().out  # the help shows it
    assert lines[-2:] == [
        '      dog                    "dog"',
        '              on the left      not on the left',
    ]


def test_a_parsed_command_is_json(capsys):
    assert main(['parse', '--json', 'all the mugs between two plates', 'the biggest']) == 0
    mugs, biggest = map(json.loads, capsys.readouterr().out.splitlines())
    assert mugs['primary_word'] == {'text': 'mugs', 'span': [8, 12]}
    assert mugs['phrase']['is_plural']
    (between,) = mugs['phrase']['relations']
    assert [anchor['count'] for anchor in between['anchors']] == [2, 2]
    assert biggest['phrase']['superlatives'] == [
        {'order': 'biggest', 'span': [4, 11], 'rank': 1, 'anchor': None}
    ]


def test_a_command_without_words_is_one_sentence(capsys):
    assert main(['parse', 'the mug', '...']) == 2
    said = capsys.readouterr()
    assert said.out.startswith('command  the mug')
    assert len(said.err.splitlines()) == 1


def test_a_cut_command_is_noted(capsys):
    too_long = 'the red mug ' * 30
    assert main(['parse', too_long, 'the mug']) == 0
    lines = capsys.readouterr().out.splitlines()
    (note,) = [line for line in lines if line.startswith('note')]
    assert note == 'note     The command is too long and was cut after 239 characters.'
    assert main(['parse', '--json', too_long, 'the mug']) == 0
    cut, whole = map(json.loads, capsys.readouterr().out.splitlines())
    assert cut['notes'] == [note.removeprefix('note     ')]
    assert len(cut['command']) == 239
    assert whole['notes'] == []


def test_a_prohibition_is_shown(capsys):
    assert main(['parse', "don't touch the vase"]) == 0
    assert 'verb     none: says what not to do' in capsys.readouterr().out.splitlines()
    assert main(['parse', '--json', "don't touch the vase"]) == 0
    assert json.loads(capsys.readouterr().out)['is_prohibition']


def test_an_exception_that_is_not_understood_is_one_sentence(capsys):
    assert main(['parse', 'all the mugs except the leftmost one']) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
