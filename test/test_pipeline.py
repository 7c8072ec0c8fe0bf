"""Image and command in, answer out: by small random models in the formats of the real ones."""

import math

import numpy as np
import pytest
import torch

from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from helpers.tiny_profile import write_profile
from iterprime_ros import pipeline
from iterprime_ros.answer import Status
from iterprime_ros.answering import by_heatmap
from iterprime_ros.cli import main
from iterprime_ros.errors import (
    InvalidImageError,
    InvalidSettingError,
    StoppedError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import AnswerSettings


@pytest.fixture(scope='module')
def model(regions):
    return IteRPrimE.from_profile(regions, 'cpu', offline=True)


def test_an_answer_holds_what_its_docstring_says(model, picture):
    answer = model.segment(picture, 'pick up the red mug left of the ball')
    assert answer.status in (Status.FOUND, Status.AMBIGUOUS)
    assert (answer.instance_count, answer.parts) == (1, None)
    assert all(math.isnan(each.chance) for each in answer.candidates)
    assert answer.mask.dtype == bool
    assert answer.mask.shape == answer.heatmap.shape == picture.shape[:2]
    assert answer.heatmap.dtype == np.float32
    assert (answer.heatmap.min(), answer.heatmap.max()) == (0, 1)
    assert answer.command.action_verb == 'pick'
    assert answer.command.expression == 'the red mug left of the ball'
    assert 0 <= answer.match_probability <= 1
    assert answer.match_probability == answer.rounds[0].probability
    assert np.array_equal(answer.candidates[0].mask, answer.mask)
    assert answer.mask[answer.heatmap == 1].any()
    primary = [each for each in answer.word_heatmaps if each.is_primary]
    assert [answer.command.expression[slice(*each.span)] for each in primary] == ['mug']
    assert set(answer.milliseconds) == {
        'encode image for matching',
        'encode image for masks',
        'parse',
        'ground',
        'select mask',
    }
    assert (
        answer.text.startswith('Found "the red mug left of the ball"') or 'could be' in answer.text
    )


def test_many_commands_are_answered_as_each_alone(model, picture):
    commands = ['the red mug', '  ', 'hand me the ball behind the mug', 'the blue ball']
    together = model.segment_many(picture, commands)
    frame = model.embed(picture)
    for command, answer in zip(commands, together, strict=True):
        alone = model.segment(frame, command)
        assert alone.status is answer.status
        assert np.array_equal(alone.mask, answer.mask)
        assert alone.heatmap == pytest.approx(answer.heatmap, abs=1e-3)
    assert [answer.status is Status.INVALID for answer in together] == [False, True, False, False]


def test_sam_masks_are_at_the_peak(weights, tmp_path, picture):
    masks = {'kind': 'sam', 'weights': str(weights / 'sam')}
    path = write_profile(tmp_path / 'sam.yaml', weights, masks=masks)
    model = IteRPrimE.from_profile(path, 'cpu', offline=True)
    answer = model.segment(picture, 'the red mug')
    assert answer.status is not Status.INVALID
    assert all(each.mask[answer.heatmap == 1].any() for each in answer.candidates[:1])


def test_what_matches_too_little_is_not_found(weights, tmp_path, picture):
    path = write_profile(tmp_path / 'strict.yaml', weights, answer={'match_threshold': 1.0})
    answer = IteRPrimE.from_profile(path, 'cpu', offline=True).segment(picture, 'the red mug')
    assert answer.status is Status.NOT_FOUND
    assert not answer.mask.any()
    assert answer.candidates == ()
    assert 'Nothing here matches "the red mug"' in answer.text


def test_a_rival_on_another_peak_makes_an_answer_ambiguous(weights, tmp_path, picture):
    """With a margin of 1 every other peak is a rival; with 0 none is."""
    answers = {}
    for margin in (0.0, 1.0):
        path = write_profile(
            tmp_path / f'{margin}.yaml', weights, answer={'ambiguity_margin': margin}
        )
        model = IteRPrimE.from_profile(path, 'cpu', offline=True)
        answers[margin] = model.segment(picture, 'the red mug')
    assert answers[0.0].status is Status.FOUND
    assert answers[1.0].status is Status.AMBIGUOUS
    winner, rival = answers[1.0].candidates[:2]
    shared = (winner.mask & rival.mask).sum()
    assert shared < 0.1 * min(winner.mask.sum(), rival.mask.sum())
    assert np.array_equal(winner.mask, answers[0.0].mask)


class FixedMasks:
    """A proposer that answers every point with the same masks."""

    def __init__(self, *masks):
        self.masks = torch.from_numpy(np.stack(masks))

    def embed(self, image):
        return None

    def propose(self, embedding, points):
        return Proposals(self.masks, torch.ones(len(self.masks)))


def test_a_mask_round_the_winner_or_off_every_peak_is_no_rival(model, picture):
    """SAM often offers the whole table beside the mug on it, and crumbs beside both."""
    heat = model.segment(picture, 'the red mug').heatmap
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    mug, table, crumb = (np.zeros(heat.shape, bool) for _ in range(3))
    mug[max(y - 6, 0) : y + 6, max(x - 6, 0) : x + 6] = True
    table[:] = True
    crumb[heat == heat.min()] = True
    answer = AnswerSettings(match_threshold=0, ambiguity_margin=1)
    chosen = model.profile.model_copy(update={'answer': answer})
    fixed = IteRPrimE(model.matcher, FixedMasks(mug, table, crumb), model.parser, chosen)
    assert fixed.segment(picture, 'the red mug').status is Status.FOUND


def test_it_works_inside_inference_mode(model, picture):
    outside = model.segment(picture, 'the red mug')
    with torch.inference_mode():
        inside = model.segment(picture, 'the red mug')
    assert np.array_equal(inside.mask, outside.mask)


def test_a_model_that_gives_no_number_is_an_error(weights, tmp_path, picture):
    broken = tiny_blip()
    with torch.no_grad():
        broken.itm_head.weight.fill_(float('nan'))
    broken.save_pretrained(tmp_path / 'blip')
    tiny_tokenizer(WORDS).save_pretrained(tmp_path / 'blip')
    matcher = {'weights': str(tmp_path / 'blip')}
    path = write_profile(tmp_path / 'nan.yaml', weights, matcher=matcher)
    with pytest.raises(WeightsMismatchError, match='gave no number'):
        IteRPrimE.from_profile(path, 'cpu', offline=True).segment(picture, 'the red mug')


def test_a_word_that_stands_for_a_missing_noun_is_said(model, picture):
    answer = model.segment(picture, '2nd from right')
    assert any('stands for it' in note for note in answer.notes)
    assert sum(each.is_primary for each in answer.word_heatmaps) == 1


def test_ten_thousand_characters_are_cut_and_said(model, picture):
    answer = model.segment(picture, 'the red mug ' * 850)
    assert answer.status is not Status.INVALID
    assert any('was cut' in note for note in answer.notes)


@pytest.mark.parametrize('command', ['', ' \n\t', '!!!', '\x00\x01'])
def test_a_command_without_words_is_invalid(model, picture, command):
    answer = model.segment(picture, command)
    assert answer.status is Status.INVALID
    assert not answer.mask.any()
    assert math.isnan(answer.match_probability)
    assert answer.text.endswith('.')


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        [[0, 0, 0]],
    ],
)
def test_what_is_no_image_is_refused(model, image):
    with pytest.raises(InvalidImageError, match=r'\(H, W, 3\) uint8'):
        model.segment(image, 'the mug')


