"""SAM and SAM 2 answer as transformers' models and processors do, and load from folders."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2Model,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VisionConfig,
    SamConfig,
    SamModel,
    SamProcessor,
)
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil
from transformers.models.sam.modeling_sam import SamVisionEncoder

from helpers.tiny_sams import SIDE, tiny_sam, tiny_sam2, tiny_sam2_config
from iterprime_ros.errors import InvalidImageError, WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.masks.sam import load_sam
from iterprime_ros.masks.transforms import fit_stretched, to_masks, to_model_points, to_pixel_values
from iterprime_ros.weights import Placement

POINTS = torch.tensor([[3, 4], [100, 50], [169, 99], [20, 90], [20, 90]])
MEAN, STD = (0.4, 0.5, 0.6), (0.3, 0.2, 0.25)


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Folders of both architectures, with a normalisation of their own."""
    made = {}
    for name, model in (('sam', tiny_sam()), ('sam2', tiny_sam2())):
        made[name] = tmp_path_factory.mktemp(name)
        model.save_pretrained(made[name])
        words = {'image_mean': MEAN, 'image_std': STD}
        (made[name] / 'preprocessor_config.json').write_text(json.dumps(words))
    return made


@pytest.fixture(params=['sam', 'sam2'])
def folder(request, folders):
    return folders[request.param]


def load(folder, dtype=torch.float32):
    return load_sam(folder, Placement('cpu', dtype, local_files_only=True))


def copied(folder, target, drop=(), **changes):
    """A copy of a folder without some tensors and with changes to its config.json."""
    target.mkdir()
    config = json.loads((folder / 'config.json').read_text()) | changes
    (target / 'config.json').write_text(json.dumps(config))
    tensors = load_file(folder / 'model.safetensors')
    kept = {name: tensor for name, tensor in tensors.items() if name not in drop}
    save_file(kept, target / 'model.safetensors', {'format': 'pt'})
    return target


def differing(first, second):
    return (first != second).float().mean().item()


def test_sam_answers_as_its_model_and_its_processor_do(folders, make_image):
    image = make_image(100, 170)
    square = {'height': SIDE, 'width': SIDE}
    processor = SamProcessor(
        SamImageProcessorPil(
            size={'longest_edge': SIDE}, pad_size=square, image_mean=MEAN, image_std=STD
        )
    )
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    points = [[[point] for point in POINTS.tolist()]]
    inputs = processor(picture, input_points=points, return_tensors='pt')
    sizes = inputs.pop('original_sizes'), inputs.pop('reshaped_input_sizes')
    with torch.no_grad():
        expected = SamModel.from_pretrained(folders['sam'])(
            pixel_values=inputs['pixel_values'].float(), input_points=inputs['input_points'].float()
        )
    masks = processor.post_process_masks(expected.pred_masks, *sizes)[0].flatten(0, 1)
    proposer = load(folders['sam'])
    found = proposer.propose(proposer.embed(image), POINTS)
    assert 0.1 < masks.float().mean() < 0.9
    assert differing(found.masks, masks) < 0.01  # the grey level that PIL may be off
    torch.testing.assert_close(
        found.predicted_iou, expected.iou_scores.flatten(), atol=0.01, rtol=0
    )


def test_sam_2_answers_as_its_model_does(folders, make_image):
    image = make_image(100, 170)
    fit = fit_stretched((100, 170), SIDE)
    with torch.no_grad():
        expected = Sam2Model.from_pretrained(folders['sam2'])(
            pixel_values=to_pixel_values(image, fit, MEAN, STD),
            input_points=to_model_points(POINTS, fit)[None, :, None],
        )
    masks = to_masks(expected.pred_masks.flatten(0, 2), fit)
    proposer = load(folders['sam2'])
    found = proposer.propose(proposer.embed(image), POINTS)
    assert 0.1 < masks.float().mean() < 0.9
    assert torch.equal(found.masks, masks)
    assert torch.equal(found.predicted_iou, expected.iou_scores.flatten())


@pytest.mark.parametrize('size', [(100, 170), (170, 100), (256, 256), (300, 40)])
def test_points_in_a_batch_are_points_one_at_a_time(folder, make_image, size):
    proposer = load(folder)
    embedding = proposer.embed(make_image(*size))
    points = POINTS.clamp(max=torch.tensor((size[1] - 1, size[0] - 1)))
    together = proposer.propose(embedding, points)
    assert together.masks.shape == (3 * len(points), *size)
    assert together.masks.dtype == torch.bool
    assert together.predicted_iou.dtype == torch.float32
    for k, point in enumerate(points):
        alone = proposer.propose(embedding, point[None])
        part = slice(3 * k, 3 * k + 3)
        assert differing(alone.masks, together.masks[part]) < 1e-3  # logits within rounding of 0
        torch.testing.assert_close(
            alone.predicted_iou, together.predicted_iou[part], atol=1e-5, rtol=0
        )
    assert differing(together.masks[:3], together.masks[6:9]) > 0.001  # the point has a say


