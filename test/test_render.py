"""Pictures show what they are given."""

import numpy as np
import pytest

from iterprime_ros.render import camera_figure, overlay, painted


@pytest.fixture
def rgb():
    return np.full((40, 60, 3), 120, np.uint8)


def test_every_object_has_a_colour_of_its_own_and_the_rest_is_grey(rgb):
    ids = np.zeros((40, 60), np.int32)
    for number in range(1, 9):
        ids[:5, 6 * number - 6 : 6 * number] = number
    picture = painted(rgb, ids)
    colours = {tuple(picture[0, 6 * number - 6].tolist()) for number in range(1, 9)}
    assert len(colours) == 8
    assert all(np.ptp(colour) > 20 for colour in colours)
    assert np.ptp(picture[ids == 0], axis=1).max() == 0


def test_an_overlay_marks_the_mask_and_dims_the_rest(rgb):
    mask = np.zeros((40, 60), bool)
    mask[10:20, 10:30] = True
    picture = overlay(rgb, mask).astype(int)
    assert (picture[~mask] < 120).all()
    assert (picture[mask][:, 1] > picture[mask][:, 0] + 50).all()
    assert np.array_equal(overlay(rgb, np.zeros_like(mask)), rgb)


def test_the_panels_show_image_depth_and_names(rgb):
    depth = np.linspace(0.5, 1.0, 2400, dtype=np.float32).reshape(40, 60)
    ids = np.zeros((40, 60), np.int32)
    ids[30:38, 40:50] = 2
    figure = camera_figure(rgb, depth, ids, {2: 'small red mug', 3: 'hidden ball'})
    image, metres, truth = figure.axes[:3]
    assert [axes.get_title() for axes in (image, metres, truth)] == ['image', 'depth', 'true masks']
    assert np.array_equal(image.images[0].get_array(), rgb)
    assert np.array_equal(metres.images[0].get_array(), depth)
    near, far = metres.images[0].get_clim()
    assert near < far
    (label,) = truth.texts
    assert label.get_text() == 'small\nred mug'
    assert label.get_position() == (44.5, 33.5)
