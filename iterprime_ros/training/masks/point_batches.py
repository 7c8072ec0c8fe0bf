"""Batches for the mask model: images, points in objects, and the masks of these objects."""

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.training.scenes import Scenes

OBJECT_POINTS, BACKGROUND_POINTS = 4, 1  # point prompts per image
_MIN_PIXELS = 12  # least visible area of a prompted object


def points_batch(scenes: Scenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images come from.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.

    Returns:
        images: (B, 3, H, W) uint8.
        points: (B, P, 2) float32, (x, y) of a random pixel, in pixels: first those in objects.
        masks: (B, P, H, W) bool, the object that the point is in; empty for the background.
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
            at = [*prompted, *(BACKGROUND_POINTS * [0])]
            points.append([_random_pixel(rng, ids == k) for k in at])
            masks.append([(ids == k) & (k > 0) for k in at])
    return {
        'images': torch.from_numpy(np.stack(images)),
        'points': torch.tensor(points, dtype=torch.float32),
        'masks': torch.from_numpy(np.array(masks)),
    }


def _sampled_objects(rng: Generator, ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return OBJECT_POINTS ids of visible objects, some repeated if there are fewer; or none."""
    visible = np.flatnonzero(np.bincount(ids.ravel(), minlength=1)[1:] >= _MIN_PIXELS) + 1
    if not len(visible):
        return visible
    shuffled = np.concatenate([rng.permutation(visible) for _ in range(OBJECT_POINTS)])
    return shuffled[:OBJECT_POINTS]


def _random_pixel(rng: Generator, mask: NDArray[np.bool_]) -> tuple[float, float]:
    pixels = np.flatnonzero(mask)
    y, x = divmod(int(rng.choice(pixels)), mask.shape[1])
    return float(x), float(y)
