"""Video models carry masks as transformers' own sessions do, and forget what is not read again."""

import copy
import gc
import json
import sys
from types import FunctionType, ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import Sam2VideoModel
from transformers.models.edgetam_video.modeling_edgetam_video import EdgeTamVideoInferenceSession
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession
from transformers.models.sam2_video.processing_sam2_video import Sam2VideoProcessor

from helpers.tiny_video_models import (
    SIDE,
    copied,
    save_video_model,
    tiny_edgetam,
    tiny_sam2_video,
)
from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import (
    InvalidImageError,
    InvalidSettingError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    fit_stretched,
    to_pixel_values,
)
from iterprime_ros.tracking.edgetam import EdgeTam, EdgeTamConfig
from iterprime_ros.tracking.sam2_video import VIDEO_MODELS, load_video_model
from iterprime_ros.tracking.video_session import VideoSession, to_prompts
from iterprime_ros.weights import Placement

KINDS = ('edgetam', 'sam2_video')
SESSIONS = {'edgetam': EdgeTamVideoInferenceSession, 'sam2_video': Sam2VideoInferenceSession}


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    made = {'edgetam': tiny_edgetam(), 'sam2_video': tiny_sam2_video()}
    return {
        kind: save_video_model(model, tmp_path_factory.mktemp(kind)) for kind, model in made.items()
    }


@pytest.fixture(scope='module')
def propagators(folders):
    return {kind: load(kind, folder) for kind, folder in folders.items()}


def load(kind, folder, dtype=torch.float32):
    return load_video_model(kind, folder, Placement('cpu', dtype, local_files_only=True))


def plain_model(kind, folder):
    """The model of transformers. An EdgeTAM is without timm, whose encoder test_repvit checks."""
    if kind == 'sam2_video':
        return Sam2VideoModel.from_pretrained(folder).eval()
    config = json.loads((folder / 'config.json').read_text())
    config.pop('model_type')
    model = EdgeTam(EdgeTamConfig.from_dict(config)).eval()
    model.load_state_dict(load_file(folder / 'model.safetensors'))
    return model


def pictures(count, height, width, seed=0):
    """Pictures (count, height, width, 3) of soft colours, each different."""
    generator = torch.Generator().manual_seed(seed)
    colours = torch.rand(count, 3, 5, 7, generator=generator)
    large = functional.interpolate(colours, (height, width), mode='bicubic').clamp(0, 1)
    return (255 * large).byte().permute(0, 2, 3, 1).numpy()


def rectangles(count, height, width):
    masks = np.zeros((count, height, width), dtype=bool)
    for number, mask in enumerate(masks):
        top, left = number * height // (2 * count), number * width // (2 * count)
        mask[top : top + height // 2, left : left + width // 2] = True
    return masks


def values_of(image, mean=IMAGENET_MEAN, std=IMAGENET_STD):
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    return to_pixel_values(pixels, fit_stretched(tuple(pixels.shape[1:]), SIDE), mean, std)


def plain_outputs(kind, model, frames, masks, **normalisation):
    """Logits (K, h, w) and (K,) of every frame after the first, by a session that keeps all."""
    session = SESSIONS[kind](dtype=torch.float32)
    Sam2VideoProcessor.process_new_mask_for_video_frame(
        SimpleNamespace(target_size=SIDE), session, 0, list(range(len(masks))), list(masks)
    )
    outputs = []
    for frame in frames:
        output = model(inference_session=session, frame=values_of(frame, **normalisation))
        outputs.append((output.pred_masks[:, 0], output.object_score_logits.flatten()))
    assert len(session.processed_frames) == len(frames)
    return outputs[1:]


def plain_masks(logits, scores, size):
    """Masks as by post_process_masks of Sam2VideoProcessor, each pixel to the highest logit."""
    large = functional.interpolate(logits[None], size, mode='bilinear', align_corners=False)[0]
    highest = large.argmax(0) == torch.arange(len(large))[:, None, None]
    masks = (large > 0) & highest
    return masks.numpy(), (scores.sigmoid() * masks.any(2).any(1)).numpy()


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('objects', 'frames'), [(1, 40), (3, 24)])
@torch.inference_mode()
def test_a_session_that_forgets_gives_exactly_what_one_that_keeps_all_gives(
    folders, kind, objects, frames
):
    model = plain_model(kind, folders[kind])
    images = pictures(frames, SIDE, SIDE)
    masks = torch.from_numpy(rectangles(objects, SIDE, SIDE))
    session = VideoSession(model, values_of(images[0]), masks)
    seen = []
    for image, expected in zip(images[1:], plain_outputs(kind, model, images, masks), strict=True):
        logits, scores = session.step(values_of(image))
        assert torch.equal(logits, expected[0])
        assert torch.equal(scores, expected[1])
        seen += (scores > 0).tolist()
    assert np.mean(seen) > 0.1


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('size', 'objects'), [((60, 90), 3), ((33, 200), 1), ((64, 64), 2)])
@torch.inference_mode()
def test_masks_and_confidences_are_those_of_transformers(folders, propagators, kind, size, objects):
    propagator = propagators[kind]
    images, masks = pictures(8, *size), rectangles(objects, *size)
    outputs = plain_outputs(kind, plain_model(kind, folders[kind]), images, masks)
    propagator.start(images[0], masks)
    for image, (logits, scores) in zip(images[1:], outputs, strict=True):
        found = propagator.step(image)
        expected, confidences = plain_masks(logits, scores, size)
        assert found.masks.shape == (objects, *size)
        assert found.masks.dtype == bool
        assert found.confidences.dtype == np.float64
        assert np.mean(found.masks != expected) < 1e-3  # logits of 0, to rounding
        np.testing.assert_allclose(found.confidences, confidences, rtol=0, atol=1e-5)


