"""What the matcher is taught with: batches with and without images, and words that are masked."""

import numpy as np
import pytest
import torch

from iterprime_ros.training.matcher.__main__ import Matching
from iterprime_ros.training.matcher.small_blip import small_blip
from iterprime_ros.training.matcher.text_batches import (
    CAPTIONS,
    IGNORED,
    MIXED,
    SEEING,
    Words,
    _masked,
    matching_batch,
    recognition_batch,
)
from iterprime_ros.training.matcher.vocabulary import content_words, word_tokenizer


@pytest.fixture(scope='module')
def words():
    tokenizer = word_tokenizer()
    return Words(tokenizer, frozenset(tokenizer.get_vocab()[word] for word in content_words()))


def test_what_is_kept_of_pictures_teaches_as_the_pictures_do(rendered, words):
    torch.manual_seed(0)
    learner = Matching(small_blip(words.tokenizer), len(words.tokenizer), rendered).eval()
    kept = matching_batch(rendered, words, 4, seed=0, step=1, phase=MIXED)
    seen = matching_batch(rendered, words, 4, seed=0, step=1, phase=SEEING)
    assert 'images' not in kept
    assert torch.equal(kept['ids'], seen['ids'])
    with torch.no_grad():
        ours, plain = learner(kept), learner(seen)
    for name in ('matching', 'masked', 'contrast'):
        torch.testing.assert_close(ours[name], plain[name], atol=5e-3, rtol=5e-3)
    learner.forget()
    with torch.no_grad():
        assert torch.equal(learner(kept)['loss'], ours['loss'])


def test_no_gradient_reaches_the_encoder_while_it_rests(rendered, words):
    learner = Matching(small_blip(words.tokenizer), len(words.tokenizer), rendered)
    for phase, moves in ((MIXED, False), (SEEING, True)):
        learner.zero_grad()
        learner(matching_batch(rendered, words, 2, seed=0, step=2, phase=phase))['loss'].backward()
        filters = learner.model.vision_model.embeddings.patch_embedding.weight
        assert (filters.grad is not None) == moves


def test_batches_are_those_of_their_step(rendered, words):
    def batch(step):
        return matching_batch(rendered, words, 3, seed=0, step=step, phase=SEEING)

    assert all(torch.equal(batch(5)[name], value) for name, value in batch(5).items())
    assert not torch.equal(batch(5)['ids'], batch(6)['ids'])
    shown = recognition_batch(rendered, 3, seed=0, step=0)
    assert shown['kind'].shape == shown['colour'].shape == shown['shown'].shape
    assert ((shown['kind'] > 0) == (shown['colour'] > 0)).all()


def test_masked_words_are_guessed_and_nothing_else(rendered, words):
    batch = matching_batch(rendered, words, 3, seed=0, step=7, phase=MIXED)
    true, masked = batch['ids'][:, :CAPTIONS], batch['ids'][:, 2 * CAPTIONS :]
    hidden = batch['guessed'] != IGNORED
    assert hidden.any(dim=-1).all()
    assert torch.equal(masked == words.tokenizer.mask_token_id, hidden)
    assert torch.equal(true[hidden], batch['guessed'][hidden])
    assert torch.equal(true[~hidden], masked[~hidden])


def test_of_a_statement_what_it_says_is_masked(words):
    rng = np.random.default_rng(0)
    text = words.tokenizer(['the leftmost small mug is red'])['input_ids'][0]
    red, small = (words.tokenizer.get_vocab()[word] for word in ('red', 'small'))
    guessed = [_masked(rng, [text], ['red'], words)[1][0] for _ in range(200)]
    assert all(red in row for row in guessed)
    assert 0 < sum(small in row for row in guessed) < 60
