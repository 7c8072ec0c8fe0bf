"""The overlay image of an answer: an object, several, and none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_rgb
from std_msgs.msg import Header

from iterprime_ros.render import instance_colour
from iterprime_ros.ros.convert.visualization import overlay_image

SHAPE = (12, 16)
SMALL = (5, 6)
MASKS = arrays(bool, SMALL)
PICTURES = arrays(np.uint8, (*SMALL, 3))


def rgb_of_overlay(rgb, masks):
    message = overlay_image(Header(frame_id='optical'), rgb, masks)
    assert (message.encoding, message.header.frame_id) == ('bgr8', 'optical')
    assert (message.height, message.width) == rgb.shape[:2]
    bgr = np.asarray(message.data, np.uint8).reshape(rgb.shape)
    return bgr[..., ::-1].astype(int)


def plain_overlay(rgb, masks):
    """Pixel by pixel: the colour of the first mask on it, whole where the mask ends there."""
    height, width = rgb.shape[:2]
    drawn = np.zeros(rgb.shape)
    for y, x in np.ndindex(height, width):
        number = next((n for n, mask in enumerate(masks) if mask[y, x]), None)
        if number is None:
            drawn[y, x] = 0.45 * rgb[y, x] if any(mask.any() for mask in masks) else rgb[y, x]
            continue
        colour = 255 * np.array(to_rgb(instance_colour(number)[0]))
        is_at_rim = y in (0, height - 1) or x in (0, width - 1)  # of the picture: no line there
        around = [] if is_at_rim else [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        is_inside = all(masks[number][pixel] for pixel in around)
        drawn[y, x] = 0.55 * rgb[y, x] + 0.45 * colour if is_inside else colour
    return drawn


@given(PICTURES, st.lists(MASKS, max_size=3))
def test_an_overlay_is_that_of_the_plain_way(rgb, masks):
    assert rgb_of_overlay(rgb, masks) == pytest.approx(plain_overlay(rgb, masks), abs=0.51)


def test_two_objects_have_two_colours_and_the_rest_is_dimmed():
    rgb = np.full((*SHAPE, 3), 120, np.uint8)
    masks = np.zeros((2, *SHAPE), bool)
    masks[0, 2:8, 2:7] = masks[1, 2:8, 9:14] = True
    drawn = rgb_of_overlay(rgb, masks)
    for number, mask in enumerate(masks):
        red, green, blue = (round(255 * each) for each in to_rgb(instance_colour(number)[0]))
        assert drawn[2, np.flatnonzero(mask[2])].tolist() == [[red, green, blue]] * 5  # its outline
        inside = np.round(0.55 * 120 + 0.45 * np.array([red, green, blue]))
        assert np.abs(drawn[4, np.flatnonzero(mask[4])[1:-1]] - inside).max() <= 1
    assert (drawn[~masks.any(axis=0)] == 54).all()


@pytest.mark.parametrize('masks', [[], [np.zeros(SHAPE, bool)]])
def test_where_nothing_is_found_the_picture_is_as_it_is(masks):
    rgb = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), np.uint8)
    assert np.array_equal(rgb_of_overlay(rgb, masks), rgb)
