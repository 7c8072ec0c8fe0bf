"""What was answered before counts, unless it is about something else."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iterprime_ros.cluster.answer_log import InvalidAnswerLogError, answer_log
from iterprime_ros.cluster.segment_images import AnsweredFile, ImageAnswer

ASKED = {'commands': ['the mug'], 'settings': {'rounds': 3}}
ANSWER = AnsweredFile((ImageAnswer('found', ('Found.', 'A note.'), '{"pixels": 3}'),))


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(b'an image')
    return path


def refused(path, asked=ASKED):
    with pytest.raises(InvalidAnswerLogError) as raised, answer_log(path, asked):
        pass
    return str(raised.value)


def test_answers_come_back(tmp_path, image):
    path = tmp_path / 'new' / 'log'
    with answer_log(path, ASKED) as log:
        assert log.answered(image, [{}]) is None
        log.append(image, ANSWER)
    with answer_log(path, ASKED) as log:
        assert log.answered(image, [{}]) == ANSWER


def test_a_changed_image_and_a_missing_output_do_not_count(tmp_path, image):
    path, mask = tmp_path / 'log', tmp_path / 'mask.png'
    mask.touch()
    with answer_log(path, ASKED) as log:
        log.append(image, ANSWER)
    with answer_log(path, ASKED) as log:
        assert log.answered(image, [{'mask': mask}]) == ANSWER
        mask.unlink()
        assert log.answered(image, [{'mask': mask}]) is None
        image.write_bytes(b'another image')
        assert log.answered(image, [{}]) is None
        log.append(image, ANSWER)
    with answer_log(path, ASKED) as log:  # the newest line of an image counts
        assert log.answered(image, [{}]) == ANSWER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(part=st.floats(0, 1))
def test_a_log_that_was_cut_has_its_whole_lines(tmp_path, image, part):
    path = tmp_path / 'log'
    path.unlink(missing_ok=True)
    others = [tmp_path / f'{n}.png' for n in range(3)]
    with answer_log(path, ASKED) as log:
        for each in others:
            each.write_bytes(b'x')
            log.append(each, ANSWER)
    content = path.read_bytes()
    cut = content[: round(part * len(content))]
    path.write_bytes(cut)
    with answer_log(path, ASKED) as log:
        found = [log.answered(each, [{}]) for each in others]
        log.append(image, ANSWER)
    whole = max(cut.count(b'\n') - 1, 0)
    assert found == [ANSWER] * whole + [None] * (3 - whole)
    assert [json.loads(line).get('image') for line in path.read_bytes().splitlines()] == [
        None, *map(str, others[:whole]), str(image)
    ]  # fmt: skip


def test_other_logs_are_refused(tmp_path, image):
    path = tmp_path / 'log'
    with answer_log(path, ASKED):
        assert 'Another process writes' in refused(path)
    assert 'differs in commands:' in refused(path, {**ASKED, 'commands': ['the box']})
    path.write_bytes(path.read_bytes() + b'{}\n')
    assert 'is damaged' in refused(path)


@pytest.mark.parametrize('content', [b'my notes', b'my notes\n', b'[]\n', b'{"a": 1}\n'])
def test_a_file_that_is_no_log_is_left_as_it_is(tmp_path, content):
    path = tmp_path / 'notes'
    path.write_bytes(content)
    assert 'is no log of answers' in refused(path)
    assert path.read_bytes() == content
