"""Batches for the mask model."""

import torch

from iterprime_ros.training.masks.point_batches import (
    BACKGROUND_POINTS,
    OBJECT_POINTS,
    points_batch,
)
from iterprime_ros.training.scenes import HEIGHT, WIDTH


def test_every_point_lies_in_its_mask(rendered):
    batch = points_batch(rendered, 3, seed=0, step=5)
    assert batch['images'].shape == (3, 3, HEIGHT, WIDTH)
    assert batch['masks'].shape == (3, OBJECT_POINTS + BACKGROUND_POINTS, HEIGHT, WIDTH)
    assert batch['points'].shape == (3, OBJECT_POINTS + BACKGROUND_POINTS, 2)
    every = batch['masks'].any(dim=1)
    for image, (points, masks) in enumerate(zip(batch['points'], batch['masks'], strict=True)):
        for k, ((x, y), mask) in enumerate(zip(points.long(), masks, strict=True)):
            if k < OBJECT_POINTS:
                assert mask[y, x]
            else:
                assert not mask.any()
                assert not every[image, y, x]


def test_a_batch_depends_on_its_step_alone(rendered):
    batch = points_batch(rendered, 3, seed=0, step=5)
    again = points_batch(rendered, 3, seed=0, step=5)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    other = points_batch(rendered, 3, seed=0, step=6)
    assert not torch.equal(batch['points'], other['points'])
