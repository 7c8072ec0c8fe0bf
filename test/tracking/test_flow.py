"""Flow carries masks of cut-outs whose true masks are known, and keeps look-alikes apart."""

import gc

import numpy as np
import pytest
import torch

from helpers.sprites import Sprites
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.tracking.flow import FlowPropagator

BOTTLE, BALL, PURPLE = 4, 3, 2  # a red bottle, a red ball and a purple ball
COPY = 100


@pytest.fixture(scope='module')
def sprites():
    with Renderer(320, 240) as renderer:
        return Sprites(renderer, sample_scene(12))


@pytest.fixture
def flow():
    return FlowPropagator(RegionProposer())


def iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def followed(flow, frames, numbers):
    """Start with the true masks of objects, and yield the IoU of each in each later frame."""
    image, ids = next(frames)
    flow.start(image, np.stack([ids == number for number in numbers]))
    for image, ids in frames:
        found = flow.step(image)
        assert found.masks.sum(0).max() <= 1
        assert ((found.confidences >= 0) & (found.confidences <= 1)).all()
        assert np.array_equal(found.confidences > 0, found.masks.any((1, 2)))
        yield (
            [iou(mask, ids == number) for mask, number in zip(found.masks, numbers, strict=True)],
            found.confidences,
        )


def test_what_moves_is_carried(flow, sprites):
    frames = (sprites.frame({BOTTLE: (-8 * k, k), PURPLE: (-3 * k, 5 * k)}) for k in range(14))
    for ious, confidences in followed(flow, frames, [BOTTLE, BALL, PURPLE]):
        assert min(ious) > 0.65  # regions have no smooth edges
        assert confidences.min() > 0.5


def test_a_look_alike_that_passes_close_by_is_not_taken_for_it(flow, sprites):
    height = (sprites.ids == BOTTLE).any(1).sum()
    frames = (sprites.frame({}, [(BOTTLE, (-60 + 9 * k, height + 4))]) for k in range(14))
    for ious, _ in followed(flow, frames, [BOTTLE, COPY]):
        assert min(ious) > 0.7


def test_two_equal_objects_that_pass_close_by_each_other_keep_their_masks(flow, sprites):
    frames = (sprites.frame({BALL: (-7 * k, 0)}, [(BALL, (-98 + 7 * k, -55))]) for k in range(15))
    for ious, _ in followed(flow, frames, [BALL, COPY]):
        assert min(ious) > 0.75


def test_a_covered_object_has_no_mask_and_no_confidence(flow, sprites):
    rows, columns = np.nonzero(sprites.ids == BOTTLE)
    first, last = columns.min() - 30, columns.max()
    numbers = [BOTTLE, BALL]
    image, ids = sprites.frame({})
    flow.start(image, np.stack([ids == number for number in numbers]))
    for right in range(first, last + 40, 8):
        shown = image.copy()
        shown[rows.min() - 6 : rows.max() + 6, first - 20 : right] = 90, 110, 60
        found = flow.step(shown)
        if right > last:
            assert found.confidences[0] < 0.5
    assert not found.masks[0].any()
    assert found.confidences[0] == 0
    assert iou(found.masks[1], ids == BALL) > 0.8


def test_masks_of_nothing_stay_empty(flow, sprites):
    image, ids = sprites.frame({})
    flow.start(image, np.stack([np.zeros_like(ids, dtype=bool), ids == BALL]))
    for _ in range(5):
        found = flow.step(image)
    assert not found.masks[0].any()
    assert found.confidences[0] == 0
    assert iou(found.masks[1], ids == BALL) > 0.8
    flow.start(image, np.zeros((1, *ids.shape), dtype=bool))
    assert not flow.step(image).masks.any()


def test_a_proposer_that_proposes_nothing_leaves_the_masks_to_the_flow(sprites):
    class NoProposals(RegionProposer):
        def propose(self, embedding, points):
            return Proposals(torch.zeros((0, *embedding.image), dtype=torch.bool), torch.zeros(0))

    frames = (sprites.frame({BALL: (-4 * k, 0)}) for k in range(9))
    for ious, confidences in followed(FlowPropagator(NoProposals()), frames, [BALL]):
        assert ious[0] > 0.75
        assert confidences[0] > 0.8


@pytest.mark.parametrize('grey', [False, True])
@pytest.mark.parametrize('size', [(1, 1), (3, 200), (90, 2)])
def test_images_of_any_size_and_grey_ones_are_taken(flow, size, grey):
    image = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    if grey:
        image = np.ascontiguousarray(np.repeat(image[..., :1], 3, axis=2))
    flow.start(image, np.ones((1, *size), dtype=bool))
    for _ in range(4):
        assert flow.step(image).masks.shape == (1, *size)


def test_nothing_piles_up(flow, sprites):
    """It keeps one frame: after many there are as many objects as after some."""
    image, ids = sprites.frame({})
    small = np.ascontiguousarray(image[::8, ::8])
    shown = [np.ascontiguousarray(np.roll(small, k % 3, axis=1)) for k in range(3)]
    masks = np.stack([ids == number for number in (BOTTLE, BALL)])[:, ::8, ::8]
    flow.start(small, masks.copy())
    counts = []
    for k in range(1200):
        flow.step(shown[k % 3])
        if k in (399, 1199):
            gc.collect()
            alive = gc.get_objects()
            counts.append((len(alive), sum(issubclass(type(each), torch.Tensor) for each in alive)))
    assert counts[1][0] < counts[0][0] + 200
    assert counts[1][1] == counts[0][1]
