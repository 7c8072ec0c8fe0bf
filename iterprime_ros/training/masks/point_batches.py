"""Batches for the mask model: images, points in objects, and the masks of these objects."""

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.training.scenes import RenderedScenes

POINTS = 4  # point prompts per image, each in one object
_MIN_PIXELS = 12  # least visible area of a prompted object


def points_batch(scenes: RenderedScenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images come from.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.

    Returns:
        images: (B, 3, H, W) uint8.
        points: (B, POINTS, 2) float32, (x, y) of a random pixel of the object, in pixels.
        masks: (B, POINTS, H, W) bool, the object that the point is in.
    """
    rng = np.random.default_rng([seed, 2, step])
    images: list[NDArray[np.uint8]] = []
    points: list[list[tuple[float, float]]] = []
    masks: list[list[NDArray[np.bool_]]] = []
    while len(images) < size:
        record = scenes[int(rng.integers(len(scenes)))]
        flip = slice(None, None, -1 if rng.integers(2) else 1)
        ids = np.asarray(record['ids'])[:, flip]
        prompted = _sampled_objects(rng, ids)
        if len(prompted):
            images.append(np.asarray(record['rgb'])[:, flip].transpose(2, 0, 1))
            points.append([_random_pixel(rng, ids == k) for k in prompted])
            masks.append([ids == k for k in prompted])
    return {
        'images': torch.from_numpy(np.stack(images)),
        'points': torch.tensor(points, dtype=torch.float32),
        'masks': torch.from_numpy(np.array(masks)),
    }


def _sampled_objects(rng: Generator, ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return POINTS ids of visible objects, repeated only if there are fewer; empty if none."""
    visible = np.flatnonzero(np.bincount(ids.ravel(), minlength=1)[1:] >= _MIN_PIXELS) + 1
    if not len(visible):
        return visible
    shuffled = np.concatenate([rng.permutation(visible) for _ in range(POINTS)])
    return shuffled[:POINTS]


def _random_pixel(rng: Generator, mask: NDArray[np.bool_]) -> tuple[float, float]:
    pixels = np.flatnonzero(mask)
    y, x = divmod(int(rng.choice(pixels)), mask.shape[1])
    return float(x), float(y)
