"""The spaCy pipeline of iterprime_ros.language: its architecture, training and evaluation."""

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import cast

import spacy
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.pipeline import Lemmatizer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from tqdm import tqdm

from iterprime_ros.training.language.corpus import verb_lemmas

_META = {
    'name': 'referring',
    'version': '0.1.0',
    'description': 'Parts of speech and dependencies of commands and referring expressions',
    'license': 'CC BY-SA 4.0',
    'sources': [{'name': 'UD English EWT', 'license': 'CC BY-SA 4.0'}],
}
_WIDTH, _DEPTH, _EMBEDDING_ROWS = 96, 4, 5000
_BATCH_SIZE = 40  # documents
_DEV_DOCS = 500  # evaluated after every epoch
_RATE, _FINAL_RATE, _FINAL_EPOCHS = 1e-3, 3e-4, 2  # learning rates; the last epochs use the second


def untrained_pipeline() -> Language:
    """Return a pipeline of a convolutional tok2vec, a morphologizer and a dependency parser."""
    nlp = spacy.blank('en', meta=_META)
    network = {
        '@architectures': 'spacy.HashEmbedCNN.v2',
        'width': _WIDTH,
        'depth': _DEPTH,
        'embed_size': _EMBEDDING_ROWS,
        'window_size': 1,
        'maxout_pieces': 3,
        'subword_features': True,
        'pretrained_vectors': None,
    }
    listener = {'@architectures': 'spacy.Tok2VecListener.v1', 'width': _WIDTH}
    nlp.add_pipe('tok2vec', config={'model': network})
    tagger = {'@architectures': 'spacy.Tagger.v2', 'tok2vec': listener}
    nlp.add_pipe('morphologizer', config={'model': tagger})
    parser = {
        '@architectures': 'spacy.TransitionBasedParser.v2',
        'state_type': 'parser',
        'extra_state_tokens': False,
        'hidden_width': 64,
        'maxout_pieces': 2,
        'use_upper': True,
        'tok2vec': listener,
    }
    nlp.add_pipe('parser', config={'model': parser})
    return nlp


def train_pipeline(
    nlp: Language, docs: Sequence[Doc], dev: Sequence[Doc], epochs: int, seed: int, out: Path
) -> int:
    """Train `nlp` with Adam, and write it with averaged weights after every epoch.

    nlp: an untrained pipeline; a lemmatizer for verbs is added to it.
    docs: training documents.
    dev: documents whose accuracy is printed after every epoch.
    epochs: passes over the training documents.
    seed: seed of the order of the documents.
    out: folder that the pipeline is written to.

    Returns the number of training steps.
    """
    examples = [_example(doc) for doc in docs]
    nlp.initialize(lambda: examples)
    _add_lemmatizer(nlp, docs)
    optimizer = nlp.create_optimizer()
    rng = Random(seed)
    steps = 0
    total = sum(map(len, docs)) * epochs
    with tqdm(total=total, unit=' words', unit_scale=True, desc='training') as bar:
        for epoch in range(epochs):
            rng.shuffle(examples)
            optimizer.learn_rate = _RATE if epoch < epochs - _FINAL_EPOCHS else _FINAL_RATE
            for batch in minibatch(examples, _BATCH_SIZE):
                nlp.update(batch, drop=0.1, sgd=optimizer)
                steps += 1
                bar.update(sum(len(example.reference) for example in batch))
            with nlp.use_params(optimizer.averages):
                nlp.to_disk(out)
                bar.write(f'epoch {epoch + 1}: {accuracy(nlp, dev[:_DEV_DOCS])}', file=sys.stderr)
    return steps


def accuracy(nlp: Language, docs: Sequence[Doc]) -> dict[str, float]:
    """Return the accuracy of parts of speech (POS), heads (UAS) and labelled heads (LAS).

    The texts of the documents are tokenised by the pipeline.
    """
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    names = {'POS': 'pos_acc', 'UAS': 'dep_uas', 'LAS': 'dep_las'}
    return {short: round(scores[name], 4) for short, name in names.items()}


def _add_lemmatizer(nlp: Language, docs: Sequence[Doc]) -> None:
    """Add a lemmatizer with a table of verb forms, e.g. 'handing' to 'hand'."""
    lookups = Lookups()
    lookups.add_table('lemma_lookup', verb_lemmas(docs))
    lemmatizer = cast(Lemmatizer, nlp.add_pipe('lemmatizer', config={'mode': 'lookup'}))
    lemmatizer.initialize(lookups=lookups)


def _example(doc: Doc) -> Example:
    words = [token.text for token in doc]
    return Example(Doc(doc.vocab, words, [bool(token.whitespace_) for token in doc]), doc)
