"""Which question what is said may be a reply to."""

from iterprime_ros.dialogue.exchange import Exchange
from iterprime_ros.dialogue.question import Question
from iterprime_ros.ros.runtime.dialogues import Dialogues

LONG = 100.0  # seconds


def exchange():
    return Exchange(Question('Which mug?', None, (), {}))


def test_a_question_waits_for_one_reply_of_its_camera():
    dialogues, asked = Dialogues(), exchange()
    assert dialogues.ask('left', object(), asked)
    assert dialogues.take('right', LONG) is None
    assert dialogues.take('left', LONG) is asked
    assert dialogues.take('left', LONG) is None


def test_a_question_waits_no_longer_than_it_may():
    dialogues = Dialogues()
    dialogues.ask('', object(), exchange())
    assert dialogues.take('', -1.0) is None
    assert dialogues.take('', LONG) is None


def test_a_request_is_asked_about_once():
    dialogues, request = Dialogues(), object()
    assert dialogues.ask('', request, exchange())
    assert not dialogues.ask('', request, exchange())
    assert dialogues.ask('', object(), exchange())


def test_all_questions_end():
    dialogues = Dialogues()
    for camera in ('left', 'right'):
        dialogues.ask(camera, object(), exchange())
    dialogues.end()
    assert dialogues.take('left', LONG) is dialogues.take('right', LONG) is None


def test_a_reply_that_was_not_answered_may_be_said_again():
    dialogues, asked, newer = Dialogues(), exchange(), exchange()
    dialogues.ask('', object(), asked)
    dialogues.put_back('', dialogues.take('', LONG))
    assert dialogues.take('', LONG) is asked
    dialogues.put_back('', None)
    assert dialogues.take('', LONG) is None
    dialogues.ask('', object(), newer)
    dialogues.put_back('', asked)
    assert dialogues.take('', LONG) is newer
