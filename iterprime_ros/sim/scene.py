"""Random scenes: the objects on the table, the surroundings, the light and the camera."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.objects import (
    COLOURS,
    KINDS,
    SIZES,
    SceneObject,
    mesh_library,
    triple,
)
from iterprime_ros.sim.placement import (
    CLEARANCE,
    CLUTTER_CLEARANCE,
    place_apart,
    place_close,
    place_stacked,
)
from iterprime_ros.sim.surroundings import (
    Surroundings,
    sample_surroundings,
    sample_unseen_surroundings,
)

__all__ = [
    'COLOURS',
    'KINDS',
    'MAX_OBJECTS',
    'SIZES',
    'Scene',
    'SceneObject',
    'Surroundings',
    'World',
    'mesh_library',
    'sample_scene',
]

MAX_OBJECTS = 12  # of a scene of any world


class World(Enum):
    """What scenes look like.

    PLAIN: 3 to 8 objects that stand apart on the table.
    CLUTTER: 6 to 12 objects close together, some of which hide parts of others.
    STACKED: 3 to 8 objects, at least one of which stands on another.
    UNSEEN: as PLAIN, with textures, light and a room that no other world has, for testing only.
    """

    PLAIN = 'plain'
    CLUTTER = 'clutter'
    STACKED = 'stacked'
    UNSEEN = 'unseen'

    @property
    def counts(self) -> tuple[int, int]:
        """The least and the largest number of objects."""
        return (6, 12) if self is World.CLUTTER else (3, 8)

    @property
    def clearance(self) -> float:
        """The least distance between the footprints of objects that are not stacked, in metres."""
        return CLUTTER_CLEARANCE if self is World.CLUTTER else CLEARANCE


@dataclass(frozen=True)
class Scene:
    """A table with objects that do not touch, except for those that stand on others.

    seed: seed that the scene was sampled with.
    objects: the n objects; objects[k] has id k + 1.
    surroundings: the table, the room and the light.
    camera: the pose of the camera.
    """

    seed: int
    objects: tuple[SceneObject, ...]
    surroundings: Surroundings
    camera: CameraPose

    @cached_property
    def gaps(self) -> NDArray[np.float64]:
        """(n, n) distances between the footprints of every two objects, in metres."""
        gaps = np.zeros((len(self.objects),) * 2)
        for i, j in combinations(range(len(self.objects)), 2):
            gaps[i, j] = gaps[j, i] = self.objects[i].footprint.distance(self.objects[j].footprint)
        return gaps


def sample_scene(seed: int, world: World = World.PLAIN) -> Scene:
    """Return the scene of a seed in a world; the same on every machine.

    Scenes of one seed in two worlds have nothing in common.

    Raises ValueError for a negative seed.
    """
    number = list(World).index(world)
    rng = np.random.default_rng([seed, number] if number else seed)
    camera = _sample_camera(rng)
    is_unseen = world is World.UNSEEN
    surroundings = (sample_unseen_surroundings if is_unseen else sample_surroundings)(rng)
    least, most = world.counts
    place = {World.CLUTTER: place_close, World.STACKED: place_stacked}.get(world, place_apart)
    while True:
        objects = place(rng, camera, surroundings, int(rng.integers(least, most + 1)))
        is_world = world is not World.STACKED or any(item.support for item in objects)
        if len(objects) >= least and is_world:
            return Scene(seed, tuple(objects), surroundings, camera)


def _sample_camera(rng: Generator) -> CameraPose:
    azimuth = rng.uniform(-1, 1) - np.pi / 2
    elevation = rng.uniform(0.5, 1.15)
    distance = rng.uniform(0.48, 0.68)
    target = np.array([rng.uniform(-0.03, 0.03), rng.uniform(-0.03, 0.03), 0.03])
    offset = distance * np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    eye = target + offset
    return CameraPose(triple(eye), triple(target), float(rng.uniform(40, 50)))
