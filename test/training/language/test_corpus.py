"""The training corpus of the language pipeline."""

from itertools import islice
from random import Random

import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.dependency_trees import CONLLU, assert_projective
from iterprime_ros.training.language.corpus import (
    common_nouns,
    generated_trees,
    ud_docs,
    verb_lemmas,
    with_replaced_nouns,
)
from iterprime_ros.training.language.trees import to_doc

NLP = spacy.blank('en')


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_generated_parses_are_projective_and_tokenised_as_by_spacy(seed):
    for tree in islice(generated_trees(seed), 3):
        doc = to_doc(tree, NLP.vocab)
        assert_projective(doc)
        assert doc.text == tree.text
        assert [token.text for token in NLP.make_doc(doc.text)] == [token.text for token in doc]
        assert all(token.pos_ and token.dep_ for token in doc)


def test_the_same_seed_generates_the_same_trees():
    first, again, other = (list(islice(generated_trees(seed), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_only_object_nouns_are_replaced():
    rng, changed = Random(0), 0
    for tree in islice(generated_trees(0), 200):
        other = with_replaced_nouns(tree, rng, ['platypus'])
        before, after = (list(each.nodes()) for each in (tree, other))
        for old, new in zip(before, after, strict=True):
            assert (old.pos, old.label) == (new.pos, new.label)
            assert new.word == old.word or (new.word == 'platypus' and old.pos == 'NOUN')
            changed += new.word != old.word
    assert changed > 30


def test_ud_documents_have_heads_labels_and_the_features_of_verbs(tmp_path):
    path = tmp_path / 'some.conllu'
    path.write_text(CONLLU, encoding='utf-8')
    first, second = ud_docs(path, NLP.vocab)
    assert first.text == "Don't open the door."
    assert_projective(first)
    assert [(t.text, t.pos_, t.dep_, t.head.text, str(t.morph)) for t in first][1:5] == [
        ("n't", 'PART', 'advmod', 'open', ''),
        ('open', 'VERB', 'ROOT', 'open', 'VerbForm=Inf'),
        ('the', 'DET', 'det', 'door', ''),
        ('door', 'NOUN', 'obj', 'open', ''),
    ]
    assert str(first[0].morph) == 'Mood=Imp|VerbForm=Fin'
    assert str(second[1].morph) == 'VerbForm=Fin'
    assert common_nouns([first, first, second]) == ['door']
    lemmas = verb_lemmas([first, second])
    assert lemmas['opened'] == 'open'
    assert lemmas['handing'] == 'hand'
    assert 'open' not in lemmas
