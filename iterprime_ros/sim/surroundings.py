"""What is around the objects: the table, the room and the light."""

from dataclasses import dataclass

from numpy.random import Generator

from iterprime_ros.sim.objects import triple
from iterprime_ros.sim.textures import TABLE_TEXTURES, UNSEEN_TEXTURES


@dataclass(frozen=True)
class Surroundings:
    """The table, the room and the light.

    table_half: half extents of the table along x and y, in metres.
    texture: index of the texture of the table; see textures.table_texture.
    texture_repeat: how often the texture is repeated along each side.
    table_tint: RGB factor of the texture, in [0, 1].
    floor_rgb: colour of the floor, in [0, 1].
    wall_rgb: colour of the walls, in [0, 1].
    light_position: (x, y, z) of the lamp in the world frame, in metres.
    light_diffuse: intensity of the lamp, in [0, 1].
    ambient: intensity of the ambient light, in [0, 1].
    headlight: intensity of the diffuse light at the camera, in [0, 1].
    light_rgb: colour of the lamp, in [0, 1].
    """

    table_half: tuple[float, float]
    texture: int
    texture_repeat: int
    table_tint: tuple[float, float, float]
    floor_rgb: tuple[float, float, float]
    wall_rgb: tuple[float, float, float]
    light_position: tuple[float, float, float]
    light_diffuse: float
    ambient: float
    headlight: float
    light_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)


def sample_surroundings(rng: Generator) -> Surroundings:
    """Draw surroundings of every world but World.UNSEEN."""
    return Surroundings(
        table_half=(float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.32, 0.5))),
        texture=int(rng.integers(TABLE_TEXTURES)),
        texture_repeat=int(rng.integers(1, 7)),
        table_tint=triple(rng.uniform(0.55, 1.0) * rng.uniform(0.75, 1.0, 3)),
        floor_rgb=triple(rng.uniform(0.15, 0.9) * rng.uniform(0.8, 1.0, 3)),
        wall_rgb=triple(rng.uniform(0.2, 0.95) * rng.uniform(0.8, 1.0, 3)),
        light_position=(
            float(rng.uniform(-0.8, 0.8)),
            float(rng.uniform(-0.8, 0.4)),
            float(rng.uniform(0.9, 1.6)),
        ),
        light_diffuse=float(rng.uniform(0.5, 0.9)),
        ambient=float(rng.uniform(0.3, 0.55)),
        headlight=float(rng.uniform(0.15, 0.35)),
    )


def sample_unseen_surroundings(rng: Generator) -> Surroundings:
    """Draw surroundings that have nothing in common with those of `sample_surroundings`.

    Other textures; a coloured lamp that stands lower and further to the back or to a side; light
    that is dimmer or brighter; a floor and walls of saturated colours.
    """
    side = rng.choice([-1.0, 1.0])
    is_dim = rng.random() < 0.5
    is_warm = rng.random() < 0.5
    return Surroundings(
        table_half=(float(rng.uniform(0.35, 0.7)), float(rng.uniform(0.32, 0.5))),
        texture=TABLE_TEXTURES + int(rng.integers(UNSEEN_TEXTURES)),
        texture_repeat=int(rng.integers(1, 5)),
        table_tint=triple(rng.uniform(0.6, 1.0) * rng.uniform(0.75, 1.0, 3)),
        floor_rgb=triple(rng.uniform(0.1, 0.7, 3)),
        wall_rgb=triple(rng.uniform(0.1, 0.8, 3)),
        light_position=(
            float(side * rng.uniform(0.85, 1.2)),
            float(rng.uniform(0.45, 0.9)),
            float(rng.uniform(0.75, 1.2)),
        ),
        light_diffuse=float(rng.uniform(0.4, 0.5) if is_dim else rng.uniform(0.9, 1.0)),
        ambient=float(rng.uniform(0.24, 0.3) if is_dim else rng.uniform(0.4, 0.5)),
        headlight=float(rng.uniform(0.2, 0.3) if is_dim else rng.uniform(0.1, 0.15)),
        light_rgb=(1.0, 0.86, 0.68) if is_warm else (0.78, 0.89, 1.0),
    )
