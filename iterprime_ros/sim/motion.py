"""Clips: a scene whose camera or objects move, with an expression about its first frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.random import Generator

from iterprime_ros.sim.camera_pose import CameraPose
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
_LOOK_ALIKE_SHARE = 0.75  # of clips whose target has a copy
_TRIES = 3  # openings of one scene
_OTHER_SCENE = 2**32  # added to a seed for another scene: no split has seeds beyond
_SLIDE_SHARE = 0.7  # of the clips in which the target leaves by itself where it can
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
    with_copy = np.random.default_rng([*numbers, 0]).random() < _LOOK_ALIKE_SHARE
    attempt = -1
    while True:
        attempt += 1
        scene_seed = seed + attempt // _TRIES * _OTHER_SCENE
        first_rng = np.random.default_rng([*numbers, 1, attempt])
        opening = sample_opening(first_rng, scene_seed, world, with_copy)
        if opening is None:
            continue
        rng = np.random.default_rng([*numbers, 2, attempt, list(Motion).index(motion)])
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
            slides = rng.random() < _SLIDE_SHARE
            scenes = leave(rng, scene, target, clearance, frames) if slides else None
            if scenes is None:
                scenes = _filmed(scene, turn_away(rng, scene, item, frames))
            return scenes if scenes and _is_seen(scenes[-1], target) else None
    return None


def _filmed(scene: Scene, cameras: Sequence[CameraPose] | None) -> list[Scene] | None:
    return None if cameras is None else [replace(scene, camera=camera) for camera in cameras]


def _if_seen(scenes: list[Scene] | None, target: int) -> list[Scene] | None:
    """Return the scenes if the target is in the image and well visible in all of them."""
    if scenes is None:
        return None
    looked_at = {id(each): each for each in scenes[::-_CHECK_EVERY]}.values()
    return scenes if all(_is_seen(each, target) for each in looked_at) else None


def _is_seen(scene: Scene, target: int) -> bool:
    is_inside = is_in_image([scene.objects[target - 1]], scene.camera, 0.0)
    fractions = visible_fractions(scene.objects, scene.camera)
    return is_inside and fractions[target - 1] >= _MIN_VISIBLE
