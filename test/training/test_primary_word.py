"""Training of the head that names the primary word: synthetic words, and a few rendered scenes."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.backends import load_matcher
from iterprime_ros.grounding.primary_word_head import (
    FEATURES,
    PrimaryWordHead,
    load_head,
    read_words,
)
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.profiles import DEFAULT, load_profile
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import TRAINING
from iterprime_ros.training.primary_word import (
    WordExample,
    fit_head,
    main,
    mean_log_loss,
    summary,
    word_examples,
)
from iterprime_ros.training.scenes import HEIGHT, WIDTH
from iterprime_ros.weights import Placement

SEEDS = range(TRAINING.start + 900_000, TRAINING.start + 900_002)
BLOCK = 2
FITS = settings(max_examples=12, deadline=None)


def told_examples(rng, count, feature, sign, misled):
    """Words whose features are noise but one, which is 4 times `sign` at one word of each example.

    It is the answer, but in every `misled`th example, where the next word is; 0: never.
    """
    examples = []
    for number in range(count):
        words = tuple((4 * k, 4 * k + 3) for k in range(rng.integers(2, 7)))
        features = torch.from_numpy(rng.normal(size=(len(words), len(FEATURES))))
        told = int(rng.integers(len(words)))
        features[:, feature] = 0
        features[told, feature] = 4 * sign
        answer = (told + 1) % len(words) if misled and number % misled == 0 else told
        parsed = words[answer] if rng.random() < 0.8 else None
        examples.append(WordExample('one ' * len(words), features, words, answer, parsed))
    return examples


def plain_log_loss(weights, temperature, examples):
    """The mean of -log softmax, in loops."""
    losses = []
    for each in examples:
        scores = [float(row @ np.array(weights)) / temperature for row in each.features.numpy()]
        losses.append(np.logaddexp.reduce(scores) - scores[each.answer])
    return sum(losses) / len(losses)


@FITS
@given(
    seed=st.integers(0, 1000),
    feature=st.integers(0, len(FEATURES) - 1),
    sign=st.sampled_from([-1, 1]),
    misled=st.sampled_from([0, 2, 5]),
)
def test_a_head_finds_the_feature_that_tells_and_learns_how_far_to_trust_it(
    seed, feature, sign, misled
):
    rng = np.random.default_rng(seed)
    training = told_examples(rng, 80, feature, sign, 0)
    calibration = told_examples(rng, 40, feature, sign, misled)
    head = fit_head(training, calibration, BLOCK)
    assert int(np.abs(head.weights).argmax()) == feature
    assert head.weights[feature] * sign > 0
    for each in told_examples(rng, 40, feature, sign, 0):
        assert int(head.probabilities(each.features).argmax()) == each.answer
    assert (head.block, head.calibration_count) == (BLOCK, 40)
    right = sum(each.parsed == each.words[each.answer] for each in [*training, *calibration])
    assert head.parser_reliability == (right + 1) / 122
    assert (head.temperature > 1) == bool(misled)
    loss = mean_log_loss(head, calibration)
    assert loss == pytest.approx(plain_log_loss(head.weights, head.temperature, calibration))
    for temperature in np.exp(np.linspace(-3, 3, 25)):
        assert loss <= mean_log_loss(replace(head, temperature=temperature), calibration) + 1e-6
    assert loss < mean_log_loss(replace(head, temperature=1.0), calibration)


@FITS
@given(seed=st.integers(0, 1000), misled=st.sampled_from([2, 3, 5]))
def test_no_weights_near_those_of_a_head_have_a_lower_loss(seed, misled):
    rng = np.random.default_rng(seed)
    examples = told_examples(rng, 60, 3, 1, misled)
    weights = np.array(fit_head(examples, examples, BLOCK).weights)
    deviation = torch.cat([each.features for each in examples]).numpy().std(axis=0, ddof=1)

    def objective(values):
        return plain_log_loss(values, 1.0, examples) + 1e-3 * ((values * deviation) ** 2).sum()

    least = objective(weights)
    for size in (1e-2, 0.3):
        for _ in range(5):
            assert least <= objective(weights + rng.normal(size=weights.shape) * size) + 1e-6


def test_a_feature_that_all_words_share_is_no_trouble():
    examples = told_examples(np.random.default_rng(1), 40, 3, 1, 0)
    for each in examples:
        each.features[:, 7] = 5
    head = fit_head(examples, examples, BLOCK)
    assert np.isfinite([*head.weights, head.temperature]).all()
    assert int(np.abs(head.weights).argmax()) == 3


def plain_summary(head, examples):
    """Count one after another what `summary` counts."""
    head_right = parser_right = agree = prevails = used_right = 0
    chances = []
    for each in examples:
        probabilities = head.probabilities(each.features).tolist()
        best = max(probabilities)
        chance = min(best, (head.calibration_count + 1) / (head.calibration_count + 2))
        named, right = each.words[probabilities.index(best)], each.words[each.answer]
        does_prevail = named != each.parsed and (
            each.parsed is None or chance > head.parser_reliability
        )
        chances.append(chance)
        head_right += named == right
        parser_right += each.parsed == right
        agree += named == each.parsed
        prevails += does_prevail
        used_right += (named if does_prevail else each.parsed) == right
    count = len(examples)
    return [
        count,
        head_right / count,
        sum(chances) / count,
        parser_right / count,
        agree / count,
        prevails,
        used_right / count,
    ]


@given(
    seed=st.integers(0, 1000),
    parsed=st.lists(st.sampled_from([None, (0, 3), (4, 7), (1, 2)]), min_size=1, max_size=12),
    scale=st.sampled_from([0.0, 0.3, 3.0]),
    reliability=st.sampled_from([0.0, 0.6, 0.97, 1.0]),
    count=st.integers(1, 60),
)
def test_a_summary_is_what_plain_counting_gives(seed, parsed, scale, reliability, count):
    rng = np.random.default_rng(seed)
    weights = tuple((scale * rng.normal(size=len(FEATURES))).tolist())
    head = PrimaryWordHead(weights, 1.0, BLOCK, reliability, count)
    examples = [
        replace(each, parsed=span)
        for each, span in zip(told_examples(rng, len(parsed), 0, 1, 0), parsed, strict=True)
    ]
    line = summary(head, examples)
    numbers = [float(number) for number in re.findall(r'\d+\.?\d*', line)]
    assert numbers == pytest.approx(plain_summary(head, examples), abs=6e-4)
    assert '\n' not in line


@pytest.fixture(scope='module')
def profile():
    return load_profile(DEFAULT)


@pytest.fixture(scope='module')
def matcher(profile):
    chosen = profile.matcher
    placement = Placement.named('cpu', profile.encoder_dtype, False, DEFAULT)
    return load_matcher(chosen.kind, chosen.weights, chosen.tokenizer, placement)


def test_examples_of_scenes_hold_what_the_matcher_reads(matcher, profile):
    prompt, parser = profile.grounding.prompt, CommandParser.load(profile.language)
    scenes = list(word_examples(matcher, parser, prompt, BLOCK, SEEDS))
    assert len(scenes) == len(SEEDS)
    with Renderer(WIDTH, HEIGHT) as renderer:
        for seed, examples in zip(SEEDS, scenes, strict=True):
            pixels = torch.from_numpy(renderer.render(sample_scene(seed)).rgb).permute(2, 0, 1)
            image = matcher.encode_image(pixels)
            assert len(examples) >= 2
            for each in examples:
                ((words, features),) = read_words(matcher, image, [each.text], prompt, BLOCK)
                assert each.words == words
                assert each.features.numpy() == pytest.approx(features.numpy(), abs=1e-3)
                assert each.answer in range(len(words))
                assert each.is_parsed_right  # as the parser is, of nearly all


def test_the_command_writes_a_head_and_says_how_good_it_is(matcher, tmp_path, capsys):
    path = tmp_path / 'new' / 'head.json'
    assert main(['--scenes', '4', '--out', str(path)]) == 0
    head = load_head(path)
    assert head.block == matcher.fusion_blocks.stop - 2
    lines = capsys.readouterr().out.splitlines()
    used = re.fullmatch(r'(\d+) expressions for the weights, (\d+) for the temperature', lines[0])
    assert int(used[2]) == head.calibration_count
    assert f'parser right on both {head.parser_reliability:.4f}, ' in lines[1]
    assert lines[2].startswith(f'trained on: {used[1]} expressions, head right ')
    assert lines[3].startswith('scenes not trained on: ')


def test_a_profile_that_there_is_not_is_one_sentence(tmp_path, capsys):
    path = tmp_path / 'head.json'
    assert main(['--profile', str(tmp_path / 'none.yaml'), '--out', str(path)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count('\n')) == ('', 1)
    assert 'none.yaml' in said.err
    assert not path.exists()


def test_too_few_scenes_are_one_sentence(tmp_path, capsys):
    assert main(['--scenes', '3', '--out', str(tmp_path / 'head.json')]) == 1
    assert capsys.readouterr().err == '--scenes must be at least 4, not 3.\n'