def test_no_point_gives_no_mask(folder, make_image):
    proposer = load(folder)
    found = proposer.propose(proposer.embed(make_image(30, 40)), POINTS[:0])
    assert found.masks.shape == (0, 30, 40)
    assert found.predicted_iou.shape == (0,)


def test_a_frame_is_encoded_once(folders, make_image, monkeypatch):
    calls = []
    forward = SamVisionEncoder.forward

    def counted(self, *args, **kwargs):
        calls.append(1)
        return forward(self, *args, **kwargs)

    proposer = load(folders['sam'])
    monkeypatch.setattr(SamVisionEncoder, 'forward', counted)
    first = proposer.embed(make_image(60, 90))
    before = proposer.propose(first, POINTS[:1])
    other = proposer.propose(proposer.embed(make_image(60, 90, seed=1)), POINTS[:1])
    again = proposer.propose(first, POINTS[:1])
    assert len(calls) == 2
    assert torch.equal(before.masks, again.masks)
    assert differing(before.masks, other.masks) > 0.001  # the image has a say
    assert not first.features.requires_grad


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_a_half_precision_encoder_gives_nearly_the_same(folder, make_image, dtype):
    image = make_image(100, 170)
    exact, half = load(folder), load(folder, dtype)
    expected = exact.propose(exact.embed(image), POINTS)
    found = half.propose(half.embed(image), POINTS)
    assert found.predicted_iou.dtype == torch.float32
    assert not torch.equal(found.predicted_iou, expected.predicted_iou)
    assert differing(found.masks, expected.masks) < 0.1
    torch.testing.assert_close(found.predicted_iou, expected.predicted_iou, atol=0.1, rtol=0)


def test_the_normalisation_is_imagenet_without_a_file(folders, tmp_path, make_image):
    image = make_image(60, 90)
    bare = load(copied(folders['sam'], tmp_path / 'bare'))
    said = tmp_path / 'said'
    copied(folders['sam'], said)
    words = {'image_mean': [0.485, 0.456, 0.406], 'image_std': [0.229, 0.224, 0.225]}
    (said / 'preprocessor_config.json').write_text(json.dumps(words))
    assert torch.equal(bare.embed(image).features, load(said).embed(image).features)
    assert not torch.equal(bare.embed(image).features, load(folders['sam']).embed(image).features)


def test_weights_for_videos_are_read_as_the_published_ones_are(tmp_path, make_image):
    config = tiny_sam2_config()
    video = Sam2VideoModel(
        Sam2VideoConfig(
            vision_config=config.vision_config,
            prompt_encoder_config=config.prompt_encoder_config.to_dict(),
            mask_decoder_config=config.mask_decoder_config.to_dict(),
            image_size=SIDE,
            memory_attention_hidden_size=32,
            memory_encoder_hidden_size=32,
            memory_fuser_embed_dim=32,
        )
    )
    video.save_pretrained(tmp_path)
    assert json.loads((tmp_path / 'config.json').read_text())['model_type'] == 'sam2_video'
    proposer = load(tmp_path)
    assert proposer.propose(proposer.embed(make_image(30, 40)), POINTS[:2]).masks.shape[0] == 6


def test_what_is_nowhere_says_how_to_fetch_it(tmp_path):
    for missing in (tmp_path / 'nowhere', 'facebook/sam-vit-that-is-not'):
        with pytest.raises(WeightsNotFoundError, match='iterprime models fetch PROFILE'):
            load(missing)
    with pytest.raises(WeightsMismatchError, match='iterprime models fetch PROFILE'):
        load(tmp_path)


def test_a_folder_without_weights_says_so(folder, tmp_path):
    (tmp_path / 'config.json').write_text((folder / 'config.json').read_text())
    with pytest.raises(WeightsMismatchError, match='holds no SAM or SAM 2 that can be read'):
        load(tmp_path)


def test_another_architecture_is_named(folder, tmp_path):
    with pytest.raises(WeightsMismatchError, match='a model of type blip, but a SAM'):
        load(copied(folder, tmp_path / 'other', model_type='blip'))


def test_missing_tensors_are_named(folder, tmp_path):
    drop = ('mask_decoder.iou_token.weight', 'mask_decoder.mask_tokens.weight')
    with pytest.raises(WeightsMismatchError, match='2 missing: mask_decoder') as caught:
        load(copied(folder, tmp_path / 'less', drop))
    assert drop[0] in str(caught.value)


def test_tensors_of_another_shape_are_named(folder, tmp_path):
    config = json.loads((folder / 'config.json').read_text())['mask_decoder_config']
    with pytest.raises(WeightsMismatchError, match='of another shape: mask_decoder'):
        load(copied(folder, tmp_path / 'wide', mask_decoder_config=config | {'mlp_dim': 52}))


