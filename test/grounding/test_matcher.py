"""The matcher's contract, beyond what the comparison with the plain way holds."""

import gc
import json
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from transformers import BlipConfig, BlipForImageTextRetrieval

from helpers.tiny_blip import STEM, WORDS, tiny_blip, tiny_tokenizer
from iterprime_ros.conv_stem import ConvStem
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.blip import blip_matcher, load_blip
from iterprime_ros.grounding.fusion import Pixels
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import OURS
from iterprime_ros.weights import Placement

OFFLINE = Placement(local_files_only=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A model in the format of the hub."""
    folder = tmp_path_factory.mktemp('blip')
    tiny_blip().save_pretrained(folder)
    tiny_tokenizer(WORDS).save_pretrained(folder)
    return folder


def test_what_is_saved_is_loaded(folder, image):
    loaded = load_blip(folder, placement=OFFLINE)
    original = blip_matcher(tiny_blip(), tiny_tokenizer(WORDS))
    said = Expression('the red mug', (8, 11), ((4, 7), (8, 11)))
    chosen = OURS.model_copy(update={'block': 1})
    one, other = (
        ground(each, each.encode_image(image), [said], chosen)[0] for each in (loaded, original)
    )
    assert torch.equal(one.heatmap, other.heatmap)


def test_a_folder_in_half_precision_is_loaded_whole(tmp_path, image):
    tiny_blip().to(torch.bfloat16).save_pretrained(tmp_path)
    tiny_tokenizer(WORDS).save_pretrained(tmp_path)
    matcher = load_blip(tmp_path, placement=OFFLINE)
    assert matcher.head.weight.dtype == torch.float32
    said = Expression('the red mug', (8, 11), ((4, 7), (8, 11)))
    chosen = OURS.model_copy(update={'block': 1})
    (grounding,) = ground(matcher, matcher.encode_image(image), [said], chosen)
    assert grounding.heatmap.dtype == torch.float32


@pytest.fixture(scope='module')
def stem_folder(tmp_path_factory):
    """A model with a convolutional stem, in the format of the hub."""
    folder = tmp_path_factory.mktemp('stem')
    tiny_blip(stem=STEM).half().save_pretrained(folder)
    tiny_tokenizer(WORDS).save_pretrained(folder)
    return folder


def with_stem(stem_folder, tmp_path, stem):
    """A copy of the folder whose config.json has another stem, or none."""
    folder = shutil.copytree(stem_folder, tmp_path / 'copy')
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    config['vision_config']['patch_stem'] = stem
    path.write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_stem_is_loaded_before_its_weights(stem_folder, image, dtype):
    loaded = load_blip(stem_folder, placement=Placement('cpu', dtype, local_files_only=True))
    original = tiny_blip(stem=STEM).half().float()
    assert isinstance(loaded.vision.embeddings.patch_embedding, ConvStem)
    assert not loaded.vision.embeddings.patch_embedding.training  # of its statistics
    pixels = loaded.pixels(image)
    with torch.no_grad():
        expected = original.vision_model.to(dtype)(pixels.to(dtype)).last_hidden_state
        found = loaded.vision(pixels.to(dtype)).last_hidden_state
    assert torch.equal(found, expected)
    memory = loaded.encode_image(image)
    assert memory[0][0].shape == (4, 1 + 25, 8)


@pytest.mark.parametrize(
    ('stem', 'message'),
    [
        (None, r'2 missing: vision_model\.embeddings\.patch_embedding\.bias'),
        (7, 'patch_stem describes no stem'),
        ([], 'patch_stem describes no stem'),
        ({}, 'patch_stem describes no stem'),
        ({**STEM, 'depth': 1}, 'patch_stem describes no stem'),
        ({**STEM, 'strides': ['2', 4]}, 'patch_stem describes no stem'),
        ({**STEM, 'strides': [8]}, 'patch_stem describes no stem'),
        ({**STEM, 'width': 25}, 'patches of 25 channels and 8 pixels, not of 24 and 8'),
        ({**STEM, 'strides': [2, 2]}, 'patches of 24 channels and 4 pixels, not of 24 and 8'),
        ({**STEM, 'channels': [4, 10**9]}, r'of another shape: .*patch_embedding'),
        ({**STEM, 'blocks': [1, 1]}, r'12 missing: .*patch_embedding'),
        ({**STEM, 'blocks': [0, 0]}, r'6 missing: .*patch_embedding'),
    ],
)
def test_a_stem_that_does_not_fit_is_one_sentence(stem_folder, tmp_path, stem, message):
    folder = with_stem(stem_folder, tmp_path, stem)
    with pytest.raises(WeightsMismatchError, match=message) as caught:
        load_blip(folder, placement=OFFLINE)
    assert str(folder) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_weights_without_the_stem_of_their_config_are_refused(folder, tmp_path):
    with pytest.raises(WeightsMismatchError, match=r'26 missing: .*patch_embedding\.projection'):
        load_blip(with_stem(folder, tmp_path, STEM), placement=OFFLINE)


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_nothing_is_left_to_train_or_to_keep(folder, image, device):
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('no CUDA device')
    matcher = load_blip(folder, placement=Placement(device, local_files_only=True))
    memory = matcher.encode_image(image.to(device))
    assert not any(each.requires_grad for pair in memory for each in pair)
    text = matcher.encode_text(['there is a red mug'])
    attended = matcher.attend(memory, text, torch.ones(1, 25, dtype=torch.bool, device=device), 1)
    assert not any(each.requires_grad for each in vars(attended).values())
    assert not any(each.requires_grad for each in matcher.vision.parameters())
    for module in (matcher.vision, *matcher.layers):
        for part in module.modules():
            assert not part._forward_hooks  # noqa: SLF001
            assert not part._backward_hooks  # noqa: SLF001


def test_two_hundred_calls_leave_nothing_behind(matcher, image):
    said = Expression('the red mug', (8, 11), ((4, 7), (8, 11)))
    chosen = OURS.model_copy(update={'block': 1})

    def calls(count):
        for _ in range(count):
            ground(matcher, matcher.encode_image(image), [said], chosen)
        gc.collect()
        return psutil.Process().memory_info().rss, sum(map(torch.is_tensor, gc.get_objects()))

    before, tensors = calls(50)
    after, tensors_after = calls(200)
    assert after - before < 2e6
    assert tensors_after <= tensors


@pytest.mark.parametrize('size', [(40, 40), (37, 50), (200, 120), (7, 300)])
def test_pixels_are_resized_as_pillow_does(size):
    """BLIP was trained on images that Pillow resized bicubically to whole levels."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    rng = np.random.default_rng(0)
    smooth = 127 + 100 * np.sin(rows / 7)[..., None] * np.cos(columns / 11)[..., None]
    levels = (smooth + rng.normal(0, 20, (*size, 3))).clip(0, 255).astype(np.uint8)
    pixels = Pixels(48)(torch.from_numpy(levels).permute(2, 0, 1))
    expected = np.asarray(Image.fromarray(levels).resize((48, 48), Image.Resampling.BICUBIC))
    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    std = np.array([0.26862954, 0.26130258, 0.27577711])
    back = (pixels[0].permute(1, 2, 0).numpy() * std + mean) * 255
    difference = np.abs(back - expected)
    assert difference.max() < 1.01
    assert difference.mean() < 0.25


def test_a_long_text_is_cut_and_says_so(matcher):
    short, long = matcher.encode_text(['there is a mug', 'red ' * 5000]).truncated
    assert (short, long) == (False, True)
    text = matcher.encode_text(['red ' * 5000])
    assert text.real.shape[1] == matcher.max_tokens
    assert text.offsets[0][-1] == (0, 0)  # [SEP] is still there


def test_offsets_are_those_of_the_words(matcher):
    text = matcher.encode_text(['the umbrella'])
    words = ['the umbrella'[slice(*span)] for span in text.offsets[0]]
    assert words == ['', 'the', 'um', 'brel', 'la', '']


def test_special_tokens_in_a_command_are_words(matcher):
    """Their ids would end the text early, or hide what follows."""
    text = 'the [SEP] mug [PAD] [CLS] ball'
    batch = matcher.encode_text([text, 'the mug'])
    words = [text[slice(*span)] for span in batch.offsets[0]]
    expected = ['', 'the', '[', 'SEP', ']', 'mug', '[', 'PAD', ']', '[', 'CLS', ']', 'ball', '']
    assert words == expected
    assert batch.real[0].all()
    tokens = matcher.tokenizer(text, add_special_tokens=False)['input_ids']
    assert matcher.tokenizer.sep_token_id in tokens  # as others use the tokenizer, nothing changed


def test_weights_that_are_nowhere_are_one_sentence():
    with pytest.raises(WeightsNotFoundError, match='iterprime models fetch'):
        load_blip('nobody/nothing', placement=OFFLINE)


def test_a_folder_of_something_else_is_one_sentence(tmp_path, folder):
    with pytest.raises(WeightsMismatchError, match=str(tmp_path)):
        load_blip(tmp_path, placement=OFFLINE)
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'config.json').write_text('{"model_type": "sam"}')
    with pytest.raises(WeightsMismatchError, match='"sam"'):
        load_blip(other, placement=OFFLINE)
    broken = tmp_path / 'broken'
    broken.mkdir()
    for name in ('config.json', 'tokenizer.json', 'tokenizer_config.json'):
        (broken / name).write_bytes((folder / name).read_bytes())
    (broken / 'model.safetensors').write_bytes(b'no tensors in here')
    with pytest.raises(WeightsMismatchError, match=str(broken)):
        load_blip(broken, placement=OFFLINE)


