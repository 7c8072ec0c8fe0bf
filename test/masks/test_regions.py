"""Regions of even colour: what they hold, and how well they fit the simulated table's objects."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from iterprime_ros.errors import InvalidImageError
from iterprime_ros.masks.regions import SCALES, RegionProposer
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

SMALLEST_OBJECT = 200  # pixels of 640 x 480 that are seen: about 3 x 4 of the reduced frame


@pytest.fixture(scope='module')
def pictures():
    with Renderer(640, 480) as renderer:
        return [renderer.render(sample_scene(seed)) for seed in range(100, 106)]


def as_image(picture):
    return torch.from_numpy(picture.rgb).permute(2, 0, 1)


def middle(mask):
    """The pixel (x, y) that is deepest inside a mask."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), mask.shape)
    return int(x), int(y)


def test_most_objects_are_fitted_from_a_click_at_their_middle(pictures, record_property):
    proposer = RegionProposer()
    best = []
    for picture in pictures:
        regions = proposer.embed(as_image(picture))
        for number, area in enumerate(picture.seen_areas, start=1):
            if area < SMALLEST_OBJECT:
                continue
            mask = picture.ids == number
            masks = proposer.propose(regions, torch.tensor([middle(mask)])).masks.numpy()
            best.append(max((masks & mask).sum((1, 2)) / (masks | mask).sum((1, 2))))
    share = np.mean(np.array(best) > 0.6)
    record_property('share_above_0.6', f'{share:.3f} of {len(best)}, mean {np.mean(best):.3f}')
    assert len(best) > 20
    assert share > 0.8


def test_every_mask_holds_a_point_that_asked_for_it(pictures):
    proposer = RegionProposer()
    regions = proposer.embed(as_image(pictures[0]))
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.integers(0, (640, 480), (40, 2)))
    found = proposer.propose(regions, points)
    inside = found.masks[:, points[:, 1], points[:, 0]]
    assert inside.any(1).all()  # no mask without its point
    assert (inside.sum(0) == len(SCALES)).all()  # each point once at each scale
    assert found.masks.dtype == torch.bool
    assert found.predicted_iou.tolist() == [1] * len(found.masks)


def test_a_region_that_two_points_share_comes_once(pictures):
    proposer = RegionProposer()
    regions = proposer.embed(as_image(pictures[0]))
    once = proposer.propose(regions, torch.tensor([[20, 460]]))
    twice = proposer.propose(regions, torch.tensor([[20, 460], [20, 460], [21, 460]]))
    assert torch.equal(once.masks, twice.masks)


@pytest.mark.parametrize('size', [(1, 1), (2, 500), (7, 5), (480, 640), (700, 33)])
def test_frames_of_any_size_have_masks_of_that_size(make_image, size):
    proposer = RegionProposer()
    regions = proposer.embed(make_image(*size))
    last = torch.tensor([[size[1] - 1, size[0] - 1], [0, 0]])
    masks = proposer.propose(regions, last).masks
    assert masks.shape[1:] == size
    assert masks[:, -1, -1].any()
    assert masks[:, 0, 0].any()
    assert proposer.propose(regions, last[:0]).masks.shape == (0, *size)


def test_the_work_does_not_grow_with_the_frame(make_image):
    labels = RegionProposer().embed(make_image(1200, 1600)).labels
    assert labels.shape == (len(SCALES), 120, 160)


def test_a_frame_must_be_an_image():
    with pytest.raises(InvalidImageError, match='uint8'):
        RegionProposer().embed(torch.zeros(3, 30, 40))
