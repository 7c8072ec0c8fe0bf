"""The learners of the stages."""

import torch

from iterprime_ros.training.matcher.learners import RecognitionLearner, RegionLearner
from iterprime_ros.training.matcher.recognition_batches import LABELS, recognition_batch
from iterprime_ros.training.matcher.region_batches import region_batch
from iterprime_ros.training.matcher.small_blip import small_blip
from iterprime_ros.training.matcher.vocabulary import word_tokenizer


def test_recognition_has_a_loss_and_accuracies(rendered):
    torch.manual_seed(0)
    learner = RecognitionLearner(small_blip(word_tokenizer()))
    scalars = learner(recognition_batch(rendered, 2, seed=0, step=0))
    scalars['loss'].backward()
    assert learner.vision_model.embeddings.patch_embedding.weight.grad is not None
    assert all(0 <= scalars[name] <= 1 for name in LABELS)


def test_cached_features_give_the_loss_of_unchanged_images(rendered):
    torch.manual_seed(0)
    learner = RegionLearner(small_blip(word_tokenizer()), rendered).eval()
    cached = region_batch(rendered, 4, seed=0, step=1, with_images=False)
    full = region_batch(rendered, 4, seed=0, step=1, with_images=True)
    full['gain'], full['offset'] = torch.ones(4, 3, 1, 1), torch.zeros(4, 1, 1, 1)
    assert torch.equal(cached['input_ids'], full['input_ids'])
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(
            learner(cached)['loss'], learner(full)['loss'], atol=2e-2, rtol=2e-2
        )


def test_the_image_encoder_is_frozen_while_features_are_cached(rendered):
    learner = RegionLearner(small_blip(word_tokenizer()), rendered)
    for with_images in (False, True):
        learner.zero_grad()
        batch = region_batch(rendered, 2, seed=0, step=2, with_images=with_images)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            learner(batch)['loss'].backward()
        weight = learner.model.vision_model.embeddings.patch_embedding.weight
        assert (weight.grad is not None) == with_images
