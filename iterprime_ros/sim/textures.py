"""Procedural textures of table tops: wood, checks, cloth and stone."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_SIDE = 128  # pixels
_SEED = 16


def table_texture(index: int) -> NDArray[np.uint8]:
    """Return the seamless texture with an index, (128, 128, 3) uint8; always the same pixels."""
    rng = np.random.default_rng((_SEED, index))
    pattern = (_wood, _checks, _cloth, _stone)[index % 4](rng)
    first = rng.uniform(0.35, 1.0) * rng.uniform([0.8, 0.7, 0.6], 1.0)
    second = np.clip(first * rng.uniform(0.65, 1.2), 0, 1)
    colour = first + (second - first) * pattern[..., None]
    grain = rng.normal(0, 0.012, (_SIDE, _SIDE, 1))
    return (np.clip(colour + grain, 0, 1) * 255).round().astype(np.uint8)


def _axes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = np.linspace(0, 2 * np.pi, _SIDE, endpoint=False)
    row, column = np.meshgrid(angle, angle, indexing='ij')
    return row, column


def _smooth_noise(rng: Generator, max_frequency: int) -> NDArray[np.float64]:
    """Return a sum of random periodic waves up to a frequency, scaled to [0, 1]."""
    row, column = _axes()
    noise = np.zeros((_SIDE, _SIDE))
    for _ in range(24):
        along, across = rng.integers(-max_frequency, max_frequency + 1, 2)
        noise += rng.normal() * np.cos(along * row + across * column + rng.uniform(0, 2 * np.pi))
    return (noise - noise.min()) / (noise.max() - noise.min())


def _wood(rng: Generator) -> NDArray[np.float64]:
    row, _ = _axes()
    return 0.5 + 0.5 * np.sin(rng.integers(4, 9) * row + 5 * _smooth_noise(rng, 2))


def _checks(rng: Generator) -> NDArray[np.float64]:
    row, column = _axes()
    count = rng.integers(1, 4)
    return (np.sin(count * row) * np.sin(count * column) > 0).astype(np.float64)


def _cloth(rng: Generator) -> NDArray[np.float64]:
    row, column = _axes()
    count, other = rng.integers(1, 6, 2)
    return 0.25 * (2 + np.sign(np.sin(count * row)) + np.sign(np.sin(other * column)))


def _stone(rng: Generator) -> NDArray[np.float64]:
    return _smooth_noise(rng, 9)
