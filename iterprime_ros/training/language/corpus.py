"""The corpus of the language pipeline: UD English EWT and generated commands and expressions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
from spacy.tokens import Doc
from spacy.training.converters import conllu_to_docs
from spacy.vocab import Vocab

from iterprime_ros.sim.expressions import sample_command
from iterprime_ros.sim.grammar import Phrase, phrases, wordings
from iterprime_ros.training.language.commands import (
    gerund,
    order,
    question,
    tabletop_command,
    tabletop_expression,
    verbs,
)
from iterprime_ros.training.language.fragments import fragment
from iterprime_ros.training.language.lexicon import ANIMALS, PEOPLE, THINGS
from iterprime_ros.training.language.nouns import described, goal
from iterprime_ros.training.language.trees import Tree, to_doc

FRAGMENTS, COMMANDS, TABLETOP = 5000, 4000, 2000  # generated sentences, UD has 12,544
OTHER_NOUNS = 0.3  # of the things named in generated sentences
_NAMES = frozenset(PEOPLE + ANIMALS + THINGS)
_KEPT_FEATURES = ('Mood=Imp', 'VerbForm')  # what the parser of commands asks a verb


def ud_docs(path: Path, vocab: Vocab) -> list[Doc]:
    """Read a CoNLL-U file, one document a sentence, with gold tokens, tags, heads and labels.

    Of the morphology only the verb form and the imperative mood are kept. Raises
    FileNotFoundError when there is no such file.
    """
    text = path.read_text(encoding='utf-8')
    read = conllu_to_docs(text, n_sents=1, no_print=True)
    return [_copy(doc, vocab, lower=False) for doc in read]


def generated_trees(seed: int) -> Iterator[Tree]:
    """Yield commands and expressions with their parses, without end, the same for the same seed."""
    rng, draw = Random(seed), np.random.default_rng(seed)
    table = _tabletop_phrases()
    while True:
        kind = rng.random() * (FRAGMENTS + COMMANDS + TABLETOP)
        if kind < FRAGMENTS:
            yield fragment(rng)
        elif kind < FRAGMENTS + COMMANDS:
            expression = fragment(rng) if rng.random() < 0.6 else described(rng)
            if rng.random() < 0.1:
                yield question(rng, expression)
            else:
                yield order(rng, expression, goal(rng))[0]
        else:
            wording = rng.choice(wordings(rng.choice(table)))
            tree = tabletop_expression(wording)
            said = sample_command(draw, wording.text)
            yield tabletop_command(said, tree) if rng.random() < 0.5 else tree


@cache
def _tabletop_phrases() -> list[Phrase]:
    return list(phrases())


def corpus(ud: Path, vocab: Vocab, seed: int) -> list[Doc]:
    """Return the training documents: UD, a third of it as if spoken, and the generated ones."""
    rng = Random(seed)
    docs = [
        _copy(doc, vocab, lower=True) if rng.random() < 0.33 else doc for doc in ud_docs(ud, vocab)
    ]
    nouns = common_nouns(docs)
    drawn = islice(generated_trees(seed), FRAGMENTS + COMMANDS + TABLETOP)
    varied = (with_other_nouns(tree, rng, nouns) for tree in drawn)
    return docs + [
        to_doc(tree.capitalised() if rng.random() < 0.15 else tree, vocab) for tree in varied
    ]


def common_nouns(docs: Iterable[Doc]) -> list[str]:
    """Return the nouns that occur more than once, in lower case and in order."""
    seen = Counter(token.lower_ for doc in docs for token in doc if token.pos_ == 'NOUN')
    return sorted(word for word, count in seen.items() if count > 1 and word.isalpha())


def with_other_nouns(tree: Tree, rng: Random, nouns: Sequence[str]) -> Tree:
    """Return the tree with a part of the things that it names replaced by other nouns.

    A pipeline that knows only the words of the grammar guesses at 'bride' and 'batter'.
    """
    is_name = tree.pos == 'NOUN' and tree.word in _NAMES
    return replace(
        tree,
        word=rng.choice(nouns) if is_name and rng.random() < OTHER_NOUNS else tree.word,
        left=tuple(with_other_nouns(child, rng, nouns) for child in tree.left),
        right=tuple(with_other_nouns(child, rng, nouns) for child in tree.right),
    )


def verb_lemmas(docs: Iterable[Doc]) -> dict[str, str]:
    """Return the commonest lemma of every verb form that is not its own lemma."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for token in doc:
            if token.pos_ == 'VERB' and token.lemma_:
                seen[token.lower_][token.lemma_.lower()] += 1
    lemmas = {form: counts.most_common(1)[0][0] for form, counts in seen.items()}
    lemmas |= {gerund(verb): verb for verb in verbs()}
    return {form: lemma for form, lemma in sorted(lemmas.items()) if form != lemma}


def _copy(doc: Doc, vocab: Vocab, lower: bool) -> Doc:
    """Copy a document of one sentence with the features kept; `lower` makes it look spoken."""
    end = len(doc)
    if lower and end > 1 and doc[-1].pos_ == 'PUNCT' and not list(doc[-1].children):
        end -= 1
    tokens = doc[:end]
    morphs = [
        '|'.join(part for part in str(token.morph).split('|') if part.startswith(_KEPT_FEATURES))
        for token in tokens
    ]
    return Doc(
        vocab,
        words=[token.lower_ if lower else token.text for token in tokens],
        spaces=[bool(token.whitespace_) for token in tokens],
        pos=[token.pos_ for token in tokens],
        morphs=[
            morph if token.pos_ in {'VERB', 'AUX'} else ''
            for token, morph in zip(tokens, morphs, strict=True)
        ],
        lemmas=[token.lemma_ for token in tokens],
        heads=[token.head.i for token in tokens],
        deps=[token.dep_ for token in tokens],
        sent_starts=[token.i == 0 for token in tokens],
    )
