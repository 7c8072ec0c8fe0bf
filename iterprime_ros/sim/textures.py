"""Procedural textures of table tops: wood, checks, cloth and stone; and unseen ones."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

TABLE_TEXTURES = 16
UNSEEN_TEXTURES = 8  # of World.UNSEEN alone; no model is trained on them
_SIDE = 128  # pixels
_SEED, _UNSEEN_SEED = 16, 1616


def table_texture(index: int) -> NDArray[np.uint8]:
    """Return the seamless texture with an index, (128, 128, 3) uint8; always the same pixels.

    index: in [0, TABLE_TEXTURES + UNSEEN_TEXTURES), the unseen ones last.
    """
    if index < TABLE_TEXTURES:
        rng = np.random.default_rng((_SEED, index))
        pattern = (_wood, _checks, _cloth, _stone)[index % 4](rng)
    else:
        rng = np.random.default_rng((_UNSEEN_SEED, index))
        pattern = (_stripes, _dots, _bricks, _rings)[index % 4](rng)
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


def _stripes(rng: Generator) -> NDArray[np.float64]:
    row, column = _axes()
    along, across = rng.integers(1, 6, 2)
    return 0.5 + 0.5 * np.sin(along * row + across * column)


def _dots(rng: Generator) -> NDArray[np.float64]:
    row, column = _axes()
    count = rng.integers(2, 6)
    return (np.cos(count * row) + np.cos(count * column) > rng.uniform(0.7, 1.3)).astype(np.float64)


def _bricks(rng: Generator) -> NDArray[np.float64]:
    rows = 2 * int(rng.integers(2, 5))
    y, x = np.indices((_SIDE, _SIDE)) * rows / _SIDE
    shifted = (x + y.astype(int) % 2) % 2
    is_joint = (y % 1 < 0.12) | (shifted < 0.12)
    return np.where(is_joint, 0.0, 0.7 + 0.3 * _smooth_noise(rng, 6))


def _rings(rng: Generator) -> NDArray[np.float64]:
    row, column = _axes()
    distance = np.hypot(np.sin(row / 2), np.sin(column / 2))
    return 0.5 + 0.5 * np.sin(rng.integers(8, 20) * distance + 2 * _smooth_noise(rng, 3))
