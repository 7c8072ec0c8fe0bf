"""The automaton has the sentences of the grammar, and all of one small edit, by brute force."""

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.sim.expressions import _CARRIER_PHRASES, _IMPERATIVES
from iterprime_ros.sim.grammar import NOUNS, SIZE_WORDS, wordings
from iterprime_ros.sim.logical_form import Description, Phrase, Place, Relation
from iterprime_ros.sim.scene import COLOURS
from iterprime_ros.speech.alternatives import alternatives, edited
from iterprime_ros.speech.automaton import read_fsg
from iterprime_ros.speech.commands import spoken_text
from iterprime_ros.speech.jsgf import grammar, words_of
from iterprime_ros.speech.vocabulary import TABLETOP

# a (b | c)? d, of which b is twice as likely as c.
SMALL = """FSG_BEGIN <small>
NUM_STATES 4
START_STATE 0
FINAL_STATE 3
TRANSITION 0 0 0.005 <sil>
TRANSITION 0 1 1.0 a
TRANSITION 1 2 0.5 b
TRANSITION 1 2 0.25 c(2)
TRANSITION 1 2 0.25
TRANSITION 2 3 1.0 d
FSG_END
"""
WORDS = ('a', 'b', 'c', 'd')


@pytest.fixture(scope='module')
def small():
    return read_fsg(SMALL, 1.0)


@pytest.fixture(scope='module')
def table(recognizer):
    return recognizer.automaton


def every_sentence(automaton, longest=4):
    return {
        words
        for length in range(1, longest + 1)
        for words in product(WORDS, repeat=length)
        if automaton.has(words)
    }


def test_it_has_its_sentences_and_no_others(small):
    assert every_sentence(small) == {('a', 'd'), ('a', 'b', 'd'), ('a', 'c', 'd')}
    assert small.log_probability(('a', 'b', 'd')) == pytest.approx(math.log(0.5))
    assert small.log_probability(('a', 'd')) == pytest.approx(math.log(0.25))
    assert small.log_probability(('d',)) == -math.inf


def test_weights_are_multiplied_as_the_decoder_divided_them():
    assert read_fsg(SMALL, 2.0).log_probability(('a', 'd')) == pytest.approx(2 * math.log(0.25))


def test_edits_lead_to_sentences_and_to_all_that_are_near(small):
    for words in every_sentence(small):
        reached = {edited(words, [edit]) for edit in small.edits(words)}
        assert reached == every_sentence(small) - {words}


def test_every_edit_of_a_command_is_a_sentence(table):
    words = ('please', 'take', 'the', 'red', 'mug', 'left', 'of', 'the', 'plate')
    reached = [edited(words, [edit]) for edit in table.edits(words, 2)]
    assert all(map(table.has, reached))
    for text in (
        'please take the red block left of the plate',
        'please take the mug left of the plate',
        'please take the red mug behind the plate',
        'please grab the red mug left of the plate',
        'could you take the red mug left of the plate',
        'please take the big red mug left of the plate',
    ):
        assert tuple(text.split()) in reached


def test_the_likeliest_of_the_neighbourhood_comes_first(table):
    meant = ('take', 'the', 'blue', 'bottle', 'on', 'the', 'left')

    def score(sentences):
        return [-10.0 * sum(a != b for a, b in zip(s, meant, strict=False)) - 5.0 * abs(
            len(s) - len(meant)) for s in sentences]  # fmt: skip

    seed = ('grab', 'the', 'black', 'bottle', 'on', 'the', 'right')
    found = alternatives(table, score, [seed, ('no', 'such', 'words')], 0.1)
    assert found[0].words == meant
    totals = [each.total(0.1) for each in found]
    assert totals == sorted(totals, reverse=True)


def test_the_vocabulary_is_that_of_the_simulated_table():
    assert set(TABLETOP.nouns) == {noun for nouns in NOUNS.values() for noun in nouns}
    assert set(TABLETOP.colours) == set(COLOURS)
    assert set(TABLETOP.sizes) == {word for words in SIZE_WORDS.values() for word in words}


descriptions = st.builds(
    Description,
    st.sampled_from(list(NOUNS)),
    st.sampled_from([None, *COLOURS]),
    st.sampled_from([None, *SIZE_WORDS]),
)
phrases = st.one_of(
    st.builds(Phrase, descriptions, st.sampled_from(Place)),
    st.builds(Phrase, descriptions),
    st.builds(
        lambda head, relation, anchor: Phrase(head, relation=relation, anchor=anchor),
        descriptions,
        st.sampled_from(Relation),
        descriptions,
    ),
)


@settings(max_examples=60, deadline=None)
@given(phrases, st.data())
def test_what_is_said_of_the_table_is_in_the_grammar(table, phrase, data):
    text = data.draw(st.sampled_from([wording.text for wording in wordings(phrase)]))
    order = data.draw(st.sampled_from([form for forms in _IMPERATIVES.values() for form in forms]))
    carrier = data.draw(st.sampled_from(_CARRIER_PHRASES))
    command = carrier.format(imperative=order.format(x=text))
    assert table.has(spoken_text(command).split()), command


@pytest.mark.parametrize(
    'text', ['stop', 'the second one', 'no the blue one', 'neither', 'never mind', 'yes', 'red mug']
)
def test_replies_are_in_the_grammar(table, text):
    assert table.has(text.split())


def test_words_of_the_grammar_are_words():
    words = words_of(grammar(TABLETOP))
    assert {'pick', 'leftmost', 'banana', 'stop', 'red', 'mugs'} <= set(words)
    assert all(word.isalpha() and word.islower() for word in words)
