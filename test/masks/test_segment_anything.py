"""The original package's networks answer as its own predictor does, and load from its files."""

import copy
import sys
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from iterprime_ros.errors import (
    InvalidImageError,
    InvalidSettingError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.masks.segment_anything import (
    SegmentAnythingEmbedding,
    SegmentAnythingProposer,
    load_segment_anything,
)
from iterprime_ros.masks.transforms import fit_longest_side
from iterprime_ros.weights import Placement

SIDE = 256
POINTS = torch.tensor([[3, 4], [100, 50], [149, 99]])


@pytest.fixture(scope='module')
def small(segment_anything):
    """A Sam of 256 px with random weights; the package's own sizes are too slow to run here."""
    from segment_anything import modeling

    torch.manual_seed(0)
    encoder = modeling.ImageEncoderViT(
        img_size=SIDE,
        embed_dim=32,
        depth=2,
        num_heads=2,
        out_chans=32,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=6,
        global_attn_indexes=(1,),
    )
    prompts = modeling.PromptEncoder(
        embed_dim=32, image_embedding_size=(16, 16), input_image_size=(SIDE, SIDE), mask_in_chans=4
    )
    transformer = modeling.TwoWayTransformer(depth=2, embedding_dim=32, num_heads=2, mlp_dim=48)
    decoder = modeling.MaskDecoder(transformer_dim=32, transformer=transformer)
    return modeling.Sam(encoder, prompts, decoder).eval().requires_grad_(False)


@pytest.fixture(scope='module')
def vit_b(segment_anything):
    """The tensors of a full-size vit_b, all zero: their names and shapes are what is looked at."""
    with torch.device('meta'):
        model = segment_anything.sam_model_registry['vit_b']()
    return {name: torch.zeros(value.shape) for name, value in model.state_dict().items()}


@pytest.fixture
def save(segment_anything, tmp_path):
    """Return a function that saves something as a checkpoint, which is deleted afterwards."""
    path = tmp_path / 'sam.pth'

    def saved(content):
        torch.save(content, path)
        return path

    yield saved
    path.unlink(missing_ok=True)


@pytest.mark.parametrize('size', [(100, 150), (150, 170), (300, 180)])
def test_the_predictor_of_the_package_agrees(segment_anything, small, make_image, size):
    image = make_image(*size)
    predictor = segment_anything.SamPredictor(small)
    rows, columns = predictor.transform.get_preprocess_shape(*size, SIDE)
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    resized = np.array(picture.resize((columns, rows), Image.Resampling.BILINEAR))
    predictor.set_torch_image(torch.from_numpy(resized).permute(2, 0, 1)[None], size)
    coordinates = predictor.transform.apply_coords(POINTS.numpy(), size)
    masks, scores, _ = predictor.predict_torch(
        torch.from_numpy(coordinates).float()[:, None], torch.ones(len(POINTS), 1)
    )
    proposer = SegmentAnythingProposer(small)
    found = proposer.propose(proposer.embed(image), POINTS)
    assert found.masks.shape == (9, *size)
    assert 0.1 < masks.float().mean() < 0.9
    # PIL rounds between its two passes and after them: it may be a grey level off.
    assert (found.masks != masks.flatten(0, 1)).float().mean() < 0.01
    torch.testing.assert_close(found.predicted_iou, scores.flatten(), atol=0.01, rtol=0)


def test_points_in_a_batch_are_points_one_at_a_time(small, make_image):
    proposer = SegmentAnythingProposer(small)
    embedding = proposer.embed(make_image(100, 150))
    together = proposer.propose(embedding, POINTS)
    for k, point in enumerate(POINTS):
        alone = proposer.propose(embedding, point[None])
        part = slice(3 * k, 3 * k + 3)
        assert (alone.masks != together.masks[part]).float().mean() < 1e-3
        torch.testing.assert_close(
            alone.predicted_iou, together.predicted_iou[part], atol=1e-5, rtol=0
        )


def test_no_point_gives_no_mask(small, make_image):
    proposer = SegmentAnythingProposer(small)
    found = proposer.propose(proposer.embed(make_image(30, 40)), POINTS[:0])
    assert found.masks.shape == (0, 30, 40)
    assert found.predicted_iou.shape == (0,)


def test_a_frame_must_be_an_image(small):
    with pytest.raises(InvalidImageError, match='uint8'):
        SegmentAnythingProposer(small).embed(torch.zeros(3, 30, 40))


def test_a_checkpoint_of_vit_b_is_recognised_and_loaded(vit_b, save):
    generator = torch.Generator().manual_seed(0)
    drawn = {
        name: 0.1 * torch.randn(value.shape, generator=generator)
        for name, value in vit_b.items()
        if not name.startswith('image_encoder')
    }
    proposer = load_segment_anything(save(vit_b | drawn), Placement('cpu', torch.bfloat16))
    fit = fit_longest_side((48, 64), 1024)
    features = torch.randn(1, 256, 64, 64, generator=generator)
    found = proposer.propose(SegmentAnythingEmbedding(features, fit), POINTS[:1])
    assert found.masks.shape == (3, 48, 64)
    assert found.predicted_iou.dtype == torch.float32
    assert found.predicted_iou.std() > 0  # of the drawn weights, not of zeros


def test_missing_tensors_are_named(vit_b, save):
    less = {name: value for name, value in vit_b.items() if 'iou_token' not in name}
    with pytest.raises(WeightsMismatchError, match=r'vit_b .* 1 missing: mask_decoder\.iou_token'):
        load_segment_anything(save(less))


def test_tensors_of_another_shape_are_named(vit_b, save):
    name = 'mask_decoder.mask_tokens.weight'
    with pytest.raises(WeightsMismatchError, match='of another shape: mask_decoder'):
        load_segment_anything(save(vit_b | {name: torch.zeros(2, 256)}))


def test_integers_are_refused(vit_b, save):
    name = 'mask_decoder.mask_tokens.weight'
    with pytest.raises(WeightsMismatchError, match='1 of integers, as quantised weights are'):
        load_segment_anything(save(vit_b | {name: vit_b[name].to(torch.int8)}))


@pytest.mark.parametrize('part', ['image_encoder', 'mask_decoder.output_hypernetworks'])
def test_weights_that_give_no_number_are_an_error(small, make_image, part):
    damaged = copy.deepcopy(small)
    with torch.no_grad():
        for name, parameter in damaged.named_parameters():
            if name.startswith(part):
                parameter.fill_(float('nan'))
    proposer = SegmentAnythingProposer(damaged)
    with pytest.raises(WeightsMismatchError, match='The mask model gave no number that is finite'):
        proposer.propose(proposer.embed(make_image(30, 40)), POINTS[:1])


@pytest.mark.parametrize(
    'content', [{}, {'model': {}}, {1: 2, 'image_encoder': 3}, [1, 2], torch.zeros(3)]
)
def test_what_is_no_sam_is_refused(content, save):
    with pytest.raises(WeightsMismatchError, match='holds no SAM image encoder of vit_b'):
        load_segment_anything(save(content))


def test_an_encoder_of_another_size_is_refused(small, save):
    with pytest.raises(WeightsMismatchError, match='it has 2 blocks of width 32'):
        load_segment_anything(save(small.state_dict()))


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04 cut'])
def test_a_damaged_file_is_refused(content, save):
    path = save({})
    path.write_bytes(content)
    with pytest.raises(WeightsMismatchError, match='not a checkpoint that PyTorch can read'):
        load_segment_anything(path)


def test_a_checkpoint_that_runs_code_is_refused(save):
    with pytest.raises(WeightsMismatchError, match='not a checkpoint that PyTorch can read'):
        load_segment_anything(save({'image_encoder': print}))


def test_what_is_nowhere_says_where_to_find_it(segment_anything, tmp_path):
    with pytest.raises(WeightsNotFoundError, match='download it from its authors'):
        load_segment_anything(tmp_path / 'sam.pth')


def test_without_the_package_the_cure_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'segment_anything', None)
    with pytest.raises(InvalidSettingError, match='segment-anything does not import'):
        load_segment_anything(tmp_path / 'sam.pth')
