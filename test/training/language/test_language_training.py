"""The corpus of the language pipeline: its trees are trees, and say what they were drawn to say."""

from itertools import islice
from random import Random

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch

from iterprime_ros.sim.expressions import sample_command
from iterprime_ros.sim.grammar import Place, Relation, phrases, wordings
from iterprime_ros.training.language.__main__ import accuracy, main, pipeline
from iterprime_ros.training.language.commands import (
    gerund,
    order,
    question,
    tabletop_command,
    tabletop_expression,
    verbs,
)
from iterprime_ros.training.language.corpus import (
    common_nouns,
    generated_trees,
    ud_docs,
    verb_lemmas,
    with_other_nouns,
)
from iterprime_ros.training.language.fragments import fragment
from iterprime_ros.training.language.nouns import described, goal
from iterprime_ros.training.language.trees import Tree, to_doc

NLP = spacy.blank('en')
CONLLU = """\
# text = Don't open the door.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp|VerbForm=Fin\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\tPolarity=Neg\t3\tadvmod\t_\t_
3\topen\topen\tVERB\tVB\tVerbForm=Inf\t0\troot\t_\t_
4\tthe\tthe\tDET\tDT\tDefinite=Def\t5\tdet\t_\t_
5\tdoor\tdoor\tNOUN\tNN\tNumber=Sing\t3\tobj\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\tSpaceAfter=No

# text = He opened it
1\tHe\the\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\topened\topen\tVERB\tVBD\tMood=Ind|Tense=Past|VerbForm=Fin\t0\troot\t_\t_
3\tit\tit\tPRON\tPRP\t_\t2\tobj\t_\t_

"""


def is_a_tree(doc):
    """One root, reached from every word; no two arcs cross."""
    heads = [token.head.i for token in doc]
    assert [place for place, head in enumerate(heads) if place == head] == [root(doc).i]
    for place in range(len(doc)):
        seen = set()
        while heads[place] != place:
            assert place not in seen
            seen.add(place)
            place = heads[place]
    arcs = [tuple(sorted((place, head))) for place, head in enumerate(heads) if place != head]
    for left, right in arcs:
        for start, end in arcs:
            assert not left < start < right < end
    return True


def root(doc):
    return next(token for token in doc if token.dep_ == 'ROOT')


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_generated_parses_are_projective_trees_in_the_tokens_of_spacy(seed):
    for tree in islice(generated_trees(seed), 3):
        doc = to_doc(tree, NLP.vocab)
        assert is_a_tree(doc)
        assert doc.text == tree.text
        assert [token.text for token in NLP.make_doc(doc.text)] == [token.text for token in doc]
        assert all(token.pos_ and token.dep_ for token in doc)


