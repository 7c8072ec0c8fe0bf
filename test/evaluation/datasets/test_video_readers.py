"""Clips come back to the pixel from the files of every layout; what is damaged is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from helpers.video_files import (
    DAVIS,
    MEVIS,
    YOUTUBE,
    Video,
    rendered_videos,
    write_indexed,
    write_mevis,
)
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.datasets.mevis import load_mevis
from iterprime_ros.evaluation.datasets.ref_davis import load_ref_davis
from iterprime_ros.evaluation.datasets.ref_youtube_vos import load_ref_youtube_vos
from iterprime_ros.language.command_parser import BareExpression

LAYOUTS = {
    'ref-davis17': (
        load_ref_davis,
        lambda root, videos: write_indexed(root, DAVIS, 'valid', videos),
    ),
    'ref-youtube-vos': (
        load_ref_youtube_vos,
        lambda root, videos: write_indexed(root, YOUTUBE, 'train', videos),
    ),
    'mevis': (load_mevis, lambda root, videos: write_mevis(root, 'valid_u', videos)),
}


@pytest.fixture(scope='module')
def videos():
    return rendered_videos()


def drawn(*ids):
    """Return a video of frames with these ids, in which objects 1 and 2 are asked for."""
    images = [np.full((*each.shape, 3), 40 * k, np.uint8) for k, each in enumerate(ids)]
    return Video('drawn', images, list(ids), [('the left one', [1]), ('the right one', [2])])


@pytest.mark.parametrize('name', LAYOUTS)
def test_it_comes_back_to_the_pixel(name, tmp_path, videos):
    load, write = LAYOUTS[name]
    write(tmp_path, videos)
    dataset = load(None, None, tmp_path)
    assert len(dataset) == sum(len(each.expressions) for each in videos)
    expected = [(video, *asked) for video in videos for asked in video.expressions]
    for clip, (video, text, ids) in zip(dataset, expected, strict=True):
        assert (clip.video_id, clip.expression, clip.command) == (video.name, text, text)
        assert isinstance(clip.command, BareExpression)
        assert clip.length == len(video.images)
        others = [k for _, each in video.expressions for k in each if k not in ids]
        for k, frame in enumerate(clip.frames()):
            np.testing.assert_array_equal(frame.image, video.images[k])
            np.testing.assert_array_equal(frame.target, np.isin(video.ids[k], ids))
            found = {each.tobytes() for each in frame.others}
            assert len(frame.others) == len(others)
            assert found == {(video.ids[k] == other).tobytes() for other in others}
            assert frame.depth is frame.pinhole is frame.void is None
    assert len({clip.clip_id for clip in dataset}) == len(dataset)


@pytest.mark.parametrize('name', LAYOUTS)
def test_some_frames_of_some_clips(name, tmp_path, videos):
    load, write = LAYOUTS[name]
    write(tmp_path, videos)
    dataset = load(None, 3, tmp_path)
    assert len(dataset) == 3
    (clip,) = dataset.subset([1])
    assert clip.clip_id == list(dataset)[1].clip_id
    (last,) = clip.read([2])
    np.testing.assert_array_equal(last.image, videos[0].images[2])


def test_expressions_of_davis_are_grouped_by_annotator(tmp_path, videos):
    write_indexed(tmp_path, DAVIS, 'valid', videos[:1], times=4)
    groups = [each.group for each in load_ref_davis(None, 5, tmp_path)]
    assert groups == [
        'annotator 1, first frame',
        'annotator 1, full video',
        'annotator 2, first frame',
        'annotator 2, full video',
        'annotator 1, first frame',
    ]


def test_void_pixels_of_davis_are_no_object(tmp_path):
    ids = np.array([[0, 1, 255], [2, 1, 255]], np.uint8)
    write_indexed(tmp_path, DAVIS, 'valid', [drawn(ids)])
    (frame,) = next(iter(load_ref_davis(None, None, tmp_path))).frames()
    np.testing.assert_array_equal(frame.void, ids == 255)
    np.testing.assert_array_equal(frame.target, ids == 1)
    np.testing.assert_array_equal(frame.others, [ids == 2])


def test_several_objects_of_mevis_are_one_mask(tmp_path):
    ids = np.array([[0, 1, 3], [2, 1, 3]], np.uint8)
    video = drawn(ids, np.zeros_like(ids))
    video = replace(video, expressions=[('both', [1, 2]), ('the other', [3])])
    write_mevis(tmp_path, 'train', [video])
    both, other = load_mevis('train', None, tmp_path)
    assert (both.group, other.group) == ('several targets', 'one target')
    seen, unseen = both.frames()
    np.testing.assert_array_equal(seen.target, (ids == 1) | (ids == 2))
    np.testing.assert_array_equal(seen.others, [ids == 3])
    assert not unseen.target.any()
    assert not unseen.others.any()
    first, _ = other.frames()
    np.testing.assert_array_equal(first.others, [ids == 1, ids == 2])


def damage(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def no_frames(content):
    content['videos']['drawn']['frames'] = []


def no_expressions(content):
    content['videos']['drawn']['expressions'] = {}


def no_text(content):
    del content['videos']['drawn']['expressions']['1']['exp']


def no_number(content):
    content['videos']['drawn']['expressions']['1']['obj_id'] = 'left'


def no_mask(content):
    del content['2']


def too_few_masks(content):
    content['1'].pop()


IDS = np.array([[0, 1], [2, 2]], np.uint8)
INDEXED, MASKS = 'meta_expressions/valid/meta_expressions.json', 'valid_u/mask_dict.json'


@pytest.mark.parametrize(
    ('name', 'file', 'change', 'message'),
    [
        ('ref-davis17', INDEXED, no_frames, 'is damaged (video drawn has no frames)'),
        ('ref-davis17', INDEXED, no_expressions, 'is damaged (no expressions)'),
        ('ref-davis17', INDEXED, no_text, 'videos.drawn.expressions.1.exp: Field required'),
        ('ref-davis17', INDEXED, no_number, 'video drawn has an obj_id that is no number'),
        ('mevis', MASKS, no_mask, '2, which video drawn names, has not one mask for each frame'),
        ('mevis', MASKS, too_few_masks, '1, which video drawn names, has not one mask for'),
    ],
)
def test_damage_is_named(name, file, change, message, tmp_path):
    load, write = LAYOUTS[name]
    write(tmp_path, [drawn(IDS, IDS)])
    path = tmp_path / (DAVIS if name == 'ref-davis17' else MEVIS) / file
    damage(path, change)
    with pytest.raises(InvalidDatasetError) as caught:
        load(None, None, tmp_path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert str(caught.value).endswith(f'iterprime datasets {name} says what to download.')


@pytest.mark.parametrize('name', LAYOUTS)
def test_missing_files_are_named(name, tmp_path):
    load, write = LAYOUTS[name]
    with pytest.raises(InvalidDatasetError, match=r'Cannot read .*meta_expressions.json .no such'):
        load(None, None, tmp_path)
    write(tmp_path, [drawn(IDS, IDS)])
    images = sorted(tmp_path.rglob('*.jpg'))
    images[1].unlink()
    with pytest.raises(InvalidDatasetError, match=f'Cannot read {images[1]}'):
        load(None, None, tmp_path)


def test_a_mask_of_another_size_or_kind_is_named(tmp_path):
    write_indexed(tmp_path, DAVIS, 'valid', [drawn(IDS, IDS)])
    first, second = sorted(tmp_path.rglob('*.png'))
    Image.fromarray(np.zeros((3, 2), np.uint8)).save(first)
    clip = next(iter(load_ref_davis(None, None, tmp_path)))
    with pytest.raises(InvalidDatasetError, match=f'{first} has 3 x 2 pixels .* image 2 x 2'):
        next(clip.frames())
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(second)
    with pytest.raises(InvalidDatasetError, match=r'\(its pixels are RGB, not indices\)'):
        next(clip.read([1]))
