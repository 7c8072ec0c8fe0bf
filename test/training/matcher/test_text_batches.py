"""Batches of the reading and matching stages."""

import numpy as np
import torch

from iterprime_ros.training.matcher.text_batches import (
    CAPTIONS,
    IGNORE_INDEX,
    MIXED_CACHED,
    MIXED_CENTRE,
    masked_texts,
    matching_batch,
)


def test_a_batch_depends_on_its_step_alone(rendered, vocabulary):
    def batch(step):
        return matching_batch(rendered, vocabulary, 3, seed=0, step=step, phase=MIXED_CENTRE)

    assert all(torch.equal(batch(5)[name], value) for name, value in batch(5).items())
    assert not torch.equal(batch(5)['input_ids'], batch(6)['input_ids'])


def test_labels_are_the_masked_words(rendered, vocabulary):
    batch = matching_batch(rendered, vocabulary, 3, seed=0, step=7, phase=MIXED_CACHED)
    true, masked = batch['input_ids'][:, :CAPTIONS], batch['input_ids'][:, 2 * CAPTIONS :]
    is_masked = batch['labels'] != IGNORE_INDEX
    assert is_masked.any(dim=-1).all()
    assert torch.equal(masked == vocabulary.tokenizer.mask_token_id, is_masked)
    assert torch.equal(true[is_masked], batch['labels'][is_masked])
    assert torch.equal(true[~is_masked], masked[~is_masked])


def test_the_complement_of_a_statement_is_always_masked(vocabulary):
    rng = np.random.default_rng(0)
    tokenizer = vocabulary.tokenizer
    text = tokenizer(['the leftmost small mug is red'])['input_ids'][0]
    red, small = (tokenizer.get_vocab()[word] for word in ('red', 'small'))
    labels = [masked_texts(rng, [text], ['red'], vocabulary)[1][0] for _ in range(200)]
    assert all(red in row for row in labels)
    assert 0 < sum(small in row for row in labels) < 60
