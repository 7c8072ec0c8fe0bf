"""What was followed comes back from its log; test_outcome_log.py has what every log does."""

import json

import pytest

from helpers.clip_outcomes import outcome
from iterprime_ros.evaluation.clip_log import CLIPS, read_clip_log
from iterprime_ros.evaluation.run_log import InvalidLogError, run_log

HEADER = {'profile': 'tabletop', 'clips': 3, 'baselines': ['every-frame']}


def outcomes(index):
    objects = (0, None, 1)
    return {
        'tracker': outcome(f'clip{index}', objects=objects),
        'every-frame': outcome(f'clip{index}', similarity=(0.5, 0.25)),
    }


def write(folder, indices=range(3)):
    with run_log(folder, CLIPS, HEADER, resume=False) as log:
        for index in indices:
            log.append(index, outcomes(index))


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / 'new', (2, 0, 1))
    found = read_clip_log(tmp_path / 'new')
    assert found.header == HEADER
    assert found.outcomes == {index: outcomes(index) for index in range(3)}
    assert [each.clip_id for each in found.of('tracker')] == ['clip0', 'clip1', 'clip2']


def uneven(lines):
    content = json.loads(lines[1])
    content['followed']['tracker']['areas'].pop()
    return [lines[0], json.dumps(content).encode() + b'\n']


def renamed(lines):
    return [lines[0], lines[1].replace(b'"areas"', b'"regions"')]


@pytest.mark.parametrize('damage', [uneven, renamed])
def test_damage_is_named(tmp_path, damage):
    write(tmp_path)
    path = tmp_path / CLIPS.name
    path.write_bytes(b''.join(damage(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(InvalidLogError, match='another version, or is damaged'):
        read_clip_log(tmp_path)
