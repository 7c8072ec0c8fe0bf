"""The heatmaps and matches of our matcher are those that LAVIS computes with the same object."""

import contextlib
import copy

import pytest
import torch
from lavis.models.albef_models.albef_retrieval import AlbefRetrieval
from lavis.models.blip_models.blip_image_text_matching import compute_gradcam
from lavis.models.med import XBertEncoder
from lavis.models.vit import VisionTransformerEncoder
from lavis.processors.blip_processors import BlipImageEvalProcessor
from lavis_models import shaken
from PIL import Image

from iterprime_ros.grounding.gradcam import token_maps
from iterprime_ros.grounding.lavis import lavis_matcher

TEXTS = ['there is a red umbrella left of the blue mug', 'the ball']


def lavis_way(maps):
    """From C (H, T, N) the rows of compute_gradcam: [ENC], the mean of the words, every token."""
    tokens = maps.mean(dim=0)
    return torch.cat([tokens[:1], tokens[1:-1].mean(dim=0, keepdim=True), tokens[1:]])


def tokenized(model, texts):
    return model.tokenizer(
        texts,
        padding='longest',
        truncation=True,
        max_length=model.max_txt_len,
        return_tensors='pt',
    )


@pytest.mark.parametrize(('block', 'row'), [(6, 0), (8, 1)])
def test_the_heatmap_is_that_of_compute_gradcam(blip_itm, matcher, image, block, row):
    texts = matcher.encode_text(TEXTS)
    keep = torch.ones(len(TEXTS), 24 * 24, dtype=torch.bool)
    ours = matcher.attend(matcher.encode_image(image), texts, keep, block)
    length = int(texts.real[row].sum())
    maps, _ = token_maps(ours.attention[row, :, :length], ours.gradient[row, :, :length])
    found = lavis_way(maps)

    model, words = copy.deepcopy(blip_itm), TEXTS[row : row + 1]  # it keeps recording attention
    listed, logits = compute_gradcam(
        model, matcher.pixels(image), words, tokenized(model, words), block
    )
    expected = listed[0].flatten(1)
    assert expected.max() > 1e-3  # there is something to compare
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * expected.max().item())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    probability = logits.softmax(-1)[0, 1].item()
    assert ours.probability[row].item() == pytest.approx(probability, abs=1e-5)


@torch.no_grad()
def test_regions_match_as_a_whole_forward_pass_says(blip_itm, matcher, image):
    generator = torch.Generator().manual_seed(1)
    keep = torch.rand(4, 24 * 24, generator=generator) < torch.tensor([[0.02], [0.3], [0.9], [2]])
    found = matcher.match(matcher.encode_image(image), matcher.encode_text(TEXTS), keep)
    patches = blip_itm.visual_encoder.forward_features(matcher.pixels(image))
    for row, words in enumerate(TEXTS):
        text = tokenized(blip_itm, [words])
        ids = text.input_ids.clone()
        ids[:, 0] = blip_itm.tokenizer.enc_token_id
        for column, shown in enumerate(keep):
            hidden = blip_itm.text_encoder(
                ids,
                attention_mask=text.attention_mask,
                encoder_hidden_states=patches,
                encoder_attention_mask=torch.cat([torch.ones(1), shown.float()])[None],
                return_dict=True,
            ).last_hidden_state
            against, match = blip_itm.itm_head(hidden[0, 0]).tolist()
            assert found[row, column].item() == pytest.approx(match - against, abs=1e-4)


def test_images_are_preprocessed_as_lavis_does(matcher):
    generator = torch.Generator().manual_seed(2)
    picture = torch.randint(0, 256, (3, 480, 640), generator=generator, dtype=torch.uint8)
    pillow = Image.fromarray(picture.permute(1, 2, 0).numpy())
    expected = BlipImageEvalProcessor(image_size=384)(pillow)
    found = matcher.pixels(picture)[0]
    one_level = 1 / 255 / 0.26  # Pillow and PyTorch round a few values to different levels
    assert (found - expected).abs().max() <= 1.01 * one_level
    assert (found - expected).abs().mean() < 0.01 * one_level


def test_the_layers_are_blip_base(matcher):
    assert matcher.fusion_blocks == range(12)
    assert matcher.grid == (24, 24)
    assert matcher.max_tokens == 35


def test_the_object_goes_on_working(blip_itm, image):
    """lavis_matcher freezes an object, and LAVIS still computes the same logits with it."""
    same = copy.deepcopy(blip_itm)
    pixels = lavis_matcher(same).pixels(image)
    samples = {'image': pixels, 'text_input': TEXTS[:1]}
    with torch.no_grad():
        torch.testing.assert_close(same(samples), blip_itm(samples), rtol=0, atol=1e-4)
    assert not any(parameter.requires_grad for parameter in same.parameters())


def test_an_albef_of_lavis_is_a_matcher_too(vocabulary, image):
    """compute_gradcam fails on it: the oracle is its own forward and backward pass."""
    settings = {'vit_type': 'base', 'med_config_path': 'configs/models/med_config_albef.json'}
    torch.manual_seed(0)
    with contextlib.chdir(vocabulary.parent):
        model = AlbefRetrieval(
            VisionTransformerEncoder.from_config(settings),
            XBertEncoder.from_config(settings),
            queue_size=8,
        )
    model = shaken(model.eval())
    matcher = lavis_matcher(model)
    assert matcher.fusion_blocks == range(6, 12)
    keep = torch.ones(1, 24 * 24, dtype=torch.bool)
    found = matcher.attend(matcher.encode_image(image), matcher.encode_text(TEXTS[:1]), keep, 8)

    model.text_encoder.requires_grad_(True)
    cross = model.text_encoder.encoder.layer[8].crossattention.self
    cross.save_attention = True
    patches = model.visual_encoder.forward_features(matcher.pixels(image))
    text = tokenized(model, TEXTS[:1])
    alone = model.text_encoder.forward_text(text).last_hidden_state
    hidden = model.text_encoder(
        encoder_embeds=alone,
        attention_mask=text.attention_mask,
        encoder_hidden_states=patches,
        encoder_attention_mask=torch.ones(1, 1 + 24 * 24),
        return_dict=True,
        mode='fusion',
    ).last_hidden_state
    logits = model.itm_head(hidden[:, 0])
    logits[0, 1].backward()
    attention, gradient = cross.get_attention_map(), cross.get_attn_gradients()
    torch.testing.assert_close(found.attention, attention[..., 1:].detach(), rtol=0, atol=1e-5)
    scale = gradient.abs().max().item()
    torch.testing.assert_close(found.gradient, gradient[..., 1:], rtol=0, atol=1e-4 * scale)
    probability = logits.softmax(-1)[0, 1].item()
    assert found.probability.item() == pytest.approx(probability, abs=1e-5)
