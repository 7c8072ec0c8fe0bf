"""Commands taken apart: the goals on hand-written ones, examples, and what always holds."""

import shutil
import sys
from pathlib import Path

import pytest
import spacy
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from iterprime_ros.errors import (
    InvalidCommandError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.language.command_parser import (
    MAX_CHARACTERS,
    MAX_WORDS,
    SHIPPED,
    BareExpression,
    CommandParser,
    normalised,
)

CASES = yaml.safe_load(Path(__file__).with_name('expressions.yaml').read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def parser():
    return CommandParser.load()


def primary(parsed):
    return parsed.expression[slice(*parsed.primary_word)] if parsed.primary_word else None


def focus(parsed):
    return [parsed.expression[start:end] for start, end in parsed.focus_words]


@pytest.mark.parametrize('held_out', [False, True])
def test_hand_written_expressions_are_understood(parser, held_out):
    cases = [case for case in CASES if case.get('held_out', False) == held_out]
    assert len(cases) == (50 if held_out else 100)
    read = [(case, parser.parse(case['text'])) for case in cases]
    nouns = [(c['text'], primary(p)) for c, p in read if primary(p) != c['primary']]
    verbs = [(c['text'], p.action_verb) for c, p in read if p.action_verb != c['verb']]
    assert len(nouns) <= 0.06 * len(cases), nouns
    assert len(verbs) <= 0.02 * len(cases), verbs


@pytest.mark.parametrize(
    ('text', 'verb', 'expression', 'noun'),
    [
        (
            'could you please hand me the red mug that is left of the bottle',
            'hand',
            'the red mug that is left of the bottle',
            'mug',
        ),
        ('pick up the red mug', 'pick', 'the red mug', 'mug'),
        ('pick the red mug up', 'pick', 'the red mug', 'mug'),
        ('Pick up the red mug, please!', 'pick', 'the red mug', 'mug'),
        ('robot, give me the blue block', 'give', 'the blue block', 'block'),
        ('give me the mug on the table', 'give', 'the mug on the table', 'mug'),
        ('go to the door', 'go', 'the door', 'door'),
        ('where is the blue cup', '', 'the blue cup', 'cup'),
        ('where is the blue cup?', '', 'the blue cup', 'cup'),
        ('i want you to grab the bottle', 'grab', 'the bottle', 'bottle'),
        ('bring the chair here please', 'bring', 'the chair', 'chair'),
        ('show me the largest plate', 'show', 'the largest plate', 'plate'),
        ('would you mind passing me the salt', 'pass', 'the salt', 'salt'),
        ("don't touch the vase", '', 'the vase', 'vase'),
        ('there is a red mug on the table', '', 'a red mug on the table', 'mug'),
        ('come here and grab the apple', 'grab', 'the apple', 'apple'),
        ('find the cup and the plate', 'find', 'the cup and the plate', 'cup'),
        ('which mug is red', '', 'which mug is red', 'mug'),
        ('robot', '', 'robot', 'robot'),
        ('stop', '', 'stop', None),
        ('guy in blue far left', '', 'guy in blue far left', 'guy'),
        ('2nd from right', '', '2nd from right', None),
        ('cup on the table', '', 'cup on the table', 'cup'),
        ("woman's hand", '', "woman's hand", 'hand'),
        ('partially damaged car', '', 'partially damaged car', 'car'),
        ('man holding a red umbrella', '', 'man holding a red umbrella', 'man'),
        ('left most zebra', '', 'left most zebra', 'zebra'),
        ('the one with glasses', '', 'the one with glasses', 'one'),
        ('person sitting on bench', '', 'person sitting on bench', 'person'),
    ],
)
def test_examples(parser, text, verb, expression, noun):
    parsed = parser.parse(text)
    assert (parsed.action_verb, parsed.expression, primary(parsed)) == (verb, expression, noun)


def test_focus_words_are_the_words_with_content(parser):
    parsed = parser.parse('could you please hand me the red mug that is left of the bottle')
    assert focus(parsed) == ['red', 'mug', 'left', 'bottle']
    assert focus(parser.parse('man holding a red umbrella')) == [
        'man',
        'holding',
        'red',
        'umbrella',
    ]
    assert '2nd' in focus(parser.parse('2nd from right'))
    assert focus(parser.parse('the one with glasses')) == ['one', 'glasses']


def test_a_word_that_occurs_twice_is_marked_where_it_heads(parser):
    parsed = parser.parse('the mug behind the mug')
    assert parsed.primary_word == (4, 7)


@pytest.mark.parametrize('text', ['', '  \n\t', '...', '?!', '🙂🙂', '\x00\x07', '—'])
def test_a_command_without_words_is_refused(parser, text):
    with pytest.raises(InvalidCommandError, match='no letters or digits'):
        parser.parse(text)


@pytest.mark.parametrize('command', [None, 3, b'the mug', ['the mug'], float('nan')])
def test_what_is_no_text_is_refused(parser, command):
    with pytest.raises(InvalidCommandError, match=r'must be text, not \w+: name the object'):
        parser.parse(command)


def holds(parsed):
    assert parsed.text == normalised(parsed.text)
    assert parsed.expression
    assert parsed.expression in parsed.text
    assert parsed.action_verb == parsed.action_verb.lower()
    last = 0
    for start, end in parsed.focus_words:
        assert last <= start < end <= len(parsed.expression)
        word = parsed.expression[start:end]
        assert any(map(str.isalnum, word))
        assert not any(map(str.isspace, word))
        last = end
    assert parsed.primary_word is None or parsed.primary_word in parsed.focus_words


SALAD = """pick up the a red mug left of , . please me you bottle to i want is where that on one 2nd
man's holding 's - / 🙂 and hand can in front green it"""
WORDS = st.sampled_from(SALAD.split())


@given(st.lists(WORDS, min_size=1, max_size=14).map(' '.join) | st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(parser, text):
    if not any(map(str.isalnum, normalised(text))):
        with pytest.raises(InvalidCommandError):
            parser.parse(text)
    else:
        holds(parser.parse(text))


@pytest.mark.parametrize(
    'text',
    [
        'the red mug ' * 834,
        'a' * 10_000,
        'a-' * 5_000,
        "mug's" * 2_000,
        'pick up ' + '\ud800' + ' the mug\x00\x1b[31m',
        'возьми красную кружку',
        '拿起红色的杯子',
        'التقط الكوب',
        'pick up the 🍌 banana',
    ],
)
def test_odd_texts_are_read(parser, text):
    parsed = parser.parse(text)
    holds(parsed)
    assert len(parsed.text) <= MAX_CHARACTERS
    assert len(parsed.text.split()) <= MAX_WORDS


def test_white_space_and_control_characters_are_put_in_order(parser):
    parsed = parser.parse('  pick\tup\u00a0the \x00 red\n mug\x7f ')
    assert parsed.text == 'pick up the red mug'
    assert parsed == parser.parse('pick up the red mug')


def test_what_is_cut_off_is_not_read(parser):
    padding = 'the red mug ' * (MAX_WORDS // 3)
    assert parser.parse(padding + 'bottle').text == padding.strip()


def test_the_cure_is_named_when_a_pipeline_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(WeightsNotFoundError, match='spacy download'):
        CommandParser.load('xx_no_such_pipeline')
    with pytest.raises(WeightsNotFoundError, match='neither a folder'):
        CommandParser.load(tmp_path / 'nowhere')
    monkeypatch.setattr('iterprime_ros.language.command_parser.SHIPPED', tmp_path / 'nowhere')
    with pytest.raises(WeightsNotFoundError, match='install the package again'):
        CommandParser.load()


@pytest.mark.parametrize(
    'name', ['pip', 'spacy', 'torch', 'x' * 5000, 'a/' * 2500, 'a\0b', '', '.']
)
def test_what_is_no_pipeline_is_never_imported(name, monkeypatch):
    """Importing a package runs its code; some also leave files or start threads."""
    monkeypatch.setattr('importlib.import_module', lambda each, *_: pytest.fail(each))
    with pytest.raises((WeightsNotFoundError, WeightsMismatchError)):
        CommandParser.load(name)


@pytest.mark.parametrize('code', ['raise ImportError("half installed")', 'load = None', ''])
def test_a_pipeline_package_that_does_not_load_is_one_sentence(tmp_path, monkeypatch, code):
    (tmp_path / 'xx_mine.py').write_text(code)
    metadata = tmp_path / 'xx_mine-1.0.dist-info'
    metadata.mkdir()
    (metadata / 'METADATA').write_text('Metadata-Version: 2.1\nName: xx_mine\nVersion: 1.0\n')
    (metadata / 'entry_points.txt').write_text('[spacy_models]\nxx_mine = xx_mine\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'xx_mine', raising=False)
    with pytest.raises(WeightsMismatchError, match='cannot be read') as caught:
        CommandParser.load('xx_mine')
    assert len(str(caught.value).splitlines()) == 1
    monkeypatch.delitem(sys.modules, 'xx_mine', raising=False)


def test_a_folder_that_is_no_pipeline_is_refused(tmp_path):
    with pytest.raises(WeightsMismatchError, match=r'config\.cfg'):
        CommandParser.load(tmp_path)
    (tmp_path / 'config.cfg').write_text('[nlp]\nlang = "en"\npipeline = ["nothing"]\n')
    with pytest.raises(WeightsMismatchError, match='cannot be read'):
        CommandParser.load(tmp_path)


@pytest.mark.parametrize('part', ['parser', 'morphologizer', 'tok2vec'])
def test_a_damaged_pipeline_is_refused(tmp_path, part):
    folder = tmp_path / 'pipeline'
    shutil.copytree(SHIPPED, folder)
    model = folder / part / 'model'
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(WeightsMismatchError, match='cannot be read'):
        CommandParser.load(folder)


def test_a_pipeline_without_the_parts_needed_is_refused(tmp_path):
    spacy.blank('en').to_disk(tmp_path / 'blank')
    with pytest.raises(WeightsMismatchError, match=r'tagger.*and a dependency parser'):
        CommandParser.load(tmp_path / 'blank')
    nlp = spacy.load(SHIPPED)
    nlp.remove_pipe('parser')
    with pytest.raises(WeightsMismatchError, match='lacks a dependency parser:'):
        CommandParser(nlp)
    nlp = spacy.load(SHIPPED)
    nlp.remove_pipe('morphologizer')
    with pytest.raises(WeightsMismatchError, match='lacks a tagger of parts of speech:'):
        CommandParser(nlp)


# 'give me the keys on the table, please' as spaCy's own English pipelines label it.
CLEAR = [
    ('give', 'VERB', 'ROOT', 0),
    ('me', 'PRON', 'dative', 0),
    ('the', 'DET', 'det', 3),
    ('keys', 'NOUN', 'dobj', 0),
    ('on', 'ADP', 'prep', 3),
    ('the', 'DET', 'det', 6),
    ('table', 'NOUN', 'pobj', 4),
    (',', 'PUNCT', 'punct', 0),
    ('please', 'INTJ', 'intj', 0),
]
# 'look at the keys on the table, please', where the verb has no object of its own.
OBLIQUE = [
    ('look', 'VERB', 'ROOT', 0),
    ('at', 'ADP', 'prep', 0),
    ('the', 'DET', 'det', 3),
    ('keys', 'NOUN', 'pobj', 1),
    *CLEAR[4:],
]


@Language.component('gold_labels')
def gold_labels(doc):
    rows = {'give': CLEAR, 'look': OBLIQUE}.get(doc[0].text, ())
    for token, (_, pos, label, head) in zip(doc, rows, strict=False):
        token.pos_, token.dep_, token.head = pos, label, doc[head]
    if not rows:
        for token in doc:
            token.pos_, token.dep_ = 'NOUN', 'dep'
    return doc


def test_the_labels_of_spacys_own_pipelines_are_understood():
    nlp = spacy.blank('en')
    nlp.add_pipe('gold_labels')
    parser = CommandParser(nlp)
    parsed = parser.parse('give me the keys on the table, please')
    assert (parsed.action_verb, parsed.expression) == ('give', 'the keys on the table')
    assert primary(parsed) == 'keys'
    parsed = parser.parse('look at the keys on the table, please')
    assert (parsed.action_verb, parsed.expression) == ('look', 'the keys on the table')


@pytest.mark.parametrize(
    ('text', 'expression'),
    [
        ('hold bat', 'hold bat'),
        ('wave guy', 'wave guy'),
        ('give me sandwich', 'give me sandwich'),
        ("don't touch me lady", "don't touch me lady"),
        ('pick up truck.', 'pick up truck'),
        ('the mug left of the plate', 'the mug left of the plate'),
    ],
)
def test_nothing_in_a_bare_expression_is_an_order(parser, text, expression):
    command = parser.parse(BareExpression(text))
    assert command.expression == expression
    assert command.action_verb == ''
    assert not command.is_prohibition


def test_a_bare_expression_is_read_as_a_command_of_it_alone(parser):
    for text in ('the red mug', 'leftmost plate', 'the second ball from the left'):
        assert parser.parse(BareExpression(text)) == parser.parse(text)
