"""The training of the language pipeline."""

from itertools import islice

import spacy
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch

from helpers.dependency_trees import CONLLU
from iterprime_ros.training.language.__main__ import main
from iterprime_ros.training.language.corpus import generated_trees
from iterprime_ros.training.language.spacy_pipeline import accuracy, untrained_pipeline
from iterprime_ros.training.language.trees import to_doc


def test_the_pipeline_fits_a_few_examples():
    """All components are connected: a few steps on a few examples fit them."""
    fix_random_seed(0)
    nlp = untrained_pipeline()
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


def test_missing_files_are_named(tmp_path, capsys):
    assert main(['--ud', str(tmp_path), '--out', str(tmp_path / 'out')]) == 1
    assert 'en_ewt-ud-train.conllu' in capsys.readouterr().err


def test_the_same_seed_trains_the_same_pipeline(tmp_path, monkeypatch, capsys):
    for part in ('train', 'dev', 'test'):
        (tmp_path / f'en_ewt-ud-{part}.conllu').write_text(2 * CONLLU, encoding='utf-8')
    for count in ('PHOTO_EXPRESSIONS', 'COMMANDS', 'TABLETOP'):
        monkeypatch.setattr(f'iterprime_ros.training.language.corpus.{count}', 60)
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
