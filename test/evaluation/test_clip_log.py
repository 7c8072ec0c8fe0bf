"""What was followed stays on disk, whatever becomes of the process."""

import fcntl
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.clip_outcomes import outcome
from iterprime_ros.errors import UnwritableError
from iterprime_ros.evaluation.clip_log import CLIP_LOG_NAME, clip_log, read_clip_log
from iterprime_ros.evaluation.outcome_log import InvalidLogError

HEADER = {'profile': 'tabletop', 'clips': 3, 'baselines': ['every-frame']}


def outcomes(index):
    objects = (0, None, 1)
    return {
        'tracker': outcome(f'clip{index}', objects=objects),
        'every-frame': outcome(f'clip{index}', similarity=(0.5, 0.25)),
    }


def write(folder, indices=range(3), header=HEADER, resume=False):
    with clip_log(folder, header, resume) as (log, done):
        for index in indices:
            if index not in done:
                log.append(index, outcomes(index))
    return done


def test_what_is_written_is_read(tmp_path):
    assert write(tmp_path / 'new', (2, 0, 1)) == set()
    found = read_clip_log(tmp_path / 'new')
    assert found.header == HEADER
    assert found.outcomes == {index: outcomes(index) for index in range(3)}
    assert [each.clip_id for each in found.of('tracker')] == ['clip0', 'clip1', 'clip2']


@given(cut=st.integers(0, 4000))
@settings(max_examples=25)
def test_a_log_that_ends_anywhere_goes_on_to_the_same_bytes(tmp_path_factory, cut):
    whole, killed = tmp_path_factory.mktemp('whole'), tmp_path_factory.mktemp('killed')
    write(whole)
    content = (whole / CLIP_LOG_NAME).read_bytes()
    (killed / CLIP_LOG_NAME).write_bytes(content[:cut])
    assert write(killed, resume=True) == set(range(content[:cut].count(b'\n') - 1))
    assert (killed / CLIP_LOG_NAME).read_bytes() == content


def test_what_is_not_finished_is_not_overwritten(tmp_path):
    write(tmp_path, range(2))
    with pytest.raises(InvalidLogError, match=r'not finished \(2 of 3 clips\): go on with'):
        write(tmp_path)
    assert len(read_clip_log(tmp_path).outcomes) == 2
    write(tmp_path, resume=True)
    assert write(tmp_path, range(1)) == set()


def test_another_evaluation_does_not_go_on(tmp_path):
    write(tmp_path, range(2))
    with pytest.raises(InvalidLogError, match='differs in baselines, profile: name another'):
        write(tmp_path, header={**HEADER, 'profile': 'mine', 'baselines': []}, resume=True)


def test_only_one_process_writes(tmp_path):
    write(tmp_path, range(2))
    with (tmp_path / CLIP_LOG_NAME).open('a') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InvalidLogError, match='Another process evaluates into'):
            write(tmp_path, resume=True)


def twice(lines):
    return [*lines, lines[-1]]


def unknown(lines):
    return [lines[0], lines[1].replace(b'"index":0', b'"index":7')]


def uneven(lines):
    content = json.loads(lines[1])
    content['followed']['tracker']['areas'].pop()
    return [lines[0], json.dumps(content).encode() + b'\n']


def renamed(lines):
    return [lines[0], lines[1].replace(b'"areas"', b'"regions"')]


def no_json(lines):
    return [lines[0], b'{\n']


def a_list(lines):
    return [lines[0], b'[]\n']


@pytest.mark.parametrize('damage', [twice, unknown, uneven, renamed, no_json, a_list])
def test_damage_is_named(tmp_path, damage):
    write(tmp_path)
    path = tmp_path / CLIP_LOG_NAME
    path.write_bytes(b''.join(damage(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(InvalidLogError, match='another version, or is damaged'):
        read_clip_log(tmp_path)


def test_what_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(InvalidLogError, match=r'Cannot read .* name the folder of an evaluation'):
        read_clip_log(tmp_path)
    (tmp_path / CLIP_LOG_NAME).write_bytes(b'')
    with pytest.raises(InvalidLogError, match='damaged'):
        read_clip_log(tmp_path)
    (tmp_path / 'file').touch()
    with pytest.raises(UnwritableError, match='name another folder with --out'):
        write(tmp_path / 'file')
