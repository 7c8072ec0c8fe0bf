"""GL-CLIP equals a plain version of its definition: one mask at a time, whole forward passes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from spacy.tokens import Doc
from torch.nn.functional import normalize

from helpers.tiny_clip import save_tiny_clip, tiny_clip, tiny_clip_tokenizer
from iterprime_ros.answer import Status
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.evaluation.baselines.clip_features import Clip, load_clip, text_features
from iterprime_ros.evaluation.baselines.gl_clip import (
    WEIGHTS,
    GlClip,
    gl_clip,
    global_weight,
    load_gl_clip,
    noun_phrase,
    spaced,
)
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.masks.proposer import Proposals, no_proposals
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.weights import Placement

HEIGHT, WIDTH = 60, 90
QUIRKS = ('imagenet', 'aliased', 'crops', 'unnormalised')


class FixedMasks:
    """Proposes the same masks for every image."""

    def __init__(self, masks):
        self.masks = torch.from_numpy(masks)

    def embed(self, image):
        return None

    def propose(self, embedding, points):
        return no_proposals(self.masks.shape[1:], torch.device('cpu'))

    def objects(self, embedding, settings):
        return Proposals(self.masks, torch.linspace(0.9, 0.5, len(self.masks)))


@pytest.fixture(scope='module')
def clip():
    model = tiny_clip().requires_grad_(False)
    return Clip(model, tiny_clip_tokenizer())


@pytest.fixture(scope='module')
def iterprime(regions):
    return IteRPrimE.from_profile(regions, 'cpu')


@pytest.fixture(scope='module')
def photo():
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    return np.clip(smooth + rng.integers(-20, 21, smooth.shape), 0, 255).astype(np.uint8)


def some_masks():
    """The whole image, parts of it, one at each border, a small one, one in pieces."""
    masks = np.zeros((9, HEIGHT, WIDTH), bool)
    masks[0] = True
    masks[1, 20:45, 30:70] = True
    masks[2, :30, :40] = True
    masks[3, 35:, 50:] = True
    masks[4, :, 0] = True
    masks[5, 0, 10:60] = True
    masks[6, 33, 47] = True
    masks[7, 5:20, 5:15] = masks[7, 40:55, 70:85] = True
    masks[8] = np.hypot(*(np.indices((HEIGHT, WIDTH)) - np.array([[[30]], [[40]]]))) < 22
    return masks


def as_authors(**changes):
    return SimpleNamespace(**{**dict.fromkeys(QUIRKS, True), **changes})


def plain_features(clip, image, masks, v, how):
    """The definition, mask by mask. how: which quirks of the authors are kept."""
    values = image
    if how.aliased:
        factor = 800 / min(image.shape[:2])
        size = (int(image.shape[1] * factor), int(image.shape[0] * factor))
        values = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    if not how.imagenet:
        mean = (0.48145466, 0.4578275, 0.40821073)
        std = (0.26862954, 0.26130258, 0.27577711)
    values = ((values / 255 - mean) / std).transpose(2, 0, 1)
    whole = plain_resize(values, (224, 224), how.aliased)
    small = plain_resize(values, masks.shape[1:], how.aliased)
    features = []
    for mask in masks:
        weights = plain_resize(mask[None].astype(float), (7, 7), how.aliased)[0]
        context = plain_context(clip.model, whole, weights)
        filling = np.array([0.485, 0.456, 0.406])[:, None, None] if how.crops else 0
        cut = small * mask + filling * (1 - mask)
        if how.crops:
            (left, right), (top, bottom) = (freesolo_extent(mask.any(axis)) for axis in (0, 1))
        else:
            rows, columns = np.nonzero(mask)
            left, right = columns.min(), columns.max() + 1
            top, bottom = rows.min(), rows.max() + 1
        cut = plain_resize(cut[:, top:bottom, left:right], (224, 224), how.aliased)
        crop = plain_context(clip.model, cut, None)
        features.append(plain_sum(v, context, crop, how.unnormalised))
    return torch.stack(features)


def freesolo_extent(occupied):
    places = np.flatnonzero(occupied)
    low, high = (int(places.mean() + half * len(places)) for half in (-0.5, 0.5))
    return low, max(high, low + 1)


def plain_sum(weight, first, second, unnormalised):
    if not unnormalised:
        first, second = first / first.norm(), second / second.norm()
    added = weight * first + (1 - weight) * second
    return added / added.norm()


def plain_context(model, values, weights):
    """The feature of an image; weights multiply its patch tokens before the last three blocks."""
    hooks = []
    if weights is not None:
        flat = torch.from_numpy(weights).float().reshape(1, -1, 1)

        def masked(_, arguments):
            tokens = arguments[0].clone()
            tokens[:, 1:] *= flat
            return (tokens, *arguments[1:])

        layers = model.vision_model.encoder.layers[-3:]
        hooks = [layer.register_forward_pre_hook(masked) for layer in layers]
    pixels = torch.from_numpy(np.ascontiguousarray(values)).float()[None]
    feature = model.get_image_features(pixels).pooler_output[0]
    for hook in hooks:
        hook.remove()
    return feature


def plain_resize(planes, size, aliased):
    """Bilinear, between the two nearest pixels along each axis, or as Pillow does it."""
    if not aliased:
        return np.stack(
            [
                np.asarray(
                    Image.fromarray(plane.astype(np.float32)).resize(
                        size[::-1], Image.Resampling.BILINEAR
                    )
                )
                for plane in planes
            ]
        )
    for axis, length in ((1, size[0]), (2, size[1])):
        full = planes.shape[axis]
        where = np.clip((np.arange(length) + 0.5) * full / length - 0.5, 0, full - 1)
        low = np.floor(where).astype(int)
        part = (where - low)[:, None] if axis == 1 else where - low
        high = np.minimum(low + 1, full - 1)
        planes = planes.take(low, axis) * (1 - part) + planes.take(high, axis) * part
    return planes


def plain_text(clip, text):
    ids = clip.tokenizer(text, return_tensors='pt')['input_ids']
    padded = torch.zeros(1, 77, dtype=torch.int64)  # as clip.tokenize pads
    padded[0, : ids.shape[1]] = ids
    return clip.model.get_text_features(padded).pooler_output[0]


@pytest.mark.parametrize('faithful', [True, False])
@pytest.mark.parametrize('v', [0.95, 0.3])
def test_features_equal_the_plain_ones(clip, iterprime, photo, v, faithful):
    masks = some_masks()
    found = GlClip(iterprime, clip, v, faithful).mask_features(photo, torch.from_numpy(masks))
    how = as_authors(**({} if faithful else dict.fromkeys(QUIRKS, False)))
    torch.testing.assert_close(found, plain_features(clip, photo, masks, v, how), rtol=0, atol=2e-5)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    masks=arrays.arrays(bool, st.tuples(st.integers(1, 4), st.just(41), st.integers(30, 60))),
    faithful=st.booleans(),
)
def test_any_masks_equal_the_plain_ones(clip, iterprime, photo, masks, faithful):
    masks = masks[masks.any((1, 2))]
    assume(len(masks))
    image = photo[: masks.shape[1], : masks.shape[2]]
    found = GlClip(iterprime, clip, 0.5, faithful).mask_features(image, torch.from_numpy(masks))
    how = as_authors(**({} if faithful else dict.fromkeys(QUIRKS, False)))
    expected = plain_features(clip, image, masks, 0.5, how)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize('quirk', QUIRKS)
def test_every_quirk_that_is_named_changes_the_features(clip, photo, quirk):
    masks = some_masks()
    kept = plain_features(clip, photo, masks, 0.5, as_authors())
    changed = plain_features(clip, photo, masks, 0.5, as_authors(**{quirk: False}))
    assert (kept - changed).abs().max() > 1e-3


def test_more_masks_than_a_batch_equal_each_alone(clip, iterprime, photo):
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 40, (70, 2))
    masks = np.zeros((70, HEIGHT, WIDTH), bool)
    for mask, (y, x) in zip(masks, corners, strict=True):
        mask[y : y + 18, x : x + 30] = True
    baseline = GlClip(iterprime, clip)
    together = baseline.mask_features(photo, torch.from_numpy(masks))
    for k in (0, 31, 32, 69):
        alone = baseline.mask_features(photo, torch.from_numpy(masks[k : k + 1]))
        torch.testing.assert_close(together[k], alone[0], rtol=0, atol=1e-5)


def test_answers_are_those_of_the_plain_scores(clip, iterprime, photo):
    masks = some_masks()
    over_masks = iterprime.with_proposer(FixedMasks(masks))
    baseline = GlClip(over_masks, clip)
    commands = ['the mug', 'The red mug left of the plate', 'pick up the blue ball', 'left', '?']
    answers = baseline.segment_many(baseline.embed(photo, over_masks.embed(photo)), commands)
    texts = [
        ('the mug', 'the mug'),
        ('the red mug left of the plate', 'the red mug'),
        ('the blue ball', 'the blue ball'),
        ('left', 'left'),
    ]
    features = plain_features(clip, photo, masks, 0.95, as_authors())
    for answer, (sentence, phrase) in zip(answers, texts, strict=False):
        text = plain_sum(0.5, plain_text(clip, sentence), plain_text(clip, phrase), True)
        shares = (clip.model.logit_scale.exp() * features @ text).softmax(0)
        best = int(shares.argmax())
        assert answer.status is Status.FOUND
        assert answer.match_probability == pytest.approx(shares[best].item(), abs=1e-4)
        np.testing.assert_array_equal(answer.mask, masks[best])
        (instance,) = answer.instances
        assert instance.predicted_iou == pytest.approx(np.linspace(0.9, 0.5, 9)[best])
    assert len({answer.mask.tobytes() for answer in answers[:4]}) > 1
    assert answers[4].status is Status.INVALID
    assert not answers[4].mask.any()


def test_expressions_equal_each_alone(clip, iterprime):
    baseline = GlClip(iterprime, clip)
    expressions = [f'the {colour} mug {k}' for k in range(20) for colour in ('red', 'blue')]
    together = baseline.expression_features(expressions)
    for k in (0, 17, 39):
        alone = baseline.expression_features(expressions[k : k + 1])
        torch.testing.assert_close(together[k], alone[0], rtol=0, atol=1e-5)
    assert baseline.expression_features([]).shape == (0, 16)


def test_a_long_text_is_cut(clip):
    words = ['q'] * 200
    long, cut = (text_features(clip, [' '.join(part)]) for part in (words, words[:75]))
    torch.testing.assert_close(long, cut)


@pytest.mark.parametrize('masks', [some_masks()[:0], np.zeros((2, HEIGHT, WIDTH), bool)])
def test_without_masks_nothing_is_found(clip, iterprime, photo, masks):
    over_masks = iterprime.with_proposer(FixedMasks(masks))
    baseline = GlClip(over_masks, clip)
    (answer,) = baseline.segment_many(baseline.embed(photo, over_masks.embed(photo)), ['the mug'])
    assert answer.status is Status.NOT_FOUND
    assert answer.mask.shape == (HEIGHT, WIDTH)
    assert not answer.mask.any()
    assert answer.match_probability == 0


def test_an_empty_mask_is_never_the_answer(clip, iterprime, photo):
    masks = some_masks()[[6, 1]]
    masks[0] = False
    over_masks = iterprime.with_proposer(FixedMasks(masks))
    baseline = GlClip(over_masks, clip)
    (answer,) = baseline.segment_many(baseline.embed(photo, over_masks.embed(photo)), ['the mug'])
    np.testing.assert_array_equal(answer.mask, masks[1])
    assert answer.match_probability == 1


def test_an_answer_has_the_size_of_a_large_image(clip, iterprime):
    image = np.zeros((400, 1200, 3), np.uint8)
    image[100:300, 600:] = 200
    masks = np.zeros((1, 200, 600), bool)
    masks[:, 50:150, 300:] = True
    over_masks = iterprime.with_proposer(FixedMasks(masks))
    baseline = GlClip(over_masks, clip)
    (answer,) = baseline.segment_many(baseline.embed(image, over_masks.embed(image)), ['the ball'])
    np.testing.assert_array_equal(answer.mask, image[..., 0] > 0)
    assert answer.heatmap.shape == (400, 1200)


def test_it_runs_over_the_masks_of_a_profile(clip, iterprime, picture):
    baseline = GlClip(iterprime, clip)
    frame = baseline.embed(picture, iterprime.embed(picture))
    (answer,) = baseline.segment_many(frame, ['the red mug'])
    assert len(frame.masks) > 1
    assert answer.status is Status.FOUND
    assert answer.mask.shape == picture.shape[:2]


def tree(words, heads, dependencies, tags):
    return Doc(
        spacy.blank('en').vocab,
        words.split(),
        [True] * (len(heads) - 1) + [False],
        heads=heads,
        deps=dependencies.split(),
        pos=tags.split(),
    )


def test_the_noun_phrase_is_that_of_the_root_or_of_its_first_child():
    # The labels of en_core_web_lg.
    root = tree('the mug on it', [1, 1, 1, 2], 'det ROOT prep pobj', 'DET NOUN ADP PRON')
    assert noun_phrase(root) == 'the mug'
    verb = tree('the man sits', [1, 2, 2], 'det nsubj ROOT', 'DET NOUN VERB')
    assert noun_phrase(verb) == 'the man'
    second = tree('here the man sits', [3, 2, 3, 3], 'advmod det nsubj ROOT', 'ADV DET NOUN VERB')
    assert noun_phrase(second) == 'here the man sits'
    two = tree(
        'a mug . a cup', [1, 1, 1, 4, 4], 'det ROOT punct det ROOT', 'DET NOUN PUNCT DET NOUN'
    )
    assert noun_phrase(two) == 'a cup'
    alone = tree('left', [0], 'ROOT', 'ADJ')
    assert noun_phrase(alone) == 'left'


def test_the_shipped_pipeline_has_noun_phrases():
    parser = CommandParser.load()
    sentence = spaced(parser.analyse("the man's red mug, left of it"))
    assert sentence == "the man 's red mug , left of it"
    assert noun_phrase(parser.analyse(sentence)) == "the man 's red mug"


def test_a_language_without_rules_for_noun_phrases_keeps_the_sentence():
    words = Doc(spacy.blank('xx').vocab, ['the', 'mug'], [True, False])
    assert noun_phrase(words) == 'the mug'


@pytest.mark.parametrize(
    ('dataset', 'weight'),
    [
        ('refcoco', 0.95),
        ('refcoco+', 0.95),
        ('refcocog', 0.85),
        ('refcocog-google', 0.85),
        ('phrasecut', 0.85),
        ('grefcoco', 0.95),
        ('', 0.95),
    ],
)
def test_the_global_weight_depends_on_the_data_set(dataset, weight):
    assert global_weight(dataset) == weight


def test_it_loads_what_transformers_saves(clip, iterprime, tmp_path, photo):
    folder = str(save_tiny_clip(tmp_path))
    loaded = gl_clip(iterprime, folder, 0.85)
    masks = torch.from_numpy(some_masks())
    expected = GlClip(iterprime, clip, 0.85).mask_features(photo, masks)
    torch.testing.assert_close(loaded.mask_features(photo, masks), expected)


def test_what_is_no_clip_is_rejected_in_one_sentence(weights, tmp_path):
    offline = Placement(local_files_only=True)
    with pytest.raises(WeightsNotFoundError, match='No CLIP model at tiny/no-such-clip'):
        load_clip('tiny/no-such-clip', offline)
    with pytest.raises(WeightsMismatchError, match='holds a "blip" model and not a CLIP model'):
        load_clip(weights / 'blip', offline)
    folder = save_tiny_clip(tmp_path / 'clip')
    settings = json.loads((folder / 'config.json').read_text())
    settings['text_config']['eos_token_id'] = 5
    (folder / 'config.json').write_text(json.dumps(settings))
    with pytest.raises(WeightsMismatchError, match='does not end texts as its model expects'):
        load_clip(folder, offline)
    settings['text_config'] |= {'eos_token_id': 2, 'vocab_size': 100}
    (folder / 'config.json').write_text(json.dumps(settings))
    with pytest.raises(WeightsMismatchError, match='its tokenizer has 140 tokens, its model 100'):
        load_clip(folder, offline)
    (folder / 'tokenizer.json').unlink()
    with pytest.raises(WeightsMismatchError, match='it has none of tokenizer'):
        load_clip(folder, offline)


def test_damaged_weights_are_named(clip, iterprime, photo):
    model = tiny_clip().requires_grad_(False)
    model.visual_projection.weight[0, 0] = float('nan')
    broken = GlClip(iterprime, Clip(model, clip.tokenizer))
    with pytest.raises(WeightsMismatchError, match='CLIP gave no number that is finite'):
        broken.mask_features(photo, torch.from_numpy(some_masks()))


def test_features_have_unit_length(clip, iterprime, photo):
    features = GlClip(iterprime, clip).mask_features(photo, torch.from_numpy(some_masks()))
    torch.testing.assert_close(features, normalize(features))


def test_weights_that_lack_name_what_fetches_them(iterprime, tmp_path, monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path))
    offline = Placement(local_files_only=True)
    with pytest.raises(WeightsNotFoundError, match=f'`iterprime models fetch {WEIGHTS}`'):
        load_gl_clip(iterprime, 'refcoco', offline)