@pytest.mark.parametrize('kind', KINDS)
@torch.inference_mode()
def test_what_is_kept_is_what_is_read(folders, kind):
    """What has no number shows in the next frame, the 20th, where the model reads it."""
    model = plain_model(kind, folders[kind])
    images, masks = pictures(21, SIDE, SIDE), torch.ones(1, SIDE, SIDE)
    whole = SESSIONS[kind](dtype=torch.float32)
    whole.add_mask_inputs(whole.obj_id_to_idx(0), 0, masks[None])
    whole.obj_with_new_inputs = [0]
    for image in images[:20]:
        model(inference_session=whole, frame=values_of(image))

    def is_read(part, frame, name):
        session = copy.deepcopy(whole)
        output = session.output_dict_per_obj[0][part][frame]
        output[name] = torch.full_like(output[name], torch.nan)
        return model(session, frame=values_of(images[20])).object_score_logits.isnan().item()

    assert is_read('cond_frame_outputs', 0, 'object_pointer')
    assert is_read('cond_frame_outputs', 0, 'maskmem_features')
    assert is_read('cond_frame_outputs', 0, 'maskmem_pos_enc')
    for name, first in (('maskmem_features', 14), ('maskmem_pos_enc', 14), ('object_pointer', 5)):
        assert is_read('non_cond_frame_outputs', 19, name)
        assert is_read('non_cond_frame_outputs', first, name)
        assert not is_read('non_cond_frame_outputs', first - 1, name)


