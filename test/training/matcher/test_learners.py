"""The learner of the reading and matching stages."""

import torch

from iterprime_ros.training.matcher.learners import MatchingLearner
from iterprime_ros.training.matcher.small_blip import small_blip
from iterprime_ros.training.matcher.text_batches import MIXED_CACHED, MIXED_CENTRE, matching_batch


def test_cached_features_give_the_losses_of_the_images(rendered, vocabulary):
    torch.manual_seed(0)
    tokenizer = vocabulary.tokenizer
    learner = MatchingLearner(small_blip(tokenizer), len(tokenizer), rendered).eval()
    cached = matching_batch(rendered, vocabulary, 4, seed=0, step=1, phase=MIXED_CACHED)
    full = matching_batch(rendered, vocabulary, 4, seed=0, step=1, phase=MIXED_CENTRE)
    assert 'images' not in cached
    assert torch.equal(cached['input_ids'], full['input_ids'])
    with torch.no_grad():
        losses, expected = learner(cached), learner(full)
    for name in ('matching', 'masked', 'contrast'):
        torch.testing.assert_close(losses[name], expected[name], atol=5e-3, rtol=5e-3)
    learner.clear_cache()
    with torch.no_grad():
        assert torch.equal(learner(cached)['loss'], losses['loss'])


def test_the_image_encoder_is_frozen_while_features_are_cached(rendered, vocabulary):
    tokenizer = vocabulary.tokenizer
    learner = MatchingLearner(small_blip(tokenizer), len(tokenizer), rendered)
    for phase, is_trained in ((MIXED_CACHED, False), (MIXED_CENTRE, True)):
        learner.zero_grad()
        batch = matching_batch(rendered, vocabulary, 2, seed=0, step=2, phase=phase)
        learner(batch)['loss'].backward()
        filters = learner.model.vision_model.embeddings.patch_embedding.weight
        assert (filters.grad is not None) == is_trained
