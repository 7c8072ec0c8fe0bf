"""The forward pass of the training, checked against transformers and the package."""

import torch

from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.region_match import region_logits
from iterprime_ros.training.matcher.small_blip import (
    GRID_SIZE,
    IMAGE_SIZE,
    image_features,
    load_small_blip,
    match_logits,
    small_blip,
)
from iterprime_ros.training.matcher.vocabulary import word_tokenizer

TEXTS = ['the red mug', 'small ball', 'mug that is red']
PATCHES = GRID_SIZE**2


def random_model():
    torch.manual_seed(2)
    tokenizer = word_tokenizer()
    model = small_blip(tokenizer).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.normal_(std=0.1)
    return model, tokenizer


def token_ids(tokenizer):
    return tokenizer(TEXTS, padding=True, return_tensors='pt')['input_ids']


def test_batched_logits_are_those_of_single_pairs():
    model, tokenizer = random_model()
    pixels = torch.randn(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    everything = torch.ones(2, len(TEXTS), PATCHES, dtype=torch.bool)
    ids = token_ids(tokenizer).expand(2, -1, -1)
    logits = match_logits(model, ids, image_features(model, pixels), everything)
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


def test_the_matcher_of_the_package_gives_the_same_logits_of_regions():
    model, tokenizer = random_model()
    image = torch.randint(0, 256, (3, IMAGE_SIZE, IMAGE_SIZE), dtype=torch.uint8)
    matcher = blip_matcher(model, tokenizer)
    patches = image_features(model, matcher.pixels.of_batch(image[None]))
    regions = torch.rand(2, PATCHES) < 0.1
    found = region_logits(matcher, matcher.encode_image(image), TEXTS, regions)
    shown = torch.cat([regions, ~regions, torch.ones(1, PATCHES, dtype=torch.bool)])
    for row, patches_shown in enumerate(shown):
        logits = match_logits(
            model, token_ids(tokenizer)[None], patches, patches_shown.expand(1, len(TEXTS), -1)
        )[0]
        expected = logits[:, 1] - logits[:, 0]
        given = (*found.only.T, *found.without.T, found.whole)[row]
        torch.testing.assert_close(given, expected, atol=1e-3, rtol=1e-3)


def test_a_saved_model_can_be_trained_further(tmp_path):
    model, tokenizer = random_model()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = load_small_blip(tmp_path).eval()
    pixels = torch.randn(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    torch.testing.assert_close(image_features(again, pixels), image_features(model, pixels))


def test_it_is_small():
    model = small_blip(word_tokenizer())
    assert 2e6 < sum(parameter.numel() for parameter in model.parameters()) < 8e6
