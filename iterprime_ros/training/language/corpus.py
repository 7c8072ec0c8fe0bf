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
    action_verbs,
    gerund,
    sample_command_tree,
    sample_question_tree,
    tabletop_command_tree,
    tabletop_expression_tree,
)
from iterprime_ros.training.language.lexicon import ANIMALS, OBJECTS, PEOPLE
from iterprime_ros.training.language.nouns import sample_noun_phrase, sample_short_noun_phrase
from iterprime_ros.training.language.photo_expressions import sample_photo_expression
from iterprime_ros.training.language.trees import Tree, to_doc

PHOTO_EXPRESSIONS, COMMANDS, TABLETOP = 5000, 4000, 2000  # sentences; UD has 12,544
_LOWERED_SHARE, _CAPITALISED_SHARE = 0.33, 0.15  # of the sentences of UD, and of the generated
_REPLACED_NOUNS = 0.3  # share of the object nouns in generated sentences
_OBJECT_NOUNS = frozenset(PEOPLE + ANIMALS + OBJECTS)
_KEPT_FEATURES = ('Mood=Imp', 'VerbForm')  # the morphology that the command parser uses


def ud_docs(path: Path, vocab: Vocab) -> list[Doc]:
    """Return the sentences of a CoNLL-U file as documents with gold tokens, tags and parses.

    Of the morphology only the verb form and the imperative mood are kept.

    Raises FileNotFoundError if there is no such file.
    """
    text = path.read_text(encoding='utf-8')
    docs = conllu_to_docs(text, n_sents=1, no_print=True)
    return [_copy(doc, vocab, lowered=False) for doc in docs]


def generated_trees(seed: int) -> Iterator[Tree]:
    """Yield commands and expressions without end; the same seed yields the same trees."""
    rng, numpy_rng = Random(seed), np.random.default_rng(seed)
    tabletop = _tabletop_phrases()
    while True:
        choice = rng.random() * (PHOTO_EXPRESSIONS + COMMANDS + TABLETOP)
        if choice < PHOTO_EXPRESSIONS:
            yield sample_photo_expression(rng)
        elif choice < PHOTO_EXPRESSIONS + COMMANDS:
            is_modified = rng.random() < 0.6
            expression = sample_photo_expression(rng) if is_modified else sample_noun_phrase(rng)
            if rng.random() < 0.1:
                yield sample_question_tree(rng, expression)
            else:
                destination = sample_short_noun_phrase(rng, 'the')
                yield sample_command_tree(rng, expression, destination)[0]
        else:
            wording = rng.choice(wordings(rng.choice(tabletop)))
            tree = tabletop_expression_tree(wording)
            command = sample_command(numpy_rng, wording.text)
            yield tabletop_command_tree(command, tree) if rng.random() < 0.5 else tree


@cache
def _tabletop_phrases() -> list[Phrase]:
    return list(phrases())


def corpus(ud: Path, vocab: Vocab, seed: int) -> list[Doc]:
    """Return the training documents: UD, a third of it in lower case, and generated sentences."""
    rng = Random(seed)
    docs = [
        _copy(doc, vocab, lowered=True) if rng.random() < _LOWERED_SHARE else doc
        for doc in ud_docs(ud, vocab)
    ]
    nouns = common_nouns(docs)
    trees = islice(generated_trees(seed), PHOTO_EXPRESSIONS + COMMANDS + TABLETOP)
    varied = (with_replaced_nouns(tree, rng, nouns) for tree in trees)
    return docs + [
        to_doc(tree.capitalised() if rng.random() < _CAPITALISED_SHARE else tree, vocab)
        for tree in varied
    ]


def common_nouns(docs: Iterable[Doc]) -> list[str]:
    """Return the nouns that occur more than once, in lower case, sorted."""
    counts = Counter(token.lower_ for doc in docs for token in doc if token.pos_ == 'NOUN')
    return sorted(word for word, count in counts.items() if count > 1 and word.isalpha())


def with_replaced_nouns(tree: Tree, rng: Random, nouns: Sequence[str]) -> Tree:
    """Return the tree with a share of its object nouns replaced by random ones of `nouns`.

    Otherwise the pipeline would mistag nouns that are not in the lexicon.
    """
    is_object = tree.pos == 'NOUN' and tree.word in _OBJECT_NOUNS
    return replace(
        tree,
        word=rng.choice(nouns) if is_object and rng.random() < _REPLACED_NOUNS else tree.word,
        left=tuple(with_replaced_nouns(child, rng, nouns) for child in tree.left),
        right=tuple(with_replaced_nouns(child, rng, nouns) for child in tree.right),
    )


def verb_lemmas(docs: Iterable[Doc]) -> dict[str, str]:
    """Return the most frequent lemma of every verb form that differs from it."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for token in doc:
            if token.pos_ == 'VERB' and token.lemma_:
                counts[token.lower_][token.lemma_.lower()] += 1
    lemmas = {form: counter.most_common(1)[0][0] for form, counter in counts.items()}
    lemmas |= {gerund(verb): verb for verb in action_verbs()}
    return {form: lemma for form, lemma in sorted(lemmas.items()) if form != lemma}


def _copy(doc: Doc, vocab: Vocab, lowered: bool) -> Doc:
    """Copy a document of one sentence; lowered: in lower case, without final punctuation."""
    end = len(doc)
    if lowered and end > 1 and doc[-1].pos_ == 'PUNCT' and not list(doc[-1].children):
        end -= 1
    tokens = doc[:end]
    morphs = [
        '|'.join(part for part in str(token.morph).split('|') if part.startswith(_KEPT_FEATURES))
        for token in tokens
    ]
    return Doc(
        vocab,
        words=[token.lower_ if lowered else token.text for token in tokens],
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
