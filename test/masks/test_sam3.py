"""SAM 3 finds what transformers' model and post-processing find, and loads from folders."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import Sam3VideoConfig
from transformers.models.sam3.modeling_sam3 import Sam3Model, Sam3ViTModel
from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoModel

from helpers.tiny_sam3 import QUERIES, SIDE, tiny_sam3, tiny_sam3_config, tiny_sam3_tokenizer
from iterprime_ros.errors import InvalidImageError, WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.masks.object_masks import ObjectSettings, PhraseProposer, instances_of
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.sam3 import load_sam3
from iterprime_ros.masks.transforms import fit_stretched, to_pixel_values
from iterprime_ros.weights import Placement

PHRASES = ('the red mug', 'ball', 'a thing whose name is far too long for the model that reads it')
HALF = (0.5, 0.5, 0.5)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp('sam3')
    tiny_sam3().save_pretrained(made)
    tiny_sam3_tokenizer().save_pretrained(made)
    return made


@pytest.fixture(scope='module')
def proposer(folder):
    return load(folder)


def load(folder, dtype=torch.float32):
    return load_sam3(folder, Placement('cpu', dtype, local_files_only=True))


def copied(folder, target, change=lambda tensors: tensors, **changes):
    """A copy of a folder with changes to its tensors and its config.json."""
    target.mkdir()
    for path in folder.iterdir():
        if path.suffix == '.json':
            (target / path.name).write_text(path.read_text())
    config = json.loads((folder / 'config.json').read_text()) | changes
    (target / 'config.json').write_text(json.dumps(config))
    tensors = change(load_file(folder / 'model.safetensors'))
    save_file(tensors, target / 'model.safetensors', {'format': 'pt'})
    return target


@torch.no_grad()
def plain_instances(folder, image, phrase, mean=HALF, std=HALF):
    """Masks and scores by the model's own forward pass, query by query, best first.

    What becomes of its output is as in post_process_instance_segmentation of Sam3ImageProcessor,
    which does not import without torchvision.
    """
    model = Sam3Model.from_pretrained(folder).eval()
    words = tiny_sam3_tokenizer()(phrase)['input_ids'][:32]
    words[-1] = 1  # the end of a text that is cut
    ids = torch.tensor([words + [1] * (32 - len(words))])
    size = image.shape[1:]
    output = model(
        pixel_values=to_pixel_values(image, fit_stretched(tuple(size), SIDE), mean, std),
        input_ids=ids,
        attention_mask=(torch.arange(32) < len(words)).long()[None],
    )
    found = []
    presence = output.presence_logits[0, 0].sigmoid()
    for logit, logits in zip(output.pred_logits[0], output.pred_masks[0], strict=True):
        score = float(logit.sigmoid() * presence)
        if score > 0.3:
            probabilities = functional.interpolate(
                logits.sigmoid()[None, None], size, mode='bilinear', align_corners=False
            )
            found.append((score, probabilities[0, 0] > 0.5))
    found.sort(key=lambda each: -each[0])
    return torch.stack([mask for _, mask in found]), [score for score, _ in found]


@pytest.mark.parametrize('phrase', PHRASES)
@pytest.mark.parametrize('size', [(60, 90), (112, 112), (200, 33)])
def test_it_equals_the_plain_forward_pass(folder, proposer, make_image, size, phrase):
    image = make_image(*size)
    found = proposer.instances(proposer.embed(image), phrase)
    masks, scores = plain_instances(folder, image, phrase)
    assert torch.equal(found.masks, masks)
    assert found.predicted_iou.tolist() == pytest.approx(scores, abs=1e-6)
    assert found.predicted_iou.dtype == torch.float32


def test_phrases_and_images_have_a_say(proposer, make_image):
    first, second = (proposer.embed(make_image(60, 90, seed=seed)) for seed in (0, 1))
    answers = [
        proposer.instances(image, phrase) for image in (first, second) for phrase in PHRASES[:2]
    ]
    assert 0 < len(answers[0].masks) < QUERIES
    assert 0.01 < answers[0].masks.float().mean() < 0.99
    ratings = {tuple(answer.predicted_iou.tolist()) for answer in answers}
    assert len(ratings) == len(answers)


def test_an_image_is_encoded_once(folder, make_image, monkeypatch):
    calls = []
    forward = Sam3ViTModel.forward

    def counted(self, *args, **kwargs):
        calls.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(Sam3ViTModel, 'forward', counted)
    proposer = load(folder)
    calls.clear()  # of the check of the configuration
    embedding = proposer.embed(make_image(60, 90))
    instances_of(proposer, embedding, PHRASES, ObjectSettings())
    assert len(calls) == 1


def test_it_proposes_nothing_at_points(proposer, make_image):
    found = proposer.propose(proposer.embed(make_image(30, 40)), torch.tensor([[3, 4]]))
    assert found.masks.shape == (0, 30, 40)
    assert found.predicted_iou.shape == (0,)
    assert isinstance(proposer, PhraseProposer)


class Drawn:
    """Instances of phrases as they were drawn."""

    def __init__(self, **phrases):
        self._phrases = phrases

    def instances(self, _embedding, phrase):
        masks = torch.zeros(len(self._phrases[phrase]), 10, 20, dtype=torch.bool)
        for mask, (left, right) in zip(masks, self._phrases[phrase], strict=True):
            mask[:, left:right] = True
        return Proposals(masks, torch.linspace(0.9, 0.5, len(masks)))


def test_every_object_of_all_phrases_is_there_once():
    drawn = Drawn(mug=[(0, 6), (1, 6), (10, 14)], plate=[(9, 14), (15, 19), (3, 3)])
    found = instances_of(drawn, None, ['mug', 'plate'], ObjectSettings())
    spans = [mask[0].nonzero().flatten()[[0, -1]].tolist() for mask in found.masks]
    assert spans == [[0, 5], [10, 13], [15, 18]]
    assert found.predicted_iou.tolist() == pytest.approx([0.9, 0.5, 0.7])
    fewer = instances_of(drawn, None, ['mug', 'plate'], ObjectSettings(max_count=2))
    assert torch.equal(fewer.masks, found.masks[:2])
    assert instances_of(Drawn(mug=[]), None, ['mug'], ObjectSettings()).masks.shape == (0, 10, 20)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_a_half_precision_backbone_gives_nearly_the_same(folder, proposer, make_image, dtype):
    image, half = make_image(80, 100), load(folder, dtype)
    expected = proposer.instances(proposer.embed(image), PHRASES[0])
    found = half.instances(half.embed(image), PHRASES[0])
    assert found.predicted_iou.dtype == torch.float32
    assert not torch.equal(found.predicted_iou, expected.predicted_iou)
    torch.testing.assert_close(found.predicted_iou[0], expected.predicted_iou[0], rtol=0, atol=0.1)


def test_weights_for_videos_are_read_as_the_published_ones_are(folder, tmp_path, make_image):
    detector = tiny_sam3_config()
    tracker = {
        'vision_config': detector.vision_config.to_dict(),
        'prompt_encoder_config': {'hidden_size': 32, 'image_size': SIDE},
        'mask_decoder_config': {'hidden_size': 32, 'num_attention_heads': 2, 'mlp_dim': 48},
        'memory_attention_hidden_size': 32,
        'memory_encoder_hidden_size': 32,
        'memory_fuser_embed_dim': 32,
    }
    config = Sam3VideoConfig(detector_config=detector.to_dict(), tracker_config=tracker)
    video = Sam3VideoModel(config)
    video.detector_model.load_state_dict(tiny_sam3().state_dict())
    video.save_pretrained(tmp_path)
    tiny_sam3_tokenizer().save_pretrained(tmp_path)
    assert json.loads((tmp_path / 'config.json').read_text())['model_type'] == 'sam3_video'
    image = make_image(30, 40)
    found, expected = (
        each.instances(each.embed(image), PHRASES[0]) for each in (load(tmp_path), load(folder))
    )
    assert torch.equal(found.masks, expected.masks)
    assert torch.equal(found.predicted_iou, expected.predicted_iou)


def test_the_normalisation_of_the_folder_is_used(folder, tmp_path, make_image):
    image, mean, std = make_image(50, 60), (0.4, 0.5, 0.6), (0.3, 0.2, 0.25)
    target = copied(folder, tmp_path / 'own')
    (target / 'preprocessor_config.json').write_text(
        json.dumps({'image_mean': mean, 'image_std': std})
    )
    own = load(target)
    masks, scores = plain_instances(folder, image, PHRASES[0], mean, std)
    found = own.instances(own.embed(image), PHRASES[0])
    assert torch.equal(found.masks, masks)
    assert found.predicted_iou.tolist() == pytest.approx(scores, abs=1e-6)


def test_what_is_nowhere_says_how_to_fetch_it(tmp_path):
    for missing in (tmp_path / 'nowhere', 'facebook/sam3-that-is-not'):
        with pytest.raises(WeightsNotFoundError, match='iterprime models fetch PROFILE'):
            load(missing)


def test_another_architecture_is_named(folder, tmp_path):
    with pytest.raises(WeightsMismatchError, match='a model of type sam2, but a SAM 3 was'):
        load(copied(folder, tmp_path / 'other', model_type='sam2'))


def test_a_folder_without_a_tokenizer_says_so(folder, tmp_path):
    target = copied(folder, tmp_path / 'mute')
    (target / 'tokenizer.json').unlink()
    with pytest.raises(WeightsMismatchError, match='holds no tokenizer of SAM 3 that can be read'):
        load(target)


def test_missing_tensors_and_other_shapes_are_named(folder, tmp_path):
    def less(tensors):
        return {name: each for name, each in tensors.items() if 'presence_head' not in name}

    with pytest.raises(WeightsMismatchError, match='missing: detr_decoder'):
        load(copied(folder, tmp_path / 'less', less))
    decoder = tiny_sam3_config().detr_decoder_config.to_dict() | {'num_queries': QUERIES + 1}
    with pytest.raises(WeightsMismatchError, match='of another shape: detr_decoder'):
        load(copied(folder, tmp_path / 'more', detr_decoder_config=decoder))


@pytest.mark.parametrize('part', ['', 'vision_encoder', 'text_encoder', 'mask_embedder'])
def test_damaged_weights_are_an_error(folder, tmp_path, make_image, part):
    def damaged(tensors):
        return {name: each * torch.nan if part in name else each for name, each in tensors.items()}

    proposer = load(copied(folder, tmp_path / 'damaged', damaged))
    with pytest.raises(WeightsMismatchError, match='The mask model gave no number that is finite'):
        proposer.instances(proposer.embed(make_image(60, 90)), PHRASES[0])


def test_a_frame_must_be_an_image(proposer):
    with pytest.raises(InvalidImageError, match='uint8'):
        proposer.embed(torch.zeros(3, 30, 40))
