"""The forward pass of the training, checked against transformers and the package."""

import torch

from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.training.matcher.small_blip import (
    contrastive_loss,
    image_features,
    small_blip,
    text_features,
)
from iterprime_ros.training.matcher.vocabulary import word_tokenizer

TEXTS = ['the red mug', 'small ball left of the blue plate', 'the leftmost cup is red']


def random_model():
    torch.manual_seed(2)
    tokenizer = word_tokenizer()
    model = small_blip(tokenizer).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.normal_(std=0.15)
    return model, tokenizer


def test_batched_logits_are_those_of_single_pairs():
    model, tokenizer = random_model()
    pixels = torch.randn(2, 3, 192, 192)
    ids = tokenizer(TEXTS, padding=True, return_tensors='pt')['input_ids']
    patches = image_features(model, pixels)
    hidden = text_features(model, ids.expand(2, -1, -1), patches)
    logits = model.itm_head(hidden[:, :, 0])
    for image in range(2):
        for row, text in enumerate(TEXTS):
            encoding = tokenizer(text, return_tensors='pt')
            expected = model(
                input_ids=encoding['input_ids'],
                pixel_values=pixels[image : image + 1],
                attention_mask=encoding['attention_mask'],
                use_itm_head=True,
            ).itm_score
            torch.testing.assert_close(logits[image, row], expected[0], atol=1e-4, rtol=1e-3)


def test_the_matcher_of_the_package_gives_the_same_logits():
    model, tokenizer = random_model()
    image = torch.randint(0, 256, (3, 192, 192), dtype=torch.uint8)
    matcher = blip_matcher(model, tokenizer)
    ids = tokenizer(TEXTS, padding=True, return_tensors='pt')['input_ids'][None]
    pixels = matcher.pixels.of_batch(image[None])
    logits = model.itm_head(text_features(model, ids, image_features(model, pixels))[0, :, 0])
    keep = torch.ones(len(TEXTS), 256, dtype=torch.bool)
    attended = matcher.attend(
        matcher.encode_image(image), matcher.encode_text(TEXTS), keep, block=1
    )
    margin = torch.logit(attended.probability)
    torch.testing.assert_close(margin, logits[:, 1] - logits[:, 0], atol=1e-4, rtol=1e-3)


def test_selected_patches_keep_their_positions():
    model, _ = random_model()
    pixels = torch.randn(1, 3, 192, 192)
    whole = image_features(model, pixels)
    torch.testing.assert_close(image_features(model, pixels, torch.arange(256)[None]), whole)
    part = image_features(model, pixels, torch.tensor([[3, 40, 200]]))
    assert part.shape == (1, 4, whole.shape[-1])
    assert not torch.allclose(part[0, 1], whole[0, 4])  # attention is limited to the part


def test_the_contrastive_loss_ignores_pairs_that_are_not_negative():
    model, tokenizer = random_model()
    patches = image_features(model, torch.randn(2, 3, 192, 192))
    ids = tokenizer(TEXTS[:2], padding=True, return_tensors='pt')['input_ids']
    none = torch.zeros(2, 2, dtype=torch.bool)
    assert contrastive_loss(model, patches, ids, none) == 0
    assert contrastive_loss(model, patches, ids, ~none) > 0


def test_it_is_small():
    model = small_blip(word_tokenizer())
    assert 2e6 < sum(parameter.numel() for parameter in model.parameters()) < 8e6
