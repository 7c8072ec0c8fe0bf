"""Replies in the context of questions."""

import numpy as np
import pytest

from helpers.parts_answers import answer_about, disc
from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.dialogue.question import question_between, question_for
from iterprime_ros.dialogue.reply import ReplyKind, understood

SIZE = (60, 80)


def asked(parser, command, *things):
    """The answer and the question to a command about things (name, x, y, radius)."""
    masks = [disc(SIZE, *where) for _, *where in things]
    answer = answer_about(command, masks, [name for name, *_ in things], parser=parser)
    return answer, question_for(answer)


MUGS = (('red mug', 15, 30, 6), ('red mug', 60, 30, 6), ('blue mug', 38, 30, 6))
THREE = (('red mug', 15, 30, 6), ('red mug', 40, 30, 6), ('red mug', 65, 30, 6))


@pytest.fixture(scope='module')
def question(parser):
    return asked(parser, 'pick up the red mug', *MUGS)[1]


def test_a_question_names_the_objects_and_a_command_for_each(question):
    assert question.text == 'Which red mug: the one on the left, or the one on the right?'
    assert [each.command for each in question.choices] == [
        'pick up the leftmost red mug',
        'pick up the rightmost red mug',
    ]


def test_each_command_of_a_question_means_its_object(parser):
    for things in (MUGS, THREE, (('mug', 15, 10, 4), ('mug', 16, 50, 9))):
        answer, question = asked(parser, 'take the mug', *things)
        masks = [disc(SIZE, *where) for _, *where in things]
        assert len(question.choices) == len(things)
        for choice in question.choices:
            again = answer_about(
                choice.command, masks, [name for name, *_ in things], parser=parser
            )
            assert again.status is Status.FOUND, choice.command
            assert np.array_equal(again.mask, answer.candidates[choice.candidate].mask)


@pytest.mark.parametrize(
    'said',
    [
        'the right one',
        'right',
        'The one on the right, please.',
        'to the right',
        'the rightmost',
        'no, the right one',
        'I mean the one on the right side',
        'take the right one',
        'the second one',
        'the latter',
        'number two',
        'the last one',
        'not the left one',
        'no not the first one',
        'the right mug',
        "it's the one on the right",
        'uh the red mug on the right',
    ],
)
def test_one_of_two_is_named(parser, question, said):
    reply = understood(said, question, parser)
    assert (reply.kind, reply.command) == (ReplyKind.CHOICE, 'pick up the rightmost red mug')


@pytest.mark.parametrize(
    ('said', 'command'),
    [
        ('the small one', 'pick up the small red mug'),
        ('no, the small one', 'pick up the small red mug'),
        ('the blue one', 'pick up the blue mug'),
        ('blue', 'pick up the blue mug'),
        ('the one next to the bottle', 'pick up the red mug next to the bottle'),
        ('next to the bottle', 'pick up the red mug next to the bottle'),
        ('the small one behind the plate', 'pick up the small red mug behind the plate'),
        ('the one with the handle', 'pick up the red mug with the handle'),
        ('the one that is not small', 'pick up the red mug that is not small'),
        ('the one closest to the plate', 'pick up the red mug closest to the plate'),
        ('the small mug', 'pick up the small red mug'),
    ],
)
def test_more_is_said_of_the_object(parser, question, said, command):
    reply = understood(said, question, parser)
    assert (reply.kind, reply.command) == (ReplyKind.MORE, command)


@pytest.mark.parametrize(
    ('said', 'command'),
    [
        ('pick up the red mug behind the plate', 'pick up the red mug behind the plate'),
        ('the cube', 'pick up the cube'),
        ('no, the yellow ball', 'pick up the yellow ball'),
        ('give me the bottle', 'give me the bottle'),
        ("don't touch the left one", "don't touch the left one"),
        ('the left or the right one', 'the left or the right one'),
        ('all the mugs', 'pick up all the mugs'),
        ('...', '...'),
    ],
)
def test_another_command_is_none_of_a_reply(parser, question, said, command):
    reply = understood(said, question, parser)
    assert reply.kind in (ReplyKind.OTHER, ReplyKind.NOTHING)
    expected = 'pick up the red mug' if reply.kind is ReplyKind.NOTHING else command
    assert reply.command == expected


@pytest.mark.parametrize('said', ['never mind', 'Neither.', 'no', 'stop!', 'no, forget it'])
def test_a_command_is_taken_back(parser, question, said):
    assert understood(said, question, parser).kind is ReplyKind.END


@pytest.mark.parametrize('said', ['yes', 'both', 'hmm', 'OK', 'both of them'])
def test_what_tells_nothing_leaves_the_command_as_it_was(parser, question, said):
    reply = understood(said, question, parser)
    assert (reply.kind, reply.command) == (ReplyKind.NOTHING, 'pick up the red mug')


