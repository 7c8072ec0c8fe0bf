"""Batches for the recognition stage: image windows and what each patch shows."""

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from iterprime_ros.training.matcher.scene_images import mirrored, to_tensor
from iterprime_ros.training.matcher.small_blip import GRID_SIZE
from iterprime_ros.training.scenes import RenderedScenes

_MIN_COVERED = 0.3  # share of a patch that an object must cover to be its label
_WINDOW = 8  # patches along a side of a window
_SAMPLES = 4  # sampled pixels along a side of a patch


def recognition_batch(scenes: RenderedScenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images come from.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.

    Returns:
        images: (B, 3, H, W) uint8.
        patch_indices: (B, M) int64, the patches of a window around one object.
        kind, colour: (B, M) int64, index + 1 of the object that covers the patch, 0 for none.
    """
    rng = np.random.default_rng([seed, 0, step])
    chosen = [(scenes[int(k)], bool(rng.integers(2))) for k in rng.integers(len(scenes), size=size)]
    images = np.stack([mirrored(record['rgb'], flip) for record, flip in chosen])
    ids = np.stack([mirrored(record['ids'], flip) for record, flip in chosen])
    owners = patch_owners(ids, GRID_SIZE)
    patch_indices = torch.from_numpy(np.stack([_window(rng, row) for row in owners]))
    owner = torch.from_numpy(owners).gather(1, patch_indices)
    labels = {}
    for name in ('kind', 'colour'):
        values = np.stack([record[name] for record, _ in chosen]).astype(np.int64) + 1
        labels[name] = functional.pad(torch.from_numpy(values), (1, 0)).gather(1, owner)
    return {'images': to_tensor(images), 'patch_indices': patch_indices, **labels}


def patch_owners(ids: NDArray[np.uint8], grid_size: int) -> NDArray[np.int64]:
    """Return (B, grid_size ** 2), the id of the object that covers most of a patch, 0 for none.

    ids: (B, H, W) uint8, object ids, 0 for the background.
    grid_size: patches along a side.
    """
    rows, columns = (
        (np.arange(grid_size * _SAMPLES) + 0.5) * side // (grid_size * _SAMPLES)
        for side in ids.shape[1:]
    )
    sampled = ids[:, rows.astype(int)[:, None], columns.astype(int)]
    patches = sampled.reshape(-1, grid_size, _SAMPLES, grid_size, _SAMPLES).swapaxes(2, 3)
    patches = patches.reshape(len(ids), grid_size * grid_size, _SAMPLES * _SAMPLES)
    covered = np.stack([(patches == k).mean(-1) for k in range(1, int(ids.max()) + 1)])
    return np.where(covered.max(0) > _MIN_COVERED, covered.argmax(0) + 1, 0)


def _window(rng: Generator, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the patches of a window around a random patch of an object; owners: (N,)."""
    objects = np.flatnonzero(owners)
    centre = int(rng.choice(objects)) if len(objects) else owners.size // 2
    jitter = rng.integers(-_WINDOW // 4, _WINDOW // 4 + 1, 2)
    corner = np.array(divmod(centre, GRID_SIZE)) - _WINDOW // 2 + jitter
    row, column = np.clip(corner, 0, GRID_SIZE - _WINDOW)
    inside = np.arange(_WINDOW)
    return ((row + inside)[:, None] * GRID_SIZE + column + inside).ravel()
