"""Train the small English pipeline that reads commands and referring expressions.

The corpus is the training part of UD English EWT and generated commands and expressions whose
parses are known by construction; UD stays the majority of words and of sentences.
"""

import argparse
import sys
import time
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
from spacy.util import fix_random_seed, minibatch
from tqdm import tqdm

from iterprime_ros.training.language.corpus import corpus, ud_docs, verb_lemmas

META = {
    'name': 'referring',
    'version': '0.1.0',
    'description': 'Parts of speech and dependencies of commands and referring expressions',
    'license': 'CC BY-SA 4.0',
    'sources': [{'name': 'UD English EWT', 'license': 'CC BY-SA 4.0'}],
}
WIDTH, DEPTH, ROWS = 96, 4, 5000
BATCH = 40  # documents

_DESCRIPTION = """\
Train the spaCy pipeline of iterprime_ros.language (parts of speech and dependencies) on one CPU
core, and write it to a folder that CommandParser.load reads.

Get UD English EWT (CC BY-SA 4.0) first: https://github.com/UniversalDependencies/UD_English-EWT
"""


def pipeline() -> Language:
    """Return an untrained pipeline: a convolutional tok2vec, a morphologizer and a parser on it."""
    nlp = spacy.blank('en', meta=META)
    network = {
        '@architectures': 'spacy.HashEmbedCNN.v2',
        'width': WIDTH,
        'depth': DEPTH,
        'embed_size': ROWS,
        'window_size': 1,
        'maxout_pieces': 3,
        'subword_features': True,
        'pretrained_vectors': None,
    }
    listener = {'@architectures': 'spacy.Tok2VecListener.v1', 'width': WIDTH}
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


def train(
    nlp: Language, docs: Sequence[Doc], dev: Sequence[Doc], epochs: int, seed: int, out: Path
) -> int:
    """Train `nlp` with Adam and write it, with averaged weights, to `out` after every epoch.

    Returns the number of steps.
    """
    examples = [_example(doc) for doc in docs]
    nlp.initialize(lambda: examples)
    _add_lemmas(nlp, docs)
    optimizer = nlp.create_optimizer()
    rng = Random(seed)
    steps = 0
    total = sum(map(len, docs)) * epochs
    with tqdm(total=total, unit=' words', unit_scale=True, desc='training') as bar:
        for epoch in range(epochs):
            rng.shuffle(examples)
            optimizer.learn_rate = 1e-3 if epoch < epochs - 2 else 3e-4
            for batch in minibatch(examples, BATCH):
                nlp.update(batch, drop=0.1, sgd=optimizer)
                steps += 1
                bar.update(sum(len(example.reference) for example in batch))
            with nlp.use_params(optimizer.averages):
                nlp.to_disk(out)
                bar.write(f'epoch {epoch + 1}: {accuracy(nlp, dev[:500])}', file=sys.stderr)
    return steps


def accuracy(nlp: Language, docs: Sequence[Doc]) -> dict[str, float]:
    """Return the share of right parts of speech, heads (UAS) and labelled heads (LAS).

    The pipeline tokenises the text on its own.
    """
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    names = {'POS': 'pos_acc', 'UAS': 'dep_uas', 'LAS': 'dep_las'}
    return {short: round(scores[name], 4) for short, name in names.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write the pipeline and print its accuracy on the dev and test parts."""
    options = _options(arguments)
    paths = [options.ud / f'en_ewt-ud-{part}.conllu' for part in ('train', 'dev', 'test')]
    if missing := [path.name for path in paths if not path.is_file()]:
        print(f'{options.ud} lacks {", ".join(missing)}: give --ud their folder.', file=sys.stderr)
        return 1
    began = time.monotonic()
    fix_random_seed(options.seed)
    nlp = pipeline()
    docs = corpus(paths[0], nlp.vocab, options.seed)
    dev, test = (ud_docs(path, nlp.vocab) for path in paths[1:])
    steps = train(nlp, docs, dev, options.epochs, options.seed, options.out)
    trained = spacy.load(options.out)
    for name, part in (('dev', dev), ('test', test)):
        print(f'EWT {name}: {accuracy(trained, part)}')
    print(f'{steps} steps, seed {options.seed}, {(time.monotonic() - began) / 60:.1f} minutes')
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.training.language',
        description=_DESCRIPTION,
        epilog='example: python -m iterprime_ros.training.language --ud UD_English-EWT --out model',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--ud', type=Path, required=True, help='folder of en_ewt-ud-{train,dev,test}.conllu'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write the pipeline to')
    parser.add_argument('--seed', type=int, default=0, help='of data and weights (default: 0)')
    parser.add_argument('--epochs', type=int, default=5, help='passes over the corpus (default: 5)')
    return parser.parse_args(arguments)


def _add_lemmas(nlp: Language, docs: Sequence[Doc]) -> None:
    """Add a table of verb forms: 'handing' is a form of 'hand'."""
    lookups = Lookups()
    lookups.add_table('lemma_lookup', verb_lemmas(docs))
    lemmatizer = cast(Lemmatizer, nlp.add_pipe('lemmatizer', config={'mode': 'lookup'}))
    lemmatizer.initialize(lookups=lookups)


def _example(doc: Doc) -> Example:
    words = [token.text for token in doc]
    return Example(Doc(doc.vocab, words, [bool(token.whitespace_) for token in doc]), doc)


if __name__ == '__main__':
    sys.exit(main())
