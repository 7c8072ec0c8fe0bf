"""The animated picture of a pick."""

import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest

from iterprime_ros.demo.pick_film import FilmFrame, heatmap_picture, write_film

GREEN, RED = (40, 220, 90), (200, 30, 40)


def frame(seconds, colour=RED, said='the mug', answered='', mask=None, heatmap=None):
    rgb = np.full((60, 80, 3), colour, np.uint8)
    return FilmFrame(seconds, rgb, mask, heatmap, said, answered)


def shown(path):
    with PIL.Image.open(path) as film:
        return [
            (np.asarray(each.convert('RGB')), each.info['duration'])
            for each in PIL.ImageSequence.Iterator(film)
        ]


def test_what_is_new_stands_still_and_the_rest_takes_its_time(tmp_path):
    path = tmp_path / 'new' / 'film.gif'
    colours = [RED, (30, 60, 200), (220, 200, 40), (90, 40, 160)]
    frames = [
        frame(0.0, colours[0]),
        frame(0.2, colours[1], answered='Found.'),
        frame(0.3, colours[2], answered='Found.'),
        frame(9.0, colours[3], answered='Found.'),
    ]
    write_film(path, frames)
    pictures = shown(path)
    assert [duration for _, duration in pictures] == [1500, 100, 300, 3000]
    for (picture, _), colour in zip(pictures, colours, strict=True):
        assert picture[100, 100] == pytest.approx(colour, abs=12)
    assert [each.name for each in path.parent.iterdir()] == ['film.gif']


def test_a_mask_is_marked_and_nothing_else_changes(tmp_path):
    mask = np.zeros((60, 80), bool)
    mask[20:40, 20:40] = True
    write_film(tmp_path / 'film.gif', [frame(0.0, mask=mask)])
    ((picture, _),) = shown(tmp_path / 'film.gif')
    inside, outside = picture[120, 120], picture[20, 20]
    assert inside[1] > outside[1] + 50  # green
    assert outside == pytest.approx(RED, abs=12)


def test_a_heatmap_lies_over_its_image():
    rgb = np.full((6, 8, 3), 90, np.uint8)
    heatmap = np.zeros((6, 8), np.float32)
    heatmap[2, 3] = 1.0
    picture = heatmap_picture(rgb, heatmap)
    assert picture.shape == rgb.shape
    assert picture[2, 3].sum() > picture[0, 0].sum() + 200


def test_a_long_answer_takes_two_lines(tmp_path):
    lines = []
    for text in ('Found.', ' '.join(['found'] * 20)):
        write_film(tmp_path / 'film.gif', [frame(0.0, answered=text)])
        ((picture, _),) = shown(tmp_path / 'film.gif')
        dark = (picture[240:].sum(axis=2) < 300).any(axis=1)
        lines.append(int(np.count_nonzero(np.diff(dark.astype(int)) == 1)))
    assert lines[1] > lines[0]