@pytest.mark.parametrize('size', [(1, 1, 3), (1, 300, 3), (33, 20, 3)])
def test_small_and_thin_images_are_answered(model, size):
    rng = np.random.default_rng(0)
    answer = model.segment(rng.integers(0, 256, size, dtype=np.uint8), 'the mug')
    assert answer.mask.shape == size[:2]


def test_unknown_names_are_one_sentence(tmp_path, regions, weights):
    with pytest.raises(InvalidSettingError, match='no device'):
        IteRPrimE.from_profile(regions, 'gpu')
    with pytest.raises(InvalidSettingError, match='not supported'):
        IteRPrimE.from_profile(regions, 'meta')
    with pytest.raises(InvalidSettingError, match='from 0 to 3'):
        IteRPrimE.from_profile(
            write_profile(tmp_path / 'block.yaml', weights, grounding={'block': 4}),
            'cpu',
            offline=True,
        )
    with pytest.raises(WeightsNotFoundError, match='iterprime models fetch'):
        IteRPrimE.from_profile('blip-sam', 'cpu', offline=True)


def test_every_round_is_reported_until_the_work_is_stopped(model, picture):
    reported = []
    answer = model.segment(picture, 'the red mug', lambda *each: reported.append(each))
    assert [number for number, _, _ in reported] == list(range(len(answer.rounds)))
    assert [probability for _, _, probability in reported] == [
        each.probability for each in answer.rounds
    ]
    enlarged = upsampled(torch.from_numpy(reported[-1][1]), picture.shape[:2])
    np.testing.assert_array_equal(enlarged.numpy(), answer.heatmap)
    with pytest.raises(StoppedError):
        model.segment(picture, 'the red mug', should_stop=lambda: True)


