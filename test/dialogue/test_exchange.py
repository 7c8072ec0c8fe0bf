"""Turns of a dialogue on a real scene, with the models that ship."""

import pytest

from iterprime_ros.answer import Status
from iterprime_ros.dialogue.exchange import MAX_TURNS, take_turn
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.speech.recognizer import Hypothesis


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop', 'cpu', offline=True)


@pytest.fixture(scope='module')
def frame(model):
    """A frame of three mugs: orange, black and blue, from left to right."""
    with Renderer(320, 240) as renderer:
        picture = renderer.render(sample_scene(16))
    return model.embed(picture.rgb, picture.depth, picture.pinhole)


@pytest.fixture
def say(model, frame):
    def turn(*texts, before=None):
        return take_turn(model, frame, [Hypothesis(text, 0.5) for text in texts], before)

    return turn


def test_a_reply_finds_what_the_question_named(say):
    first = say('pick up the mug')
    assert (first.answer.status, first.next.turn) == (Status.AMBIGUOUS, 1)
    for choice in first.next.question.choices:
        second = say(choice.words, before=first.next)
        assert (second.answer.status, second.next) == (Status.FOUND, None)
        mask = first.answer.candidates[choice.candidate].mask
        assert (second.answer.mask == mask).all()
        assert second.heard == choice.words
        assert f'Understood as "{choice.command}".' in second.answer.notes


def test_questions_are_counted_and_end(say):
    turn = say('the mug')
    for number in range(1, MAX_TURNS + 1):
        assert turn.next.turn == number
        before, turn = turn.next, say('yes', before=turn.next)
        assert turn.answer.status is Status.AMBIGUOUS
    assert turn.next is None
    # Another command begins anew.
    assert say('find the blue object', before=before).next.turn == 1


def test_more_is_added_from_turn_to_turn(say):
    second = say('the blue one', before=say('the object').next)
    assert second.answer.status is Status.AMBIGUOUS
    third = say('the large one', before=second.next)
    assert third.answer.command.expression == 'the large blue object'
    assert third.next.turn == 3
    last = say('the left one', before=third.next)
    assert last.answer.status is Status.FOUND


def test_a_reply_that_fits_nothing_is_asked_for_again(say):
    first = say('pick up the mug')
    second = say('the yellow one', before=first.next)
    assert second.answer.status is Status.NOT_FOUND
    assert (second.next.question, second.next.turn) == (first.next.question, 2)
    assert say('the left one', before=second.next).answer.status is Status.FOUND


def test_a_command_is_taken_back(say):
    turn = say('never mind', before=say('the mug').next)
    assert (turn.answer.status, turn.next) == (Status.INVALID, None)
    assert not turn.answer.mask.any()


def test_every_hypothesis_is_taken_for_a_reply(say):
    before = say('the mug').next
    turn = say('the right one', 'the white one', before=before)
    assert turn.answer.command.expression == 'the rightmost mug'
    assert turn.heard == 'the right one'
    # One that takes it back and is not the likeliest is none.
    assert say('the left one', 'no', before=before).heard == 'the left one'
    assert say('no', 'the left one', before=before).answer.status is Status.INVALID


def test_without_a_question_nothing_is_a_reply(say):
    turn = say('the left one')
    assert turn.answer.command.expression == 'the left one'
    assert not any('Understood' in note for note in turn.answer.notes)


def test_where_two_commands_may_have_been_said_the_question_is_which(say):
    turn = say('pick up the black mug', 'pick up the orange mug')
    assert turn.answer.status is Status.AMBIGUOUS
    question = turn.next.question
    assert question.text == 'Did you mean the black mug, or the orange mug?'
    for said, number in (('the orange one', 1), ('the first', 0), ('the black mug', 0)):
        reply = say(said, before=turn.next)
        assert reply.answer.status is Status.FOUND
        assert (reply.answer.mask == turn.answer.candidates[number].mask).all()
        assert reply.answer.command.action_verb == 'pick'


def test_what_fits_several_objects_is_asked_about_where_other_words_fit_one(model, frame):
    hypotheses = [Hypothesis('pick up the mug', 0.95), Hypothesis('pick up the black mug', 0.05)]
    turn = take_turn(model, frame, hypotheses)
    assert turn.heard == 'pick up the mug'
    assert turn.next.question.text.startswith('Which mug: ')
