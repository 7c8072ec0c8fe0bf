"""The small SAM and its initialisation."""

import torch

from iterprime_ros.training.masks.small_sam import copy_image_encoder, small_sam
from iterprime_ros.training.matcher.small_blip import IMAGE_SIZE, small_blip
from iterprime_ros.training.matcher.vocabulary import word_tokenizer


def test_it_is_small():
    assert sum(parameter.numel() for parameter in small_sam().parameters()) < 4e6


def test_its_image_encoder_can_be_copied_from_a_matcher():
    torch.manual_seed(0)
    matcher, sam = small_blip(word_tokenizer()).eval(), small_sam().eval()
    copy_image_encoder(sam, matcher)
    tokens = torch.randn(2, 256, 128)
    expected = matcher.vision_model.encoder(inputs_embeds=tokens).last_hidden_state
    states = tokens.unflatten(1, (16, 16))
    for layer in sam.vision_encoder.layers:
        states = layer(states)
        states = states[0] if isinstance(states, tuple) else states
    torch.testing.assert_close(states.flatten(1, 2), expected, atol=1e-4, rtol=1e-3)
    pixels = torch.randn(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    expected = matcher.vision_model.embeddings.patch_embedding(pixels)
    embedded = sam.vision_encoder.patch_embed(pixels)
    torch.testing.assert_close(embedded.permute(0, 3, 1, 2), expected)


def test_embeddings_of_neighbouring_positions_are_similar():
    """With the scale of the frequencies in transformers they would be unrelated."""
    torch.manual_seed(0)
    positions = small_sam().get_image_wide_positional_embeddings()[0]  # (D, rows, columns)
    near = torch.nn.functional.cosine_similarity(positions[..., 1:], positions[..., :-1], dim=0)
    far = torch.nn.functional.cosine_similarity(positions[..., 8:], positions[..., :-8], dim=0)
    assert near.mean() > 0.6
    assert far.mean() < 0.3