@pytest.mark.parametrize('said', ['any', 'either one', "I don't care", 'whichever'])
def test_who_does_not_mind_gets_the_likeliest(parser, said):
    things = (('red mug', 60, 30, 6), ('red mug', 15, 30, 6))
    _, question = asked(parser, 'pick up the red mug', *things)
    assert understood(said, question, parser).choice.candidate == 0


def test_three_are_told_apart(parser):
    _, question = asked(parser, 'pick up the red mug', *THREE)
    middle = 'the one on the left, the one in the middle, or the one on the right'
    assert question.text == f'Which red mug: {middle}?'
    for said, number in (
        ('the middle one', 1),
        ('the one in the middle', 1),
        ('left', 0),
        ('the third', 2),
        ('the rightmost one', 2),
    ):
        assert understood(said, question, parser).choice is question.choices[number]
    unclear = understood('not the left one', question, parser)
    assert unclear.kind is ReplyKind.NOTHING


def test_three_that_stand_in_no_row_are_told_apart(parser):
    things = (('mug', 20, 12, 5), ('mug', 21, 50, 5), ('mug', 60, 30, 5))
    _, question = asked(parser, 'take the mug', *things)
    names = 'the one farthest away, the nearest one, or the one farthest right'
    assert question.text == f'Which mug: {names}?'
    assert understood('the nearest', question, parser).command == 'take the closest mug'


def test_many_are_counted(parser):
    things = tuple(('mug', x, 30, 5) for x in (10, 30, 50, 70))
    _, question = asked(parser, 'take the mug', *things)
    assert question.text == 'Which of the four mugs? Say which one from the left.'
    for said in ('the second one', 'the second from the left', 'second'):
        assert understood(said, question, parser).command == 'take the second mug from the left'


def test_an_order_that_the_question_did_not_use_is_understood(parser):
    _, question = asked(parser, 'take the mug', ('mug', 15, 20, 4), ('mug', 60, 40, 9))
    assert 'left' in question.text
    for said, number in (('the bigger one', 1), ('the lower one', 1), ('the smaller', 0)):
        assert understood(said, question, parser).choice is question.choices[number]


def test_a_landmark_of_the_command_tells_objects_apart(parser):
    things = (('mug', 20, 30, 5), ('plate', 40, 30, 8), ('mug', 60, 30, 5))
    _, question = asked(parser, 'the mug next to the plate', *things)
    assert question.text == ('Which mug: the one left of the plate, or the one right of the plate?')
    reply = understood('the one right of the plate', question, parser)
    assert reply.command == 'the mug next to the plate and right of the plate'
    assert understood('right', question, parser).choice is reply.choice


def test_the_superlative_that_left_it_open_is_replaced(parser):
    things = (('mug', 15, 30, 8), ('mug', 40, 30, 8), ('mug', 65, 30, 3))
    answer, question = asked(parser, 'take the biggest mug', *things)
    assert answer.status is Status.AMBIGUOUS
    left, second = question.choices
    assert left.command == 'take the leftmost mug'
    assert second.command == 'take the second mug from the left'
    assert understood('the right one', question, parser).choice is second


def test_which_of_two_commands_was_said(parser):
    commands = tuple(map(parser.parse, ('pick up the red mug', 'pick up the red block')))
    question = question_between(commands[0], commands)
    assert question.text == 'Did you mean the red mug, or the red block?'
    for said in ('the block', 'block', 'the second', 'the red block', 'not the mug'):
        assert understood(said, question, parser).command == 'pick up the red block', said


def test_an_answer_by_heatmap_asks_about_its_two_masks(parser):
    masks = [disc(SIZE, 15, 30, 6), disc(SIZE, 65, 30, 6)]
    answer = Segmentation(
        Status.AMBIGUOUS,
        'At least two.',
        parser.parse('grab the dog'),
        masks[0],
        masks[0].astype(np.float32),
        0.9,
        candidates=tuple(Candidate(mask, 0.5, 0.5, 0.9) for mask in masks),
        instance_count=1,
    )
    question = question_for(answer)
    assert question.text == 'Which dog: the one on the left, or the one on the right?'
    assert question.choices[1].candidate == 1


def test_there_is_no_question_to_other_answers(parser):
    answer, question = asked(parser, 'the blue mug', *MUGS)
    assert (answer.status, question) == (Status.FOUND, None)
    answer, question = asked(parser, 'two mugs', *THREE)
    assert (answer.status, question) == (Status.AMBIGUOUS, None)


def test_objects_in_one_place_are_asked_for_openly(parser):
    corners = np.zeros((2, *SIZE), bool)
    for k, (top, left) in enumerate(((10, 20), (10, 40), (30, 20), (30, 40))):
        corners[int(k in (1, 2)), top : top + 20, left : left + 20] = True
    answer = answer_about('take the mug', list(corners), ['mug', 'mug'], parser=parser)
    question = question_for(answer)
    assert question.text == 'Which mug? Say where it is, or what only it is.'
    assert understood('the red one', question, parser).command == 'take the red mug'
    assert understood('any', question, parser).kind is ReplyKind.MORE