def test_missing_tensors_are_named(tmp_path):
    from safetensors.torch import load_file, save_file

    tiny_blip().save_pretrained(tmp_path)
    tiny_tokenizer(WORDS).save_pretrained(tmp_path)
    path = Path(tmp_path, 'model.safetensors')
    tensors = load_file(path)
    del tensors['itm_head.weight']
    save_file(tensors, path, metadata={'format': 'pt'})
    with pytest.raises(WeightsMismatchError, match=r'1 missing: itm_head\.weight'):
        load_blip(tmp_path, placement=OFFLINE)


def test_blip_base_at_full_size(tmp_path):
    """The folder of blip-itm-base, random, as the hub lays it out; loaded with nothing fetched."""
    text = {'encoder_hidden_size': 768, 'vocab_size': 30524, 'num_attention_heads': 12}
    config = BlipConfig(text_config=text, vision_config={'image_size': 384})
    BlipForImageTextRetrieval(config).save_pretrained(tmp_path)
    tiny_tokenizer(WORDS).save_pretrained(tmp_path)
    assert {'config.json', 'model.safetensors'} <= {path.name for path in tmp_path.iterdir()}
    loaded = load_blip(tmp_path, placement=OFFLINE)
    assert loaded.grid == (24, 24)
    assert loaded.fusion_blocks == range(12)
    assert loaded.max_tokens == 512
    for path in tmp_path.iterdir():
        path.unlink()  # close to a gigabyte
