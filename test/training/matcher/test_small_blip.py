"""The forward pass of the training against that of transformers, and of the package."""

import torch

from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.training.masks.__main__ import small_sam
from iterprime_ros.training.matcher.small_blip import contrast, encoded, fused, small_blip
from iterprime_ros.training.matcher.vocabulary import word_tokenizer

TEXTS = ['the red mug', 'small ball left of the blue plate', 'the leftmost cup is red']


def shaken():
    torch.manual_seed(2)
    tokenizer = word_tokenizer()
    model = small_blip(tokenizer).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.normal_(std=0.15)
    return model, tokenizer


def test_many_texts_on_many_images_are_what_each_pair_is_alone():
    model, tokenizer = shaken()
    pixels = torch.randn(2, 3, 192, 192)
    ids = tokenizer(TEXTS, padding=True, return_tensors='pt')['input_ids']
    logits = model.itm_head(fused(model, encoded(model, pixels), ids.expand(2, -1, -1))[:, :, 0])
    for image in range(2):
        for row, text in enumerate(TEXTS):
            alone = tokenizer(text, return_tensors='pt')
            wanted = model(
                input_ids=alone['input_ids'],
                pixel_values=pixels[image : image + 1],
                attention_mask=alone['attention_mask'],
                use_itm_head=True,
            ).itm_score
            torch.testing.assert_close(logits[image, row], wanted[0], atol=1e-4, rtol=1e-3)


def test_the_package_reads_a_trained_model_as_the_training_does():
    model, tokenizer = shaken()
    image = torch.randint(0, 256, (3, 192, 192), dtype=torch.uint8)
    matcher = blip_matcher(model, tokenizer)
    ids = tokenizer(TEXTS, padding=True, return_tensors='pt')['input_ids'][None]
    pixels = matcher.pixels.of_batch(image[None])
    logits = model.itm_head(fused(model, encoded(model, pixels), ids)[0, :, 0])
    keep = torch.ones(len(TEXTS), 256, dtype=torch.bool)
    attended = matcher.attend(
        matcher.encode_image(image), matcher.encode_text(TEXTS), keep, block=1
    )
    torch.testing.assert_close(attended.logit, logits[:, 1], atol=1e-4, rtol=1e-3)


def test_shown_patches_are_gathered_with_their_positions():
    model, _ = shaken()
    pixels = torch.randn(1, 3, 192, 192)
    everything = encoded(model, pixels)
    torch.testing.assert_close(encoded(model, pixels, torch.arange(256)[None]), everything)
    some = encoded(model, pixels, torch.tensor([[3, 40, 200]]))
    assert some.shape == (1, 4, everything.shape[-1])
    assert not torch.allclose(some[0, 1], everything[0, 4])  # it sees less


def test_contrast_forgives_texts_that_may_be_true_of_other_images():
    model, tokenizer = shaken()
    patches = encoded(model, torch.randn(2, 3, 192, 192))
    ids = tokenizer(TEXTS[:2], padding=True, return_tensors='pt')['input_ids']
    none = torch.zeros(2, 2, dtype=torch.bool)
    assert contrast(model, patches, ids, none) == 0
    assert contrast(model, patches, ids, ~none) > 0


def test_the_models_are_small():
    def millions(model):
        return sum(parameter.numel() for parameter in model.parameters()) / 1e6

    assert 2 < millions(small_blip(word_tokenizer())) < 8
    assert millions(small_sam()) < 4