def test_a_cut_file_is_said_to_be_damaged(folder, tmp_path):
    target = copied(folder, tmp_path / 'cut') / 'model.safetensors'
    target.write_bytes(target.read_bytes()[:5000])
    with pytest.raises(WeightsMismatchError, match='are damaged'):
        load(target.parent)


@pytest.mark.parametrize(
    ('part', 'factor'),
    [
        ('', float('nan')),
        ('vision_encoder', float('nan')),
        ('mask_decoder', float('inf')),
        ('iou_prediction_head', float('nan')),
        ('output_hypernetworks', float('nan')),
        ('', 1e30),
    ],
)
def test_damaged_weights_are_an_error(folder, tmp_path, make_image, part, factor):
    target = copied(folder, tmp_path / 'damaged')
    path = target / 'model.safetensors'
    tensors = load_file(path)
    save_file(
        {name: value * factor if part in name else value for name, value in tensors.items()},
        path,
        {'format': 'pt'},
    )
    proposer = load(target)
    with pytest.raises(WeightsMismatchError, match='The mask model gave no number that is finite'):
        proposer.propose(proposer.embed(make_image(60, 90)), POINTS[:2])


def test_an_iou_that_is_none_is_an_error(folders, tmp_path, make_image):
    target = copied(folders['sam'], tmp_path / 'large')
    path = target / 'model.safetensors'
    tensors = load_file(path)
    save_file({name: value * 100 for name, value in tensors.items()}, path, {'format': 'pt'})
    proposer = load(target)
    with pytest.raises(WeightsMismatchError, match=r'The mask model predicts an IoU of [0-9.]+e'):
        proposer.propose(proposer.embed(make_image(60, 90)), POINTS[:2])


@pytest.mark.parametrize(
    'words',
    [
        '{"image_mean": [NaN, 0.5, 0.5]}',
        '{"image_mean": [0.5, Infinity, 0.5]}',
        '{"image_mean": [0.5, 0.5]}',
        '{"image_mean": 0.5}',
        '{"image_mean": "grey"}',
        '{"image_std": [0.2, 0.2, NaN]}',
        '{"image_std": [0.2, 0, 0.2]}',
        '{"image_std": [0.2, -1, 0.2]}',
        '{"image_std": null}',
        '[]',
        '{',
    ],
)
def test_a_wrong_normalisation_is_one_sentence(folder, tmp_path, words):
    target = copied(folder, tmp_path / 'wrong')
    (target / 'preprocessor_config.json').write_text(words)
    with pytest.raises(WeightsMismatchError, match='image normalisation') as caught:
        load(target)
    assert len(str(caught.value).splitlines()) == 1


def test_a_frame_must_be_an_image(folder):
    with pytest.raises(InvalidImageError, match='uint8'):
        load(folder).embed(torch.zeros(3, 30, 40))


def published_sam2(width, blocks, global_blocks, background, heads=1):
    """The configuration of a published SAM 2.1 (facebookresearch/sam2, sam2/configs/sam2.1)."""
    widths = [width, 2 * width, 4 * width, 8 * width]
    backbone = Sam2HieraDetConfig(
        hidden_size=width,
        num_attention_heads=heads,
        blocks_per_stage=blocks,
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[heads, 2 * heads, 4 * heads, 8 * heads],
        global_attention_blocks=global_blocks,
        window_positional_embedding_background_size=background,
    )
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=widths[::-1])
    return Sam2Config(vision_config=vision)


@pytest.mark.parametrize(
    ('config', 'model'),
    [
        (SamConfig(), SamModel),
        (published_sam2(96, [1, 2, 7, 2], [5, 7, 9], [7, 7]), Sam2Model),
        (published_sam2(96, [1, 2, 11, 2], [7, 10, 13], [7, 7]), Sam2Model),
        (published_sam2(112, [2, 3, 16, 3], [12, 16, 20], [14, 14], heads=2), Sam2Model),
    ],
    ids=['sam-vit-base', 'sam2.1-hiera-tiny', 'sam2.1-hiera-small', 'sam2.1-hiera-base-plus'],
)
def test_the_full_size_loads_from_the_published_format(config, model, tmp_path):
    """Sizes and names only: encoding a picture at 1024 px takes half a minute of a processor."""
    with torch.device('meta'):
        made = model(config)
    tensors = {name: torch.zeros(value.shape) for name, value in made.state_dict().items()}
    save_file(tensors, tmp_path / 'model.safetensors', {'format': 'pt'})
    config.save_pretrained(tmp_path)
    load(tmp_path, torch.bfloat16)
    (tmp_path / 'model.safetensors').unlink()  # large, and pytest keeps folders