def test_the_same_seed_draws_the_same_corpus():
    first, again, other = (list(islice(generated_trees(seed), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_tabletops_marked_noun_heads_its_parse():
    seen = set()
    for phrase in islice(phrases(), 0, None, 211):
        seen.update((phrase.place, phrase.relation))
        for wording in wordings(phrase)[::7]:
            tree = tabletop_expression(wording)
            assert tree.text == wording.text
            assert wording.text[: wording.primary_word[1]].split()[-1] == tree.word
    assert seen == {None, *Place, *Relation}


def test_the_tabletops_parses_are_trees_under_the_marked_noun():
    rng = Random(0)
    for phrase in rng.sample(list(phrases()), 400):
        wording = rng.choice(wordings(phrase))
        doc = to_doc(tabletop_expression(wording), NLP.vocab)
        assert is_a_tree(doc)
        head = root(doc)
        assert (head.idx, head.idx + len(head)) == wording.primary_word


def test_the_tabletops_commands_keep_words_verb_and_object():
    rng, draw = Random(0), np.random.default_rng(0)
    table = [wordings(phrase)[0] for phrase in islice(phrases(), 0, None, 97)]
    for _ in range(300):
        wording = rng.choice(table)
        said = sample_command(draw, wording.text)
        doc = to_doc(tabletop_command(said, tabletop_expression(wording)), NLP.vocab)
        assert is_a_tree(doc)
        assert doc.text == said.text
        start, end = (said.expression[0] + place for place in wording.primary_word)
        noun = doc.char_span(start, end)[0]
        assert noun.dep_ in {'obj', 'obl'}
        assert noun.head.text == said.action_verb


def test_unknown_words_of_a_tabletop_are_refused():
    wording = wordings(next(phrases()))[0]
    odd = type(wording)(f'{wording.text} of the forest', wording.primary_word)
    with pytest.raises(ValueError, match='of the forest'):
        tabletop_expression(odd)


def test_an_orders_object_is_what_was_ordered():
    rng = Random(0)
    for _ in range(500):
        thing = described(rng)
        tree, verb = order(rng, thing, goal(rng))
        doc = to_doc(tree, NLP.vocab)
        action = next(
            token for token in doc if token.text in {verb, gerund(verb)} and token.pos_ == 'VERB'
        )
        objects = [token.text for token in action.children if token.dep_ in {'obj', 'obl'}]
        assert thing.word in objects
        assert action.dep_ in {'ROOT', 'xcomp'}
        assert verb in verbs()


def test_questions_and_fragments_hold_their_noun():
    rng = Random(0)
    for _ in range(300):
        thing = fragment(rng)
        doc = to_doc(question(rng, thing), NLP.vocab)
        assert is_a_tree(doc)
        assert thing.word in [token.text for token in doc]


def test_other_nouns_take_only_the_place_of_things_named():
    rng, changed = Random(0), 0
    for tree in islice(generated_trees(0), 200):
        other = with_other_nouns(tree, rng, ['platypus'])
        before, after = (list(each.in_order()) for each in (tree, other))
        for old, new in zip(before, after, strict=True):
            assert (old.pos, old.label) == (new.pos, new.label)
            assert new.word == old.word or (new.word == 'platypus' and old.pos == 'NOUN')
            changed += new.word != old.word
    assert changed > 30


def test_gerunds():
    assert [gerund(verb) for verb in ('pass', 'give', 'get', 'see', 'grab')] == [
        'passing',
        'giving',
        'getting',
        'seeing',
        'grabbing',
    ]


def test_a_tree_is_written_with_the_spaces_of_english():
    owner = Tree('man', 'NOUN', 'nmod:poss', right=(Tree("'s", 'PART', 'case'),))
    tree = Tree('hat', 'NOUN', left=(owner,), right=(Tree('.', 'PUNCT', 'punct'),))
    assert tree.capitalised().text == "Man's hat."
    doc = to_doc(tree, NLP.vocab)
    assert [(token.text, token.head.text, token.dep_) for token in doc] == [
        ('man', 'hat', 'nmod:poss'),
        ("'s", 'man', 'case'),
        ('hat', 'hat', 'ROOT'),
        ('.', 'hat', 'punct'),
    ]


def test_ud_is_read_with_heads_labels_and_the_features_of_verbs(tmp_path):
    path = tmp_path / 'some.conllu'
    path.write_text(CONLLU, encoding='utf-8')
    first, second = ud_docs(path, NLP.vocab)
    assert first.text == "Don't open the door."
    assert is_a_tree(first)
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


def test_the_pipeline_learns_from_these_trees():
    """Some steps on a handful of examples fit them: every part is wired to the others."""
    fix_random_seed(0)
    nlp = pipeline()
    docs = [to_doc(tree, nlp.vocab) for tree in islice(generated_trees(0), 80)]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    optimizer = nlp.initialize(lambda: examples)
    before = accuracy(nlp, docs)
    for _ in range(12):
        for batch in minibatch(examples, 16):
            nlp.update(batch, sgd=optimizer)
    after = accuracy(nlp, docs)
    for name in ('POS', 'UAS'):
        assert after[name] > 0.85 > before[name]


def test_missing_data_is_named(tmp_path, capsys):
    assert main(['--ud', str(tmp_path), '--out', str(tmp_path / 'out')]) == 1
    assert 'en_ewt-ud-train.conllu' in capsys.readouterr().err


def test_the_same_seed_trains_the_same_pipeline(tmp_path, monkeypatch, capsys):
    for part in ('train', 'dev', 'test'):
        (tmp_path / f'en_ewt-ud-{part}.conllu').write_text(2 * CONLLU, encoding='utf-8')
    for size in ('FRAGMENTS', 'COMMANDS', 'TABLETOP'):
        monkeypatch.setattr(f'iterprime_ros.training.language.corpus.{size}', 60)
    for out, seed in (('first', '3'), ('again', '3'), ('other', '4')):
        options = ['--epochs', '2', '--seed', seed, '--out', str(tmp_path / out)]
        assert main(['--ud', str(tmp_path), *options]) == 0
    assert 'EWT test' in capsys.readouterr().out
    first, again, other = (
        (tmp_path / out / 'tok2vec' / 'model').read_bytes() for out in ('first', 'again', 'other')
    )
    assert first == again != other
    nlp = spacy.load(tmp_path / 'first')
    assert nlp('handing it over')[0].lemma_ == 'hand'
