"""Batches for the recognition stage: images, and what each patch shows."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.training.matcher.scene_images import mirrored, to_tensor
from iterprime_ros.training.matcher.small_blip import GRID_SIZE
from iterprime_ros.training.scenes import Scenes

LABELS = {'kind': len(KINDS), 'colour': len(COLOURS), 'size': len(SIZES)}
_MIN_COVERED = 0.3  # share of a patch that an object must cover to be its label
_SAMPLES = 4  # sampled pixels along a side of a patch
# Half widths of the factor of a channel and of the offset of all, for lamps of other colours.
_GAIN, _OFFSET = 0.12, 0.25


def recognition_batch(scenes: Scenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images come from.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.

    Returns:
        images: (B, 3, H, W) uint8.
        gain, offset: see `lighting`.
        kind, colour, size: (B, N) int64, index + 1 of the object that covers the patch, 0 for none.
    """
    rng = np.random.default_rng([seed, 0, step])
    chosen = [(scenes[int(k)], bool(rng.integers(2))) for k in rng.integers(len(scenes), size=size)]
    images = np.stack([mirrored(record['rgb'], flip) for record, flip in chosen])
    ids = np.stack([mirrored(record['ids'], flip) for record, flip in chosen])
    owners = torch.from_numpy(patch_owners(coverage(ids, GRID_SIZE)))
    labels = {}
    for name in LABELS:
        values = np.stack([record[name] for record, _ in chosen]).astype(np.int64) + 1
        labels[name] = functional.pad(torch.from_numpy(values), (1, 0)).gather(1, owners)
    return {'images': to_tensor(images), **lighting(rng, size), **labels}


def lighting(rng: np.random.Generator, size: int) -> dict[str, Tensor]:
    """Return random changes of the light of B normalised images: gain * image + offset.

    gain: (B, 3, 1, 1) float32.
    offset: (B, 1, 1, 1) float32.
    """
    gain = rng.uniform(1 - _GAIN, 1 + _GAIN, (size, 3, 1, 1)).astype(np.float32)
    offset = rng.uniform(-_OFFSET, _OFFSET, (size, 1, 1, 1)).astype(np.float32)
    return {'gain': torch.from_numpy(gain), 'offset': torch.from_numpy(offset)}


def coverage(ids: NDArray[np.uint8], grid_size: int) -> NDArray[np.float32]:
    """Return (B, objects, grid_size ** 2), the share of each patch that each object covers.

    ids: (B, H, W) uint8, object ids from 1, 0 for the background.
    grid_size: patches along a side.
    """
    rows, columns = (
        (np.arange(grid_size * _SAMPLES) + 0.5) * side // (grid_size * _SAMPLES)
        for side in ids.shape[1:]
    )
    sampled = ids[:, rows.astype(int)[:, None], columns.astype(int)]
    patches = sampled.reshape(-1, grid_size, _SAMPLES, grid_size, _SAMPLES).swapaxes(2, 3)
    patches = patches.reshape(len(ids), grid_size * grid_size, _SAMPLES * _SAMPLES)
    highest = max(1, int(ids.max()))
    shares = [(patches == k).mean(-1, dtype=np.float32) for k in range(1, highest + 1)]
    return np.stack(shares, axis=1)


def patch_owners(covered: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return (B, N), the id of the object that covers most of a patch, 0 for none.

    covered: (B, objects, N), as `coverage` returns it.
    """
    return np.where(covered.max(1) > _MIN_COVERED, covered.argmax(1) + 1, 0)