def test_maps_are_enlarged_once_whoever_listens(model, picture, monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(1)
        return upsampled(*arguments)

    monkeypatch.setattr(by_heatmap, 'upsampled', counted)
    model.segment(picture, 'the red mug')
    assert len(calls) == 1
    model.segment(picture, 'the red mug', lambda *_: None)
    assert len(calls) == 2


def test_a_large_image_is_answered_in_its_own_size_from_a_smaller_one(model, picture):
    large = np.repeat(np.repeat(picture, 16, axis=0), 16, axis=1)  # 2560 x 1920
    frame = model.embed(large)
    assert (frame.image_size, frame.size) == ((1920, 2560), (768, 1024))
    answer = model.segment(frame, 'the red mug')
    for plane in (answer.mask, answer.heatmap, *(each.mask for each in answer.candidates)):
        assert plane.shape == (1920, 2560)
    assert np.array_equal(answer.mask, answer.candidates[0].mask)
    small = model.segment(picture, 'the red mug')
    assert answer.match_probability == pytest.approx(small.match_probability, abs=0.02)
    assert model.segment(frame, '!!').mask.shape == (1920, 2560)


class RecordingProposer:
    """Keeps the devices of the tensors that it gets."""

    def __init__(self):
        self.devices = []

    def embed(self, image):
        self.devices.append(image.device.type)

    def propose(self, embedding, points):
        self.devices.append(points.device.type)
        return Proposals(torch.zeros(0, 4, 5, dtype=torch.bool), torch.zeros(0))


def test_a_proposer_gets_every_tensor_on_the_device_of_the_pipeline(model):
    proposer = RecordingProposer()
    elsewhere = IteRPrimE(model.matcher, proposer, model.parser, model.profile, 'meta')
    elsewhere.embed_masks(np.zeros((4, 5, 3), np.uint8))
    frame = pipeline.Frame((4, 5), (4, 5), None, None, None, None, {})
    elsewhere.proposals_at(frame, [(1, 2)])
    elsewhere.with_proposer(proposer).proposals_at(frame, [])
    assert proposer.devices == ['meta'] * 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_an_ablation_runs_on_cuda(tmp_path):
    arguments = ['evaluate', '--limit', '1', '--ablation', '--device', 'cuda']
    assert main([*arguments, '--out', str(tmp_path)]) == 0
