"""Profiles: the named ones, YAML files that build on them, and wrong ones in one sentence."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.profiles import PROFILE_NAMES, Profile, load_profile


def test_profiles_are_whole():
    for name in PROFILE_NAMES:
        each = load_profile(name)
        assert each.description, name
        assert Profile.model_validate(each.model_dump()) == each
    paper = load_profile('paper')
    assert paper.grounding.keep_failed_round
    assert paper.answer.match_threshold == 0
    assert paper.masks.kind == 'mask2former'
    assert re.fullmatch(r'facebook/.+@[0-9a-f]{40}', paper.masks.weights)
    assert 'CC BY-NC 4.0' in paper.notice


def test_a_file_may_build_on_a_profile(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('base: blip-sam\ngrounding:\n  rounds: 2\nmasks:\n  kind: regions\n')
    mine = load_profile(path)
    assert mine.grounding.rounds == 2
    assert mine.grounding.momentum == load_profile('blip-sam').grounding.momentum
    assert mine.masks.kind == 'regions'
    assert mine.matcher == load_profile('blip-sam').matcher


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('base: blip-sam\ngrounding:\n  rounds: 0\n', 'grounding.rounds'),
        ('base: blip-sam\nspeed: 3\n', 'speed'),
        ('base: nothing\n', 'base must be one of'),
        ('matcher: {kind: blip}\n', 'matcher.weights'),
        ('- a list\n', 'must map'),
        ('a: [\n', 'not YAML'),
        ('base: [1]\n', 'base must be one of'),
        ("base: blip-sam\nmatcher: {weights: ''}\n", 'matcher.weights'),
    ],
)
def test_a_wrong_profile_is_one_sentence(tmp_path, text, words):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(InvalidSettingError, match=words):
        load_profile(path)


def test_unknown_names_are_one_sentence(tmp_path):
    with pytest.raises(InvalidSettingError, match='blip-sam'):
        load_profile('blip')
    with pytest.raises(InvalidSettingError, match='Cannot read'):
        load_profile(tmp_path / 'none.yaml')


def test_weights_that_begin_with_a_dot_lie_beside_their_file(tmp_path, monkeypatch):
    folder = tmp_path / 'models'
    folder.mkdir()
    path = folder / 'mine.yaml'
    path.write_text('base: tabletop\nmatcher: {weights: ./near}\nmasks: {weights: far/away}\n')
    monkeypatch.chdir(tmp_path)
    mine = load_profile(Path('models') / 'mine.yaml')
    assert mine.matcher.weights == str(folder / 'near')
    assert mine.masks.weights == 'far/away'


def test_another_matcher_has_no_head_of_the_base(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('base: tabletop\nanswer: {max_peaks: 3}\n')
    assert load_profile(path).primary_word == load_profile('tabletop').primary_word is not None
    path.write_text('base: tabletop\nmatcher: {weights: ./near}\n')
    assert load_profile(path).primary_word is None


@pytest.mark.parametrize(
    'text',
    [
        'base: blip-sam\ngrounding: &g {rounds: 2, prompt: *g}\n',
        'base: blip-sam\ngrounding: &g {again: *g}\n',
        '&all {base: blip-sam, matcher: *all}\n',
        'base: &b [*b]\n',
        'a: &a [1, 1]\n'
        + ''.join(f'{new}: &{new} [{(f"*{old}, " * 9)}]\n' for old, new in pairwise('abcdefghijkl'))
        + 'base: *l\n',
        'base: blip-sam\nanswer: &a [*a]\n',
        'a: ' + '[' * 3000,
        'base: ' + '{a: ' * 3000,
        'base: blip-sam\ndescription: 2026-13-45\n',
        'base: blip-sam\ndescription: ' + '9' * 5000,
        'base: blip-sam\n? [1, 2]\n: 3\n',
        'base: blip-sam\n1: 2\n',
        'base: blip-sam\nmatcher: {weights: !!python/object/apply:os.getcwd []}\n',
        'base: ' + 'x' * 5000,
        'base: blip-sam\nmatcher: {kind: ' + 'x' * 5000 + '}\n',
        'base: blip-sam\n' + 'x' * 5000 + ': 3\n',
        *(
            f'base: blip-sam\n{field}: {{weights: "{weights}"}}\n'
            for field in ('matcher', 'masks')
            for weights in ('x' * 5000, 'a/' * 2500, '/a' * 200 + 'x' * 256, 'a\\0b', ' ')
        ),
        'base: blip-sam\nmatcher: {tokenizer: ' + 'x' * 5000 + '}\n',
        'base: blip-sam\nlanguage: ' + 'x' * 5000 + '\n',
        "base: blip-sam\nlanguage: ''\n",
    ],
)
def test_hostile_yaml_is_one_short_sentence(tmp_path, text):
    path = tmp_path / 'hostile.yaml'
    path.write_text(text)
    with pytest.raises(InvalidSettingError) as caught:
        load_profile(path)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    'name', ['x' * 5000, 'x' * 5000 + '.yaml', 'a/' * 2500 + '.yaml', 'a\0.yaml']
)
def test_impossible_names_of_profiles_are_one_short_sentence(name):
    with pytest.raises(InvalidSettingError) as caught:
        load_profile(name)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300
