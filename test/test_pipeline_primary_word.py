"""The parser's primary word and the head's in answers: by small random models."""

import pytest

from helpers.tiny_profile import write_profile
from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.primary_word_head import FEATURES, PrimaryWordHead, save_head
from iterprime_ros.pipeline import IteRPrimE

COMMAND = 'pick up the red mug left of the ball'


@pytest.fixture(scope='module')
def model(regions):
    return IteRPrimE.from_profile(regions, 'cpu', offline=True)


@pytest.fixture
def with_head(model, tmp_path):
    """The model with a head that names the last word, or the first, by its place alone."""

    def made(feature, reliability, by='heatmap'):
        weights = tuple(50.0 if name == feature else 0.0 for name in FEATURES)
        path = tmp_path / 'head.json'
        save_head(PrimaryWordHead(weights, 1.0, 1, reliability, 500), path)
        answer = model.profile.answer.model_copy(update={'by': by})
        changes = {'primary_word': str(path), 'answer': answer}
        return model.with_profile(model.profile.model_copy(update=changes))

    return made


def primary(answer):
    return [
        answer.command.expression[slice(*each.span)]
        for each in answer.word_heatmaps
        if each.is_primary
    ]


@pytest.mark.parametrize(('reliability', 'used'), [(0.5, 'ball'), (0.999, 'mug')])
def test_the_better_calibrated_word_is_used_and_the_other_noted(
    with_head, picture, reliability, used
):
    answer = with_head('is last', reliability).segment(picture, COMMAND)
    assert primary(answer) == [used]
    (note,) = [note for note in answer.notes if 'takes "mug"' in note]
    assert '"ball" (chance 0.9' in note
    assert note.endswith(f'"{used}" is used.')
    parser_word = answer.command.expression[slice(*answer.command.primary_word)]
    assert parser_word == 'mug'


def test_a_word_that_is_no_focus_word_becomes_one(with_head, picture):
    answer = with_head('is first', 0.1).segment(picture, COMMAND)
    assert primary(answer) == ['the']


def test_part_by_part_a_word_of_another_phrase_is_noted_and_not_used(with_head, picture):
    answer = with_head('is last', 0.1, by='parts').segment(picture, COMMAND)
    assert primary(answer) == ['mug']
    assert any(note.endswith('"mug" is used.') for note in answer.notes)
    answer = with_head('is last', 0.1, by='parts').segment(picture, 'the mug that is red')
    assert primary(answer) == ['red']


def test_the_head_is_never_surer_than_its_calibration_set_allows(with_head, picture):
    (note,) = with_head('is last', 0.999).segment(picture, 'the mug of it').notes[-1:]
    assert '(chance 0.998)' in note  # 501 of 502


def test_no_note_where_both_name_the_same_word(model, with_head, picture):
    answer = with_head('is last', 0.1).segment(picture, 'the red mug')
    assert answer.notes == model.segment(picture, 'the red mug').notes


@pytest.mark.parametrize(('feature', 'word'), [('is first', '2nd'), ('is last', 'right')])
def test_the_head_names_the_word_where_the_parser_finds_none(with_head, picture, feature, word):
    answer = with_head(feature, 1.0).segment(picture, '2nd from right')
    assert answer.command.primary_word is None
    assert primary(answer) == [word]
    assert any(f'"{word}" stands for it' in note for note in answer.notes)


def test_many_commands_have_the_notes_of_each_alone(with_head, picture):
    model = with_head('is last', 0.5)
    commands = [COMMAND, '  ', 'the red mug', 'the ball behind the mug']
    together = model.segment_many(picture, commands)
    assert [answer.notes for answer in together] == [
        model.segment(picture, command).notes for command in commands
    ]


def test_a_profile_names_a_head_beside_it(weights, tmp_path):
    path = write_profile(tmp_path / 'mine.yaml', weights, primary_word='./head.json')
    with pytest.raises(WeightsNotFoundError, match=r'^Cannot read the primary word head '):
        IteRPrimE.from_profile(path, 'cpu', offline=True)
    (tmp_path / 'head.json').write_text('{}')
    with pytest.raises(WeightsMismatchError, match='its fields are not'):
        IteRPrimE.from_profile(path, 'cpu', offline=True)
