"""The vocabulary has a token for every word of the noun phrases that training draws."""

import numpy as np

from iterprime_ros.sim.grammar import Description, descriptions
from iterprime_ros.training.matcher.vocabulary import (
    UNKNOWN_WORD,
    noun_phrase,
    plural,
    word_tokenizer,
    words,
)


def test_every_word_of_a_noun_phrase_is_one_token():
    rng = np.random.default_rng(0)
    tokenizer = word_tokenizer()
    drawn = [noun_phrase(rng, each) for each in descriptions() for _ in range(20)]
    known = [text for text in drawn if UNKNOWN_WORD not in text]
    assert len(known) > len(drawn) / 2
    for text in known:
        ids = tokenizer(text)['input_ids']
        assert tokenizer.unk_token_id not in ids
        assert len(ids) == len(text.split()) + 2


def test_a_noun_phrase_says_its_description():
    rng = np.random.default_rng(1)
    texts = {noun_phrase(rng, Description('mug', 'red', 'small')) for _ in range(300)}
    assert {'small red mug', 'the little red cup', 'small mug that is red'} <= texts
    assert all(any(noun in text for noun in ('mug', 'cup')) for text in texts)


def test_an_unknown_noun_replaces_the_noun():
    rng = np.random.default_rng(1)
    texts = [noun_phrase(rng, Description('mug', 'red'), is_unknown=True) for _ in range(50)]
    assert all('mug' not in text and 'cup' not in text for text in texts)
    assert all(UNKNOWN_WORD in text for text in texts)


def test_plurals_are_words():
    assert plural('box') == 'boxes'
    assert plural('dish') == 'dishes'
    assert {'boxes', 'dishes', 'mugs', 'objects'} <= set(words())
