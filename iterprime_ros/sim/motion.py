"""Clips: a scene whose camera or objects move, with an expression about its first frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count

import numpy as np
from numpy.random import Generator

from iterprime_ros.sim.framing import is_in_image
from iterprime_ros.sim.moving_camera import orbit, shake, turn_away
from iterprime_ros.sim.moving_objects import leave, push, swap
from iterprime_ros.sim.occluders import occlude
from iterprime_ros.sim.opening import Opening, sample_opening
from iterprime_ros.sim.paths import RATE_HZ
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import Scene, World
from iterprime_ros.sim.visibility import visible_fractions

__all__ = ['MIN_FRAMES', 'RATE_HZ', 'Clip', 'Motion', 'render_clip', 'sample_clip']

MIN_FRAMES = 90  # of a clip: 3 s
_TRIES = 3  # openings of one scene
_OTHER_SCENE = 2**32  # added to a seed for another scene: no split has seeds beyond
_MIN_VISIBLE = 0.4  # of the target, in clips that do not hide it
_CHECK_EVERY = 9  # frames


class Motion(Enum):
    """What moves in a clip.

    NONE: nothing.
    ORBIT: the camera goes round the table.
    SHAKE: the camera is held in a hand.
    PUSH: objects are pushed over the table, the target among them.
    SWAP: the target and another object exchange places.
    OCCLUDE: an arm or a carton hides the target for a while.
    LEAVE: the target leaves the image, by itself or because the camera turns, and comes back.
    """

    NONE = 'none'
    ORBIT = 'orbit'
    SHAKE = 'shake'
    PUSH = 'push'
    SWAP = 'swap'
    OCCLUDE = 'occlude'
    LEAVE = 'leave'


@dataclass(frozen=True)
class Clip:
    """A moving scene and an expression that means one object of its first frame.

    seed: seed that the clip was sampled with, which its scenes have too.
    motion: what moves.
    scenes: of every frame, RATE_HZ a second; an object has the same id in all of them.
    expression: means the target in scenes[0], unambiguously; later it may not.
    command: contains the expression.
    target: id of the object that is meant.
    look_alikes: ids of the objects that look exactly like the target.
    """

    seed: int
    motion: Motion
    scenes: tuple[Scene, ...]
    expression: str
    command: str
    target: int
    look_alikes: tuple[int, ...]


def sample_clip(
    seed: int, motion: Motion, frames: int = MIN_FRAMES, world: World = World.PLAIN
) -> Clip:
    """Return the clip of a seed, the same on every machine; composed for images of 4:3.

    It begins with the scene of that seed and, in three of four clips, a copy of one object; where
    that scene allows no such motion, with another scene.

    Raises ValueError for a negative seed, or for fewer than MIN_FRAMES frames.
    """
    if frames < MIN_FRAMES:
        raise ValueError(f'A clip of {frames} frames is too short: take at least {MIN_FRAMES}.')
    numbers = [seed, list(World).index(world)]
    for attempt in count():
        scene_seed = seed + attempt // _TRIES * _OTHER_SCENE
        opening = sample_opening(np.random.default_rng([*numbers, attempt, 1]), scene_seed, world)
        if opening is None:
            continue
        rng = np.random.default_rng([*numbers, attempt, 2, list(Motion).index(motion)])
        scenes = _moving(rng, opening, motion, world.clearance, frames)
        if scenes is not None:
            return Clip(
                seed,
                motion,
                tuple(replace(each, seed=seed) for each in scenes),
                opening.expression.text,
                opening.command,
                opening.target,
                opening.look_alikes,
            )
    raise AssertionError


def render_clip(renderer: Renderer, clip: Clip) -> Iterator[Picture]:
    """Yield the picture of every frame of a clip, each drawn when it is asked for."""
    for scene in clip.scenes:
        yield renderer.render(scene)


def _moving(
    rng: Generator, opening: Opening, motion: Motion, clearance: float, frames: int
) -> list[Scene] | None:
    """Return the scenes of a clip; None if the draw fails."""
    scene, target = opening.scene, opening.target
    item = scene.objects[target - 1]
    match motion:
        case Motion.NONE:
            return [scene] * frames
        case Motion.ORBIT:
            return _if_seen(_filmed(scene, orbit(rng, scene.camera, frames)), target)
        case Motion.SHAKE:
            return _if_seen(_filmed(scene, shake(rng, scene.camera, frames)), target)
        case Motion.PUSH:
            return _if_seen(push(rng, scene, target, clearance, frames), target)
        case Motion.SWAP:
            favourites = opening.look_alikes
            return _if_seen(swap(rng, scene, target, favourites, clearance, frames), target)
        case Motion.OCCLUDE:
            return occlude(rng, scene, opening, frames)
        case Motion.LEAVE:
            scenes = leave(rng, scene, target, clearance, frames) if rng.random() < 0.6 else None
            if scenes is None:
                cameras = turn_away(rng, scene, item, frames)
                scenes = cameras and _filmed(scene, cameras)
            return scenes
    return None


def _filmed(scene: Scene, cameras: list) -> list[Scene]:
    return [replace(scene, camera=camera) for camera in cameras]


def _if_seen(scenes: list[Scene] | None, target: int) -> list[Scene] | None:
    """Return the scenes if the target is in the image and well visible in all of them."""
    if scenes is None:
        return None
    for each in {id(each): each for each in scenes[::-_CHECK_EVERY]}.values():
        if not is_in_image([each.objects[target - 1]], each.camera, 0.0):
            return None
        if visible_fractions(each.objects, each.camera)[target - 1] < _MIN_VISIBLE:
            return None
    return scenes
