"""Frames reach the encoder, and logits the frame, as transformers' own processors take them."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import SamProcessor
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

from iterprime_ros.errors import InvalidImageError
from iterprime_ros.masks.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    check_image,
    fit_longest_side,
    fit_shortest_side,
    fit_stretched,
    to_masks,
    to_model_points,
    to_pixel_values,
)

SIDE = 256
SIZES = [(120, 160), (480, 640), (301, 97), (256, 256), (31, 700), (5, 3), (1, 1)]
# PIL rounds between its two passes and after them: it may be a grey level off.
GREY_LEVEL = 1.01 / (255 * min(IMAGENET_STD))


@pytest.fixture(scope='module')
def processor():
    square = {'height': SIDE, 'width': SIDE}
    return SamProcessor(SamImageProcessorPil(size={'longest_edge': SIDE}, pad_size=square))


def as_picture(image):
    return Image.fromarray(image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize('size', SIZES)
def test_pixels_and_points_are_those_of_the_sam_processor(processor, make_image, size):
    image = make_image(*size)
    points = [[0, 0], [size[1] - 1, 0], [size[1] // 2, size[0] // 3], [size[1] - 1, size[0] - 1]]
    made = processor(as_picture(image), input_points=[points], return_tensors='pt')
    fit = fit_longest_side(size, SIDE)
    assert list(fit.resized) == made['reshaped_input_sizes'][0].tolist()
    values = to_pixel_values(image, fit, IMAGENET_MEAN, IMAGENET_STD)
    torch.testing.assert_close(values, made['pixel_values'].float(), atol=GREY_LEVEL, rtol=0)
    off = (values - made['pixel_values']).abs() > 0.1 * GREY_LEVEL
    assert off.float().mean() < 0.25
    found = to_model_points(torch.tensor(points), fit)
    torch.testing.assert_close(found, made['input_points'].reshape(-1, 2).float())


@pytest.mark.parametrize(
    ('size', 'resized', 'padded'),
    [
        ((480, 640), (800, 1067), (800, 1088)),
        ((640, 480), (1067, 800), (1088, 800)),
        ((427, 640), (800, 1199), (800, 1216)),
        ((333, 500), (800, 1201), (800, 1216)),
        ((360, 640), (750, 1333), (768, 1344)),
        ((100, 100), (800, 800), (800, 800)),
        ((3000, 4000), (800, 1067), (800, 1088)),
        ((30, 1000), (40, 1333), (64, 1344)),
        ((1, 1000), (1, 1333), (32, 1344)),
        ((5000, 1), (1333, 1), (1344, 32)),
        ((1, 1), (800, 800), (800, 800)),
    ],
)
def test_the_shortest_side_is_that_of_detectron2(size, resized, padded):
    fit = fit_shortest_side(size, 800, 1333, 32)
    assert (fit.image, fit.resized, fit.padded) == (size, resized, padded)


@pytest.mark.parametrize('size', SIZES)
def test_masks_are_those_of_the_sam_processor(processor, size):
    logits = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(1))
    fit = fit_longest_side(size, SIDE)
    expected = processor.post_process_masks([logits[None]], [size], [fit.resized])[0][0]
    assert expected.shape == (4, *size)
    assert torch.equal(to_masks(logits, fit), expected)


def test_many_masks_are_masks_one_at_a_time():
    logits = torch.randn(37, 20, 30, generator=torch.Generator().manual_seed(1))
    fit = fit_shortest_side((45, 61), 80, 120, 32)
    alone = torch.cat([to_masks(each[None], fit, 0.5) for each in logits])
    assert torch.equal(to_masks(logits, fit, 0.5), alone)
    assert not torch.equal(to_masks(logits, fit), alone)


def test_a_picture_too_thin_to_scale_keeps_a_row(make_image):
    """Half a pixel of the input would be left of it, which transformers rounds to nothing."""
    fit = fit_longest_side((1, 3000), SIDE)
    assert fit.resized == (1, SIDE)
    assert to_pixel_values(make_image(1, 3000), fit, (0, 0, 0), (1, 1, 1)).shape == (1, 3, 256, 256)
    assert to_masks(torch.ones(2, 64, 64), fit).shape == (2, 1, 3000)


@pytest.mark.parametrize('size', SIZES)
def test_sam_2_stretches_the_picture(make_image, size):
    image = make_image(*size)
    fit = fit_stretched(size, SIDE)
    picture = as_picture(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    expected = (np.asarray(picture, np.float32) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    values = to_pixel_values(image, fit, IMAGENET_MEAN, IMAGENET_STD)[0].permute(1, 2, 0)
    np.testing.assert_allclose(values, expected, atol=GREY_LEVEL, rtol=0)
    corner = torch.tensor([[size[1], size[0]]])
    torch.testing.assert_close(to_model_points(corner, fit), torch.full((1, 2), float(SIDE)))


def test_sam_2_masks_go_straight_to_the_frame():
    """A pixel centre is sampled between its four neighbours, those outside taken at the border."""
    logits = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(2))
    height, width = 23, 41
    rows, columns = (
        np.clip((np.arange(length) + 0.5) * 16 / length - 0.5, 0, 15) for length in (height, width)
    )
    grid = logits.numpy().astype(np.float64)
    y, x = np.floor(rows).astype(int), np.floor(columns).astype(int)
    below, right = np.minimum(y + 1, 15), np.minimum(x + 1, 15)
    down, across = (rows - y)[:, None], columns - x
    upper = grid[:, y][:, :, x] * (1 - across) + grid[:, y][:, :, right] * across
    lower = grid[:, below][:, :, x] * (1 - across) + grid[:, below][:, :, right] * across
    expected = upper * (1 - down) + lower * down
    found = to_masks(logits, fit_stretched((height, width), SIDE)).numpy()
    sure = np.abs(expected) > 1e-5
    assert sure.mean() > 0.99
    assert np.array_equal(found[sure], (expected > 0)[sure])


@pytest.mark.parametrize(
    'image',
    [
        torch.zeros(4, 5, 3, dtype=torch.uint8),
        torch.zeros(3, 4, 5),
        torch.zeros(3, 0, 5, dtype=torch.uint8),
        torch.zeros(1, 3, 4, 5, dtype=torch.uint8),
    ],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InvalidImageError, match=r'must be \(3, H, W\) uint8'):
        check_image(image)