def held(thing):
    """How many tensors and how many bytes there are in a thing, models left out."""
    todo, known, storages, count, size = [thing], set(), {}, 0, 0
    while todo:
        part = todo.pop()
        leaf = isinstance(part, nn.Module | type | ModuleType | FunctionType)
        if id(part) in known or leaf:
            continue
        known.add(id(part))
        size += sys.getsizeof(part)
        if isinstance(part, torch.Tensor):
            count += 1
            storages[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
        else:
            todo += gc.get_referents(part)
    return count, size + sum(storages.values())


@pytest.mark.parametrize(('kind', 'frames'), [('edgetam', 100), ('sam2_video', 2000)])
def test_memory_is_flat(propagators, kind, frames):
    propagator, images = propagators[kind], pictures(8, SIDE, SIDE)
    propagator.start(images[0], rectangles(1, SIDE, SIDE))
    before = held(propagator)
    for number in range(20):
        propagator.step(images[number % 8])
    after = held(propagator)
    assert after > before
    for number in range(20, frames):
        propagator.step(images[number % 8])
    count, size = held(propagator)
    assert count == after[0] < 50
    assert size == pytest.approx(after[1], abs=200)  # numbers of frames grow


@pytest.mark.parametrize('kind', KINDS)
def test_masks_do_not_overlap(propagators, kind):
    propagator, size = propagators[kind], (50, 70)
    images = pictures(6, *size)
    overlapping = np.ones((2, *size), dtype=bool)
    propagator.start(images[0], overlapping)
    found = [propagator.step(image) for image in images[1:]]
    assert any(each.masks.any() for each in found)
    for each in found:
        assert each.masks.sum(0).max() <= 1
        assert np.array_equal(each.confidences > 0, each.masks.any((1, 2)))


def test_a_start_forgets_what_was_carried(propagators):
    propagator = propagators['sam2_video']
    images, masks = pictures(6, 40, 60), rectangles(2, 40, 60)

    def carried():
        propagator.start(images[0], masks)
        return [propagator.step(image) for image in images[1:4]]

    first = carried()
    propagator.start(images[5], masks[::-1])
    propagator.step(images[4])
    for again, before in zip(carried(), first, strict=True):
        assert np.array_equal(again.masks, before.masks)
        assert np.array_equal(again.confidences, before.confidences)


def test_no_mask_and_an_empty_one_can_be_carried(propagators):
    propagator = propagators['sam2_video']
    images = pictures(3, 40, 60)
    propagator.start(images[0], np.zeros((0, 40, 60), dtype=bool))
    nothing = propagator.step(images[1])
    assert nothing.masks.shape == (0, 40, 60)
    assert nothing.confidences.shape == (0,)
    propagator.start(images[0], np.zeros((1, 40, 60), dtype=bool))
    unseen = propagator.step(images[1])
    assert unseen.masks.shape == (1, 40, 60)


@pytest.mark.parametrize('size', [(3, 5), (64, 64), (200, 90)])
def test_prompts_are_resized_as_by_the_processor(size):
    masks = torch.from_numpy(rectangles(3, *size))
    session = Sam2VideoInferenceSession(dtype=torch.float32)
    Sam2VideoProcessor.process_new_mask_for_video_frame(
        SimpleNamespace(target_size=SIDE), session, 0, [0, 1, 2], list(masks)
    )
    for number, mask in enumerate(to_prompts(masks, SIDE)):
        assert torch.equal(mask.float(), session.mask_inputs_per_obj[number][0][0, 0])


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_an_encoder_in_half_precision_gives_nearly_the_same(folders, propagators, kind, dtype):
    images, masks = pictures(4, 60, 90), rectangles(1, 60, 90)
    half, whole = load(kind, folders[kind], dtype), propagators[kind]
    for each in (half, whole):
        each.start(images[0], masks)
    for image in images[1:]:
        found, expected = half.step(image), whole.step(image)
        np.testing.assert_allclose(found.confidences, expected.confidences, rtol=0, atol=0.1)


def test_the_normalisation_of_the_folder_is_used(folders, tmp_path):
    mean, std = (0.4, 0.5, 0.6), (0.3, 0.2, 0.25)
    folder = copied(folders['sam2_video'], tmp_path / 'own')
    (folder / 'preprocessor_config.json').write_text(
        json.dumps({'image_mean': mean, 'image_std': std})
    )
    images, masks = pictures(3, 60, 90), rectangles(1, 60, 90)
    model = plain_model('sam2_video', folder)
    outputs = plain_outputs('sam2_video', model, images, masks, mean=mean, std=std)
    propagator = load('sam2_video', folder)
    propagator.start(images[0], masks)
    for image, output in zip(images[1:], outputs, strict=True):
        found = propagator.step(image)
        expected, confidences = plain_masks(*output, (60, 90))
        assert np.array_equal(found.masks, expected)
        np.testing.assert_allclose(found.confidences, confidences, rtol=0, atol=1e-6)


@pytest.mark.parametrize('kind', KINDS)
def test_what_is_nowhere_says_how_to_fetch_it(tmp_path, kind):
    for missing in (tmp_path / 'nowhere', f'{VIDEO_MODELS[kind].weights}-that-is-not'):
        with pytest.raises(WeightsNotFoundError, match='iterprime models fetch PROFILE'):
            load(kind, missing)


@pytest.mark.parametrize('kind', KINDS)
def test_without_weights_the_published_ones_are_named(kind):
    with pytest.raises(InvalidSettingError, match=f'such as {VIDEO_MODELS[kind].weights}'):
        load_video_model(kind, None)


@pytest.mark.parametrize('kind', KINDS)
def test_profiles_can_name_them(folders, propagators, kind):
    placement = Placement(local_files_only=True)
    named = load_propagator(kind, None, str(folders[kind]), placement)
    images, masks = pictures(2, 40, 60), rectangles(1, 40, 60)
    found = []
    for propagator in (named, propagators[kind]):
        propagator.start(images[0], masks)
        found.append(propagator.step(images[1]))
    assert np.array_equal(found[0].masks, found[1].masks)


def test_kinds_are_told_apart(folders):
    with pytest.raises(InvalidSettingError, match='no video model "flow": use edgetam or sam2_v'):
        load('flow', folders['edgetam'])
    with pytest.raises(WeightsMismatchError, match='of type sam2_video, but EdgeTAM was asked'):
        load('edgetam', folders['sam2_video'])


def test_another_image_encoder_is_named(folders, tmp_path):
    vision = json.loads((folders['edgetam'] / 'config.json').read_text())['vision_config']
    vision['backbone_config']['architecture'] = 'resnet50'
    folder = copied(folders['edgetam'], tmp_path / 'other', vision_config=vision)
    with pytest.raises(WeightsMismatchError, match='encoder is resnet50, and repvit_m1 is suppor'):
        load('edgetam', folder)


@pytest.mark.parametrize('kind', KINDS)
def test_missing_tensors_and_other_shapes_are_named(folders, tmp_path, kind):
    def less(tensors):
        return {name: each for name, each in tensors.items() if 'memory_encoder' not in name}

    with pytest.raises(WeightsMismatchError, match='missing: memory_encoder'):
        load(kind, copied(folders[kind], tmp_path / 'less', less))
    changes = {'mask_downsampler_kernel_size': 5, 'mask_downsampler_padding': 2}
    with pytest.raises(WeightsMismatchError, match='of another shape: memory_encoder'):
        load(kind, copied(folders[kind], tmp_path / 'wider', **changes))


@pytest.mark.parametrize('kind', KINDS)
def test_what_cannot_work_is_refused(folders, tmp_path, kind):
    with pytest.raises(WeightsMismatchError, match='that fits'):
        load(kind, copied(folders[kind], tmp_path / 'size', image_size=2 * SIDE))
    folder = copied(folders[kind], tmp_path / 'cut')
    whole = (folder / 'model.safetensors').read_bytes()
    (folder / 'model.safetensors').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsMismatchError, match='are damaged'):
        load(kind, folder)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    'part', ['vision_encoder', 'memory_encoder', 'memory_attention', 'mask_decoder']
)
def test_damaged_weights_are_an_error(folders, tmp_path, kind, part):
    def damaged(tensors):
        return {
            name: each * torch.nan if part in name and each.is_floating_point() else each
            for name, each in tensors.items()
        }

    propagator = load(kind, copied(folders[kind], tmp_path / 'damaged', damaged))
    images = pictures(2, 60, 90)

    def carry():
        propagator.start(images[0], rectangles(2, 60, 90))
        propagator.step(images[1])

    with pytest.raises(WeightsMismatchError, match='The video model gave no number that is finite'):
        carry()


def test_frames_must_be_images_of_one_size(propagators):
    propagator, image = propagators['sam2_video'], pictures(1, 40, 60)[0]
    masks = rectangles(1, 40, 60)
    for wrong in (image.astype(float), image[..., 0], image[:0], image[..., :2]):
        with pytest.raises(InvalidImageError, match=r'must be \(H, W, 3\) uint8'):
            propagator.start(wrong, masks)
    with pytest.raises(InvalidImageError, match=r'but these are \(40, 59\)'):
        propagator.start(image, masks[:, :, 1:])
    propagator.start(image, masks)
    with pytest.raises(InvalidImageError, match=r'one size, \(40, 60\), but this one is \(39'):
        propagator.step(image[1:])
    assert propagator.step(np.flip(image, 1)).masks.shape == (1, 40, 60)
