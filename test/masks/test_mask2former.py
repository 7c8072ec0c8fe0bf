"""Mask2Former answers as transformers' model does, resized as detectron2 does, from any folder."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import Mask2FormerForUniversalSegmentation

from helpers.tiny_mask2former import CLASSES, QUERIES, tiny_mask2former
from iterprime_ros.errors import InvalidImageError, WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.masks.mask2former import Mask2FormerEmbedding, load_mask2former
from iterprime_ros.masks.object_masks import ObjectSettings, objects_of
from iterprime_ros.masks.transforms import fit_shortest_side
from iterprime_ros.weights import Placement

POINT = torch.tensor([[3, 4]])
ANYTHING = ObjectSettings(min_predicted_iou=0, min_area=0, max_area=1)
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp('mask2former')
    tiny_mask2former().save_pretrained(made)
    return made


@pytest.fixture(scope='module')
def proposer(folder):
    return load(folder)


def load(folder, dtype=torch.float32):
    return load_mask2former(folder, Placement('cpu', dtype, local_files_only=True))


def copied(folder, target, change=lambda tensors: tensors, **changes):
    """A copy of a folder with changes to its tensors and its config.json."""
    target.mkdir()
    config = json.loads((folder / 'config.json').read_text()) | changes
    (target / 'config.json').write_text(json.dumps(config))
    tensors = change(load_file(folder / 'model.safetensors'))
    save_file(tensors, target / 'model.safetensors', {'format': 'pt'})
    return target


def differing(first, second):
    return (first != second).float().mean().item()


def plain_resized(image):
    """The image as detectron2 resizes it: by Pillow, shortest side 800 and longest at most 1333."""
    height, width = image.shape[1:]
    scale = min(800 / min(height, width), 1333 / max(height, width))
    size = [max(1, math.floor(side * scale + 0.5)) for side in (width, height)]
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    return torch.from_numpy(np.array(picture.resize(size, Image.Resampling.BILINEAR)))


@torch.no_grad()
def plain_answer(folder, image, resized=None):
    """All queries' masks and scores, one after the other, by the model's own forward pass.

    resized: (h, w, 3) whole grey levels; by default as PyTorch resizes.
    """
    height, width = plain_resized(image).shape[:2]
    if resized is None:
        values = functional.interpolate(
            image[None].float(), (height, width), mode='bilinear', antialias=True
        )
        resized = values[0].round().permute(1, 2, 0)
    pixels = (np.asarray(resized, np.float64) / 255 - MEAN) / STD
    full = np.zeros((math.ceil(height / 32) * 32, math.ceil(width / 32) * 32, 3))
    full[:height, :width] = pixels
    model = Mask2FormerForUniversalSegmentation.from_pretrained(folder).eval()
    output = model(pixel_values=torch.from_numpy(full).permute(2, 0, 1)[None].float())
    masks, scores = [], []
    for logits, classes in zip(
        output.masks_queries_logits[0], output.class_queries_logits[0], strict=True
    ):
        whole = functional.interpolate(logits[None, None], full.shape[:2], mode='bilinear')
        cut = whole[..., :height, :width]
        own = functional.interpolate(cut, image.shape[1:], mode='bilinear')[0, 0].sigmoid()
        masks.append(own > 0.35)
        rows, columns = (
            round(cells * side / padded)
            for cells, side, padded in zip(
                logits.shape, (height, width), full.shape[:2], strict=True
            )
        )
        probabilities = logits[:rows, :columns].sigmoid()
        inside = probabilities[probabilities > 0.5]
        best = classes.softmax(0)[:CLASSES].max()
        scores.append(float(best * inside.mean()) if len(inside) else 0.0)
    return torch.stack(masks), scores


@pytest.mark.parametrize('size', [(100, 170), (170, 100), (96, 96), (30, 211)])
def test_it_equals_the_plain_forward_pass(folder, proposer, make_image, size):
    image = make_image(*size)
    found = proposer.propose(proposer.embed(image), POINT)
    masks, scores = plain_answer(folder, image)
    assert found.masks.shape == (QUERIES, *size)
    assert found.masks.dtype == torch.bool
    assert 0.05 < masks.float().mean() < 0.95
    assert len({mask.numpy().tobytes() for mask in masks}) > QUERIES // 2
    assert differing(found.masks, masks) < 1e-4  # probabilities within rounding of 0.35
    assert found.predicted_iou.dtype == torch.float32
    assert found.predicted_iou.tolist() == pytest.approx(scores, abs=1e-5)
    assert found.predicted_iou.std() > 0.01


def test_it_nearly_equals_what_pillow_resizes(folder, proposer, make_image):
    image = make_image(60, 75)
    found = proposer.propose(proposer.embed(image), POINT)
    masks, _ = plain_answer(folder, image, plain_resized(image))
    assert differing(found.masks, masks) < 0.01  # the grey level that Pillow may be off


def test_the_points_have_no_say_but_none_gives_none(proposer, make_image):
    embedding = proposer.embed(make_image(30, 40))
    every = proposer.propose(embedding, POINT)
    again = proposer.propose(embedding, torch.tensor([[29, 29], [0, 12]]))
    assert torch.equal(every.masks, again.masks)
    none = proposer.propose(embedding, POINT[:0])
    assert none.masks.shape == (0, 30, 40)
    assert none.predicted_iou.shape == (0,)


def test_objects_are_queries_that_show_each_once(proposer):
    """Of two queries of a thing the surer one, nothing of the padding, and no empty ones."""
    fit = fit_shortest_side((90, 121), 800, 1333, 32)
    logits = torch.full((5, 200, 272), -9.0)
    logits[0, 20:80, 20:80] = logits[1, 22:80, 20:82] = logits[2, 120:160, 100:200] = 9
    logits[3, :, 269:] = 9  # the padding
    score = torch.tensor([0.7, 0.8, 0.9, 1.0, 1.0])
    embedding = Mask2FormerEmbedding(logits, score, fit)
    found = objects_of(proposer, embedding, ANYTHING.model_copy(update={'max_overlap': 0.5}))
    assert found.predicted_iou.tolist() == score[[1, 2]].tolist()
    assert torch.equal(found.masks, proposer.propose(embedding, POINT).masks[[1, 2]])
    none = ANYTHING.model_copy(update={'min_area': 0.5})
    assert objects_of(proposer, embedding, none).masks.shape == (0, 90, 121)


def test_a_frame_is_segmented_once(proposer, make_image, monkeypatch):
    embedding = proposer.embed(make_image(30, 40))
    monkeypatch.setattr(proposer, '_model', None)
    first = proposer.propose(embedding, POINT)
    assert proposer.propose(embedding, POINT).masks is first.masks
    assert not embedding.logits.requires_grad


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_a_half_precision_backbone_gives_nearly_the_same(folder, proposer, make_image, dtype):
    image, half = make_image(80, 100), load(folder, dtype)
    expected = proposer.propose(proposer.embed(image), POINT)
    found = half.propose(half.embed(image), POINT)
    assert found.predicted_iou.dtype == torch.float32
    assert not torch.equal(found.predicted_iou, expected.predicted_iou)
    assert differing(found.masks, expected.masks) < 0.1
    torch.testing.assert_close(found.predicted_iou, expected.predicted_iou, atol=0.1, rtol=0)


def test_a_pytorch_file_alone_loads_as_published(folder, proposer, tmp_path, make_image):
    """The published folder has no safetensors; save_pretrained gives tensors their names there."""
    (tmp_path / 'config.json').write_text((folder / 'config.json').read_text())
    torch.save(load_file(folder / 'model.safetensors'), tmp_path / 'pytorch_model.bin')
    image = make_image(30, 40)
    found = load(tmp_path)
    names = load_file(folder / 'model.safetensors')
    assert any('encoder.encoder.layers.0.blocks.0.attention.self.query' in name for name in names)
    assert torch.equal(found.embed(image).logits, proposer.embed(image).logits)


def test_a_pytorch_file_with_code_is_not_run(folder, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path.joinpath('harm').mkdir, ())

    (tmp_path / 'config.json').write_text((folder / 'config.json').read_text())
    torch.save({'weight': Harmful()}, tmp_path / 'pytorch_model.bin')
    with pytest.raises(WeightsMismatchError, match='Mask2Former'):
        load(tmp_path)
    assert not (tmp_path / 'harm').exists()


def test_what_is_nowhere_says_how_to_fetch_it(tmp_path):
    for missing in (tmp_path / 'nowhere', 'facebook/mask2former-that-is-not@main'):
        with pytest.raises(WeightsNotFoundError, match='iterprime models fetch PROFILE'):
            load(missing)
    with pytest.raises(WeightsMismatchError, match='holds no Mask2Former that can be read'):
        load(tmp_path)


def test_another_architecture_is_named(folder, tmp_path):
    with pytest.raises(WeightsMismatchError, match='a model of type sam, but a Mask2Former was'):
        load(copied(folder, tmp_path / 'other', model_type='sam'))


def test_missing_tensors_are_named(folder, tmp_path):
    def less(tensors):
        return {name: each for name, each in tensors.items() if 'class_predictor' not in name}

    with pytest.raises(WeightsMismatchError, match='2 missing: class_predictor'):
        load(copied(folder, tmp_path / 'less', less))


def test_tensors_of_another_shape_are_named(folder, tmp_path):
    with pytest.raises(WeightsMismatchError, match='of another shape'):
        load(copied(folder, tmp_path / 'more', num_queries=QUERIES + 1))


def test_a_cut_file_is_said_to_be_damaged(folder, tmp_path):
    target = copied(folder, tmp_path / 'cut') / 'model.safetensors'
    target.write_bytes(target.read_bytes()[:5000])
    with pytest.raises(WeightsMismatchError, match='are damaged'):
        load(target.parent)


@pytest.mark.parametrize(
    ('part', 'factor'),
    [
        ('', float('nan')),
        ('pixel_level_module.encoder', float('nan')),
        ('class_predictor', float('nan')),
        ('mask_embedder', float('inf')),
        ('', 1e30),
    ],
)
def test_damaged_weights_are_an_error(folder, tmp_path, make_image, part, factor):
    def damaged(tensors):
        return {name: each * factor if part in name else each for name, each in tensors.items()}

    proposer = load(copied(folder, tmp_path / 'damaged', damaged))
    with pytest.raises(WeightsMismatchError, match='The mask model gave no number that is finite'):
        proposer.embed(make_image(60, 90))


def test_a_frame_must_be_an_image(proposer):
    with pytest.raises(InvalidImageError, match='uint8'):
        proposer.embed(torch.zeros(3, 30, 40))
