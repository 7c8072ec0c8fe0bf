"""The gold parses of commands, questions and expressions."""

from itertools import islice
from random import Random

import numpy as np
import pytest
import spacy

from helpers.dependency_trees import assert_projective, root
from iterprime_ros.sim.expressions import sample_command
from iterprime_ros.sim.grammar import Place, Relation, phrases, wordings
from iterprime_ros.training.language.commands import (
    action_verbs,
    gerund,
    sample_command_tree,
    sample_question_tree,
    tabletop_command_tree,
    tabletop_expression_tree,
)
from iterprime_ros.training.language.nouns import sample_noun_phrase, sample_short_noun_phrase
from iterprime_ros.training.language.photo_expressions import sample_photo_expression
from iterprime_ros.training.language.trees import to_doc

VOCAB = spacy.blank('en').vocab


def test_the_primary_word_heads_a_tabletop_expression():
    constraints = set()
    for phrase in islice(phrases(), 0, None, 211):
        constraints.update((phrase.place, phrase.relation))
        for wording in wordings(phrase)[::7]:
            tree = tabletop_expression_tree(wording)
            assert tree.text == wording.text
            assert wording.text[: wording.primary_word[1]].split()[-1] == tree.word
    assert constraints == {None, *Place, *Relation}


def test_tabletop_expressions_are_projective_with_the_primary_word_as_root():
    rng = Random(0)
    for phrase in rng.sample(list(phrases()), 400):
        wording = rng.choice(wordings(phrase))
        doc = to_doc(tabletop_expression_tree(wording), VOCAB)
        assert_projective(doc)
        head = root(doc)
        assert (head.idx, head.idx + len(head)) == wording.primary_word


def test_tabletop_commands_keep_their_text_verb_and_object():
    rng, numpy_rng = Random(0), np.random.default_rng(0)
    tabletop = [wordings(phrase)[0] for phrase in islice(phrases(), 0, None, 97)]
    for _ in range(300):
        wording = rng.choice(tabletop)
        command = sample_command(numpy_rng, wording.text)
        doc = to_doc(tabletop_command_tree(command, tabletop_expression_tree(wording)), VOCAB)
        assert_projective(doc)
        assert doc.text == command.text
        start, end = (command.expression_span[0] + offset for offset in wording.primary_word)
        noun = doc.char_span(start, end)[0]
        assert noun.dep_ in {'obj', 'obl'}
        assert noun.head.text == command.action_verb


def test_unknown_words_in_a_tabletop_expression_are_rejected():
    wording = wordings(next(phrases()))[0]
    unknown = type(wording)(f'{wording.text} of the forest', wording.primary_word)
    with pytest.raises(ValueError, match='of the forest'):
        tabletop_expression_tree(unknown)


def test_the_object_of_a_command_is_its_expression():
    rng = Random(0)
    for _ in range(500):
        expression = sample_noun_phrase(rng)
        destination = sample_short_noun_phrase(rng, 'the')
        tree, verb = sample_command_tree(rng, expression, destination)
        doc = to_doc(tree, VOCAB)
        action = next(
            token for token in doc if token.text in {verb, gerund(verb)} and token.pos_ == 'VERB'
        )
        objects = [token.text for token in action.children if token.dep_ in {'obj', 'obl'}]
        assert expression.word in objects
        assert action.dep_ in {'ROOT', 'xcomp'}
        assert verb in action_verbs()


def test_questions_contain_their_expression():
    rng = Random(0)
    for _ in range(300):
        expression = sample_photo_expression(rng)
        doc = to_doc(sample_question_tree(rng, expression), VOCAB)
        assert_projective(doc)
        assert expression.word in [token.text for token in doc]


def test_gerunds():
    assert [gerund(verb) for verb in ('pass', 'give', 'get', 'see', 'grab')] == [
        'passing',
        'giving',
        'getting',
        'seeing',
        'grabbing',
    ]
