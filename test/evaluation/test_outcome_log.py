"""What is answered stays on disk, whatever becomes of the process; shards make one evaluation."""

import fcntl
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.errors import UnwritableError
from iterprime_ros.evaluation.mask_rle import decoded, encoded
from iterprime_ros.evaluation.outcome_log import (
    OUTCOMES,
    PROFILE,
    AnsweredImage,
    RecordedAnswer,
    read_log,
    shard_indices,
)
from iterprime_ros.evaluation.run_log import InvalidLogError, run_log
from iterprime_ros.evaluation.shards import merged

LOG_NAME = OUTCOMES.name
HEADER = {'profile': 'tabletop', 'images': 4, 'shard': [1, 1], 'baselines': ['plain']}


def image(index):
    rle = encoded(np.eye(3, 5, dtype=bool))
    outcome = replace(BASE, image_id=str(index), oracle_iou=0.5)
    answers = (RecordedAnswer('the "red" mug', outcome, rle),)
    return AnsweredImage(True, {PROFILE: answers, 'plain': answers})


def write(folder, indices, header=HEADER, resume=False):
    with run_log(folder, OUTCOMES, header, resume) as log:
        for index in indices:
            if index not in log.done:
                log.append(index, image(index))
    return log.done


def test_what_is_written_is_read(tmp_path):
    assert write(tmp_path / 'new', range(4)) == set()
    found = read_log(tmp_path / 'new')
    assert found.header == HEADER
    assert found.images == {index: image(index) for index in range(4)}
    assert [each.image_id for each in found.outcomes('plain')] == ['0', '1', '2', '3']


@given(cut=st.integers(0, 2000))
@settings(max_examples=40)
def test_a_log_that_ends_anywhere_goes_on_to_the_same_bytes(tmp_path_factory, cut):
    whole, killed = tmp_path_factory.mktemp('whole'), tmp_path_factory.mktemp('killed')
    write(whole, range(4))
    content = (whole / LOG_NAME).read_bytes()
    (killed / LOG_NAME).write_bytes(content[: min(cut, len(content))])
    done = write(killed, range(4), resume=True)
    assert done == set(range(content[:cut].count(b'\n') - 1))
    assert (killed / LOG_NAME).read_bytes() == content


def test_an_unfinished_evaluation_is_not_overwritten(tmp_path):
    write(tmp_path, range(2))
    with pytest.raises(InvalidLogError, match=r'not finished \(2 of 4 images\): go on with --res'):
        write(tmp_path, range(4))
    write(tmp_path, range(4), resume=True)
    write(tmp_path, range(1))  # a finished one of the same header is
    assert len(read_log(tmp_path).images) == 1


@pytest.mark.parametrize('resume', [True, False])
@pytest.mark.parametrize('done', [2, 4])
def test_another_evaluation_is_neither_continued_nor_overwritten(tmp_path, done, resume):
    write(tmp_path, range(done))
    before = (tmp_path / LOG_NAME).read_bytes()
    with pytest.raises(InvalidLogError, match='another evaluation, which differs in limit, prof'):
        write(tmp_path, range(4), {**HEADER, 'profile': 'paper', 'limit': 4}, resume=resume)
    assert (tmp_path / LOG_NAME).read_bytes() == before


def test_two_processes_do_not_write_into_one_folder(tmp_path):
    write(tmp_path, range(4))
    with (tmp_path / LOG_NAME).open('a') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InvalidLogError, match='Another process evaluates into'):
            write(tmp_path, range(4))


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'[]\n',
        b'{"images": 4, "shard": [1, 1]}\nnothing\n',
        b'{"images": 4, "shard": [1, 1]}\n{"index": 0}\n',
        b'{"images": 4}\n',
        b'\xff\xfe\n',
    ],
)
def test_a_damaged_log_is_named(tmp_path, content):
    (tmp_path / LOG_NAME).write_bytes(content)
    with pytest.raises(InvalidLogError, match=LOG_NAME):
        read_log(tmp_path)


def test_an_image_that_is_twice_in_a_log_is_damage(tmp_path):
    write(tmp_path, [0, 1])
    line = (tmp_path / LOG_NAME).read_bytes().split(b'\n')[2]
    with (tmp_path / LOG_NAME).open('ab') as log:
        log.write(line + b'\n')
    with pytest.raises(InvalidLogError, match='twice'):
        read_log(tmp_path)


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UnwritableError, match=r'Cannot write .*outcomes.jsonl'):
        write(tmp_path / 'file', range(4))
    with pytest.raises(InvalidLogError, match='Cannot read'):
        read_log(tmp_path / 'nowhere')


@given(count=st.integers(0, 50), total=st.integers(1, 9))
def test_shards_have_every_image_once(count, total):
    parts = [shard_indices(count, (number, total)) for number in range(1, total + 1)]
    assert sorted(index for part in parts for index in part) == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def shards(root, total):
    folders = []
    for number in range(1, total + 1):
        header = {**HEADER, 'shard': [number, total], 'device': f'cuda:{number}'}
        folders.append(root / str(number))
        write(folders[-1], shard_indices(4, (number, total)), header)
    return folders


@pytest.mark.parametrize('total', [1, 2, 3])
def test_shards_in_any_order_make_one_evaluation(tmp_path, total):
    found = merged(shards(tmp_path, total)[::-1])
    assert found.header == {**HEADER, 'device': f'cuda:{total}'}  # of the folder named first
    assert found.images == {index: image(index) for index in range(4)}


def test_shards_that_do_not_make_one_evaluation_are_rejected(tmp_path):
    one, two = shards(tmp_path, 2)
    with pytest.raises(InvalidLogError, match=r'2 of 4 images are in none of the folders \(number'):
        merged([one])
    with pytest.raises(InvalidLogError, match='images in common'):
        merged([one, two, two])
    write(tmp_path / 'other', [1, 3], {**HEADER, 'shard': [2, 2], 'profile': 'paper'})
    with pytest.raises(InvalidLogError, match='hold different evaluations, which differ in profil'):
        merged([one, tmp_path / 'other'])


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_masks_survive_their_encoding(seed, height, width):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    np.testing.assert_array_equal(decoded(encoded(mask)), mask)
