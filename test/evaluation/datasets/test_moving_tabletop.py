"""Rendered clips: their masks are those of the renderer, their motions take turns."""

from collections import Counter

import numpy as np
import pytest

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.moving_tabletop import FRAMES, MOTIONS, load_clips
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.seeds import CLIP_CALIBRATION, CLIP_TEST


def test_sixty_clips_are_ten_of_each_motion():
    dataset = load_clips()
    assert (dataset.split, len(dataset)) == ('test', 60)
    assert Counter(dataset.motions) == dict.fromkeys(MOTIONS, 10)
    assert Motion.NONE not in MOTIONS
    assert list(dataset.seeds) == list(CLIP_TEST[:60])
    assert dataset.provenance == 'clips 4100000 to 4100059 of 90 frames'


def test_frames_are_those_of_the_clip():
    (annotated,) = load_clips('calibration', 4).subset([3])
    clip = sample_clip(CLIP_CALIBRATION[3], MOTIONS[3], FRAMES)
    assert (annotated.command, annotated.expression) == (clip.command, clip.expression)
    assert (annotated.group, annotated.length) == (clip.motion.value, FRAMES)
    frames = {}
    for one in load_clips('calibration', 4).subset([3]):
        frames = dict(zip((0, 89, 40), one.read([0, 89, 40]), strict=True))
    with Renderer(640, 480) as renderer:
        for index, frame in frames.items():
            picture = renderer.render(clip.scenes[index])
            np.testing.assert_array_equal(frame.image, picture.rgb)
            np.testing.assert_array_equal(frame.depth, picture.depth)
            np.testing.assert_array_equal(frame.target, picture.ids == clip.target)
            assert frame.pinhole == picture.pinhole
            assert len(frame.others) == len(clip.scenes[0].objects) - 1
            drawn = frame.target | frame.others.any(axis=0)
            np.testing.assert_array_equal(drawn, picture.ids > 0)


def test_some_clips_are_the_same_as_in_the_whole():
    some = load_clips('calibration', 8).subset([6, 1])
    assert list(some.seeds) == [CLIP_CALIBRATION[6], CLIP_CALIBRATION[1]]
    assert list(some.motions) == [MOTIONS[0], MOTIONS[1]]


@pytest.mark.parametrize('limit', [0, 1001])
def test_more_clips_than_there_are_is_refused(limit):
    with pytest.raises(InvalidSettingError, match='must be from 1 to 1000'):
        load_clips(None, limit)
