"""Verb, primary word and phrase tree of the hand-written expressions in phrases.yaml.

`python -m pytest -s test/language/test_written_expressions.py` prints the figures of both halves.
"""

from pathlib import Path

import pytest
import yaml

from helpers.phrase_notation import normal_form, notation
from iterprime_ros.language.command_parser import CommandParser

CASES = yaml.safe_load(Path(__file__).with_name('phrases.yaml').read_text(encoding='utf-8'))
FLOORS = {'primary': 0.97, 'verb': 0.98, 'tree': 0.97}


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


@pytest.mark.parametrize(('half', 'first'), [('development', 0), ('kept', 1)])
def test_expressions_are_understood(parser, half, first):
    cases = CASES[first::2]
    assert len(cases) == 75
    rows = [(case, *read(parser, case['text'])) for case in cases]
    shares = {
        'primary': sum(primary == case['primary'] for case, primary, _, _ in rows) / len(rows),
        'verb': sum(verb == case['verb'] for case, _, verb, _ in rows) / len(rows),
        'tree': sum(tree == normal_form(case['tree']) for case, _, _, tree in rows) / len(rows),
    }
    print(f'{half} half: ' + ', '.join(f'{name} {share:.3f}' for name, share in shares.items()))
    below = {name: share for name, share in shares.items() if share < FLOORS[name]}
    assert not below


def read(parser, text):
    """Return the primary word, the verb and the tree of a text."""
    parsed = parser.parse(text)
    span = parsed.primary_word
    primary = parsed.expression[slice(*span)] if span else None
    return primary, parsed.action_verb, notation(parsed.phrase)


def test_the_trees_are_in_the_notation():
    for case in CASES:
        assert normal_form(normal_form(case['tree'])) == normal_form(case['tree'])
    tree = 'mug [on the left; left of (plate [not "red plate"; behind (box)])]'
    assert normal_form(tree) == 'mug [left of (plate [behind (box); not "red plate"]); on the left]'
