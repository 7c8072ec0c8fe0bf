"""Batches of images, points in objects, and the objects' masks, each made from its step alone."""

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.training.scenes import RenderedScenes

POINTS = 4  # objects asked for in each image, each by one point
_MIN_PIXELS = 12  # of an object that is asked for


def points_batch(scenes: RenderedScenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return images (B, 3, H, W) uint8, points (B, P, 2) float32 and masks (B, P, H, W) bool.

    A point, (x, y) in pixels, is drawn from all pixels of its object.
    """
    rng = np.random.default_rng([seed, 2, step])
    images: list[NDArray[np.uint8]] = []
    points: list[list[tuple[float, float]]] = []
    masks: list[list[NDArray[np.bool_]]] = []
    while len(images) < size:
        record = scenes[int(rng.integers(len(scenes)))]
        flip = slice(None, None, -1 if rng.integers(2) else 1)
        ids = np.asarray(record['ids'])[:, flip]
        asked = _objects(rng, ids)
        if len(asked):
            images.append(np.asarray(record['rgb'])[:, flip].transpose(2, 0, 1))
            points.append([_point(rng, ids == k) for k in asked])
            masks.append([ids == k for k in asked])
    return {
        'images': torch.from_numpy(np.stack(images)),
        'points': torch.tensor(points, dtype=torch.float32),
        'masks': torch.from_numpy(np.array(masks)),
    }


def _objects(rng: Generator, ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return POINTS ids of objects that are seen, each as often as the others, or none."""
    seen = np.flatnonzero(np.bincount(ids.ravel(), minlength=1)[1:] >= _MIN_PIXELS) + 1
    if not len(seen):
        return seen
    shuffled = np.concatenate([rng.permutation(seen) for _ in range(POINTS)])
    return shuffled[:POINTS]


def _point(rng: Generator, mask: NDArray[np.bool_]) -> tuple[float, float]:
    pixels = np.flatnonzero(mask)
    y, x = divmod(int(rng.choice(pixels)), mask.shape[1])
    return float(x), float(y)
