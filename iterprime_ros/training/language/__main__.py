"""Train the spaCy pipeline that parses commands and referring expressions.

The corpus is the training part of UD English EWT, and generated commands and expressions whose
parses are known by construction. UD has the majority of the words and of the sentences.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import spacy
from spacy.util import fix_random_seed

from iterprime_ros.training.language.corpus import corpus, ud_docs
from iterprime_ros.training.language.spacy_pipeline import (
    accuracy,
    train_pipeline,
    untrained_pipeline,
)

_DESCRIPTION = """\
Train the spaCy pipeline of iterprime_ros.language (parts of speech and dependencies) on one CPU
core, and write it to a folder that CommandParser.load reads.

First download UD English EWT (CC BY-SA 4.0):
https://github.com/UniversalDependencies/UD_English-EWT
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write the pipeline, and print its accuracy on the dev and test parts of UD."""
    options = _options(arguments)
    paths = [options.ud / f'en_ewt-ud-{part}.conllu' for part in ('train', 'dev', 'test')]
    if missing := [path.name for path in paths if not path.is_file()]:
        print(
            f'{options.ud} lacks {", ".join(missing)}: pass the folder of UD English EWT as --ud.',
            file=sys.stderr,
        )
        return 1
    start = time.monotonic()
    fix_random_seed(options.seed)
    nlp = untrained_pipeline()
    docs = corpus(paths[0], nlp.vocab, options.seed)
    dev, test = (ud_docs(path, nlp.vocab) for path in paths[1:])
    steps = train_pipeline(nlp, docs, dev, options.epochs, options.seed, options.out)
    trained = spacy.load(options.out)
    for name, part in (('dev', dev), ('test', test)):
        print(f'EWT {name}: {accuracy(trained, part)}')
    print(f'{steps} steps, seed {options.seed}, {(time.monotonic() - start) / 60:.1f} minutes')
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
    parser.add_argument(
        '--out', type=Path, required=True, help='folder that the pipeline is written to'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of data and weights (default: %(default)s)'
    )
    parser.add_argument(
        '--epochs', type=int, default=5, help='passes over the corpus (default: %(default)s)'
    )
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
